"""The screen on which a plan is decided."""

import pytest

from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.stages import Stage
from huiyin.remedies import service
from huiyin.remedies.schemas import Measure, PlanForm

MET = {"at": "", "by": "沈佳宁", "note": "已核对"}
FORM = PlanForm(goal="补付赎回款", measures=(Measure(title="补付差额"),), basis="基金合同")


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def submitted(session, actor, approver):
    """The number of a case whose plan waits for a decision."""

    def make(key):
        filing = Filing(
            channel="phone", idem_key=key, story="赎回款迟迟未到账", phone="13800000000"
        )
        case = find(session, actor, file_complaint(session, actor, filing).number)
        case.stage, case.category, case.severity = Stage.PLAN.value, "C1", "S2"
        made = {"plan_drafted", "plan_approved", "reply_sent"}
        case.facts = {gate: MET for known in Stage for gate in EXIT[known] if gate not in made}
        session.flush()
        service.save_draft(session, actor, case.number, FORM, rev=case.version)
        service.submit(session, actor, case.number, rev=case.version)
        session.commit()
        return case.number

    return make


def test_it_says_how_long_there_is_and_leads_to_the_next(web, approver, submitted):
    first, second = submitted("a"), submitted("b")
    browser = web(approver)
    page = browser.get(f"/t/qinghe/w/cases/{first}/approve").text.split("<main")[1]
    assert "1 / 2" in page
    assert 'class="sla' in page
    assert f'href="/t/qinghe/w/cases/{second}/approve"' in page
    page = browser.get(f"/t/qinghe/w/cases/{second}/approve").text
    assert f'href="/t/qinghe/w/cases/{first}/approve"' in page
