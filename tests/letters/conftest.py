"""A firm that writes letters, a case, and a store for what is printed."""

from datetime import timedelta

import pytest

from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.stages import Stage
from huiyin.db import tenant_session
from huiyin.evidence import store
from huiyin.kit import keys
from huiyin.letters import service
from huiyin.letters import tasks as _letters  # noqa: F401 - registers the handlers
from huiyin.letters.service import letters_of
from huiyin.queue.worker import drain
from huiyin.tenancy.models import Tenant

from .given import GOOD

keys.configure(b"thirty-two bytes for tests, only.")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    chosen = store.FolderStore(tmp_path / "blobs")
    monkeypatch.setattr(store, "_chosen", chosen)
    return chosen


@pytest.fixture
def firm(session, tenant):
    """The firm as letters name it."""
    row = session.get(Tenant, tenant.id)
    row.name, row.short_name = "青禾私募基金管理有限公司", "青禾"
    row.name_en, row.hotline = "Qinghe Asset Management", "021-60000000"
    session.commit()
    return row


@pytest.fixture
def file(session, actor, firm, folder):
    """File a complaint; answers its number."""

    def make(key="1", **facts):
        given = {
            "channel": "web", "idem_key": key, "story": "赎回款迟迟未到账，请尽快答复",
            "name": "陈建国", "phone": "13800000000", "email": "chen@example.test",
        }  # fmt: skip
        filed = file_complaint(session, actor, Filing(**{**given, **facts}))
        session.commit()
        return filed.number

    return make


@pytest.fixture
def put(session, actor):
    """Put a case at a stage, with every gate before it met."""

    def place(number, stage, **columns):
        case = find(session, actor, number)
        case.stage, case.category, case.severity = stage.value, "C1", "S2"
        case.owner_id = actor.id
        if stage is not Stage.INTAKE:
            case.accepted_at = case.received_at + timedelta(hours=1)
        made = {"plan_drafted", "plan_approved", "reply_sent"}
        met = {"at": "2026-03-02T02:00:00+00:00", "by": "沈佳宁", "note": "已核对"}
        case.facts = {gate: met for known in Stage for gate in EXIT[known] if gate not in made}
        for name, value in columns.items():
            setattr(case, name, value)
        session.commit()
        return case

    return place


@pytest.fixture
def run(engine, session):
    """Do all jobs that are due, as if ``ahead`` later; the session then sees what they did."""

    def work(ahead=timedelta(0)):
        session.rollback()
        tries = drain(engine, ahead=ahead)
        session.expire_all()
        return tries

    return work


@pytest.fixture
def letters(engine, tenant, actor):
    """The letters of a case as committed."""

    def read(number):
        with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
            return list(letters_of(own, find(own, actor, number)))

    return read


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def number(file, put):
    """A case in the stage of the written answer."""
    number = file()
    put(number, Stage.RESPONSE)
    return number


@pytest.fixture
def draft(session, actor, number):
    letter = service.draft_answer(session, actor, number, GOOD)
    session.commit()
    return letter


@pytest.fixture
def rev(session, actor):
    return lambda number: find(session, actor, number).version
