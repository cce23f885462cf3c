"""A firm with its people, and a case at the stage where a plan is made."""

from datetime import date
from decimal import Decimal

import pytest

from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.stages import Stage
from huiyin.kit import keys
from huiyin.remedies.schemas import Measure, PlanForm

keys.configure(b"thirty-two bytes for tests, only.")


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def second(make_actor):
    return make_actor("approver", name="邵一帆")


@pytest.fixture
def investigator(make_actor):
    return make_actor("investigator", name="罗毅")


@pytest.fixture
def put(session, actor):
    """Put a new case at a stage with every gate before it met; answers its number."""

    def put(stage=Stage.PLAN, key="1", **columns):
        filed = file_complaint(
            session,
            actor,
            Filing(channel="phone", idem_key=key, story="赎回款迟迟未到账", phone="13800000000"),
        )
        case = find(session, actor, filed.number)
        case.stage = stage.value
        case.category, case.severity = columns.pop("category", "C1"), "S2"
        for name, value in columns.items():
            setattr(case, name, value)
        met = {"at": "2026-03-02T02:00:00+00:00", "by": "沈佳宁", "by_id": "", "note": "已核对"}
        earlier = [gate for known in Stage for gate in EXIT[known]]
        made = {"plan_drafted", "plan_approved", "reply_sent"}
        case.facts = {gate: met for gate in earlier if gate not in made}
        session.commit()
        return filed.number

    return put


@pytest.fixture
def number(put):
    return put()


@pytest.fixture
def rev(session, actor):
    """The version of a case as it stands."""
    return lambda number: find(session, actor, number).version


@pytest.fixture
def form():
    def make(**changes):
        facts = {
            "goal": "补付赎回款并说明原因",
            "measures": (
                Measure(title="补付差额 12800 元", due_on=date(2026, 3, 20)),
                Measure(title="复核赎回流程"),
            ),
            "amount": Decimal(12800),
            "basis": "基金合同第 18 条",
        }
        return PlanForm(**{**facts, **changes})

    return make
