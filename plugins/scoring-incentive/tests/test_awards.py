"""Awards: nominated by another, approved by two, public only while the person agrees."""

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Conflict, Invalid, Investor, NotFound, Refused, uuid7
from huiyin_scoring_incentive import awards, papers
from huiyin_scoring_incentive.schemas import NominationForm
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings

from .conftest import HOME, words

PUBLIC = "/p/qinghe/commendations"


def nomination(who, **changes):
    given = {
        "nominee": str(who.id), "honour": "复盘之星", "grounds": "写下的经验教训多次被其他同事采用",
        "citation": "把每一次投诉都当作改进流程的机会",
    }  # fmt: skip
    return NominationForm(**{**given, **changes})


@pytest.fixture
def year(lend):
    return awards.open_year(lend("executive"), 2025)


@pytest.fixture
def nominated(lend, staff, year):
    return awards.nominate(lend("supervisor"), 2025, nomination(staff.officer))


@pytest.fixture
def granted(lend, nominated, session):
    listed = awards.close_list(lend("executive"), 2025)
    awards.approve(lend("approver"), 2025, listed.list_hash)
    awards.approve(lend("executive"), 2025, listed.list_hash)
    session.commit()
    return nominated


def test_nobody_nominates_themselves(lend, staff, year):
    with pytest.raises(Refused):
        awards.nominate(lend("officer"), 2025, nomination(staff.officer))


def test_a_nomination_carries_the_published_scores_of_its_year(
    lend, staff, year, published, score_of
):
    found = published()
    made = awards.nominate(lend("supervisor"), 2025, nomination(staff.officer))
    (score,) = score_of(found, "officer")
    assert [d["score"] for d in made.data] == [str(score.id)]
    assert made.data[0]["value"] == float(score.value)


@pytest.mark.parametrize(
    "words_",
    ["请致电 13800001234 表示感谢", "编号 TS-2026-0001 一案办得好", "写信到 a.b@c.cn 表示感谢",
     "身份证 310101199001011234 的当事人很满意", "陈建国先生对结果非常满意"],
)  # fmt: skip
def test_a_citation_that_points_to_a_complainant_is_refused(lend, staff, year, session, words_):
    session.add(Investor(name="陈建国"))
    session.flush()
    with pytest.raises(Invalid) as refused:
        awards.nominate(lend("supervisor"), 2025, nomination(staff.officer, citation=words_))
    assert set(refused.value.fields) == {"citation"}


def test_a_nominee_who_is_nobody_is_refused_at_the_field(lend, year, staff):
    with pytest.raises(Invalid) as refused:
        awards.nominate(lend("supervisor"), 2025, nomination(staff.officer, nominee=str(uuid7())))
    assert set(refused.value.fields) == {"nominee"}


def test_an_approver_and_an_executive_approve_and_nobody_twice(lend, nominated):
    listed = awards.close_list(lend("executive"), 2025)
    awards.approve(lend("approver"), 2025, listed.list_hash)
    assert nominated.state == "nominated"
    with pytest.raises(Refused):
        awards.approve(lend("approver"), 2025, listed.list_hash)
    with pytest.raises(Conflict):
        awards.approve(lend("approver2"), 2025, listed.list_hash)
    awards.approve(lend("executive"), 2025, listed.list_hash)
    assert nominated.state == "granted"
    with pytest.raises(Conflict):
        awards.approve(lend("approver2"), 2025, listed.list_hash)


def test_the_list_that_was_seen_is_the_one_approved(lend, nominated):
    awards.close_list(lend("executive"), 2025)
    with pytest.raises(Conflict):
        awards.approve(lend("approver"), 2025, "0" * 64)


def test_whoever_is_on_the_list_or_nominated_somebody_does_not_approve(lend, staff, year):
    awards.nominate(lend("supervisor"), 2025, nomination(staff.approver))
    awards.nominate(lend("approver2"), 2025, nomination(staff.officer2))
    listed = awards.close_list(lend("executive"), 2025)
    for name in ("approver", "approver2"):
        with pytest.raises(Refused):
            awards.approve(lend(name), 2025, listed.list_hash)


def test_a_name_taken_off_takes_the_approvals_with_it(lend, staff, year):
    first = awards.nominate(lend("supervisor"), 2025, nomination(staff.officer))
    awards.nominate(lend("supervisor"), 2025, nomination(staff.officer2))
    listed = awards.close_list(lend("executive"), 2025)
    awards.approve(lend("approver"), 2025, listed.list_hash)
    awards.strike(lend("executive"), first.id, "依据不足，明年再议")
    assert listed.approver_id is None
    assert first.state == "struck"


def test_once_closed_the_list_takes_no_more(lend, staff, nominated):
    awards.close_list(lend("executive"), 2025)
    with pytest.raises(Conflict):
        awards.nominate(lend("supervisor"), 2025, nomination(staff.officer2))


def test_a_year_is_opened_once_and_an_empty_list_is_not_closed(lend, year):
    with pytest.raises(Invalid):
        awards.open_year(lend("approver"), 2025)
    with pytest.raises(Conflict):
        awards.close_list(lend("approver"), 2025)


def test_the_database_refuses_self_awards_and_one_signer_for_both(session, granted):
    for change, rule in (
        ("award SET nominated_by = nominee_id", "not_self"),
        ("reward SET executive_id = approver_id", "two"),
        ("reward SET executive_id = NULL", "granted_by_two"),
        ("award SET state = 'nominated', consented_at = now()", "granted_first"),
    ):
        with pytest.raises(IntegrityError, match=rule), session.begin_nested():
            session.execute(text(f"UPDATE plugin_scoring_incentive__{change}"))


# -- in public -----------------------------------------------------------------------------------


def test_without_consent_nobody_is_shown_and_withdrawn_it_is_gone_at_once(
    granted, web, public, staff, switch, lend
):
    switch()
    assert "某officer" not in public.get(PUBLIC).text
    browser = web(staff.officer)
    seal = awards.words(granted)
    path = f"{HOME}/awards/mine/{granted.id}"
    assert browser.post(path, {"agree": "yes", "words": "other"}).status_code == 409
    assert browser.post(path, {"agree": "yes", "words": seal}).status_code == 303
    shown = words(public.get(PUBLIC))
    assert "某officer" in shown
    assert granted.citation in shown
    assert granted.grounds not in shown
    assert browser.post(path, {"agree": "no"}).status_code == 303
    gone = public.get(PUBLIC)
    assert gone.status_code == 200
    assert "某officer" not in gone.text
    assert granted.citation not in gone.text


def test_nobody_agrees_for_another(granted, web, staff, switch):
    switch()
    seal = awards.words(granted)
    for name in ("officer2", "approver", "executive", "supervisor"):
        answer = web(getattr(staff, name)).post(
            f"{HOME}/awards/mine/{granted.id}", {"agree": "yes", "words": seal}
        )
        assert answer.status_code == 404


def test_for_somebody_who_has_left_an_approver_takes_the_page_down(
    granted, lend, web, public, staff, switch
):
    awards.consent(lend("officer"), granted.id, awards.words(granted), agree=True)
    switch()
    assert "某officer" in public.get(PUBLIC).text
    path = f"{HOME}/awards/mine/{granted.id}"
    assert web(staff.supervisor).post(path, {"agree": "no"}).status_code == 404
    assert web(staff.approver).post(path, {"agree": "no"}).status_code == 303
    assert "某officer" not in public.get(PUBLIC).text


def test_a_nomination_cannot_be_made_public_before_it_is_granted(nominated, lend):
    with pytest.raises(Conflict):
        awards.consent(lend("officer"), nominated.id, awards.words(nominated), agree=True)


def test_the_public_page_can_be_switched_off_and_is_there_in_english(
    granted, lend, public, switch, tenant
):
    awards.consent(lend("officer"), granted.id, awards.words(granted), agree=True)
    assert len(awards.public(lend())[0]) == 1
    off = lend(settings=ScoringIncentiveSettings(commendations=False))
    assert awards.public(off) == ([], None)
    lend().session.commit()
    switch()
    assert "They have agreed to be named" in public.get(f"{PUBLIC}?lang=en").text


# -- the file of a person ------------------------------------------------------------------------


def test_a_file_is_for_the_person_and_those_who_see_all(granted, lend, staff):
    for name in ("officer", "approver", "supervisor", "executive"):
        assert papers.person_file(lend(name), staff.officer.id).awards
    for name in ("officer2", "investigator", "admin"):
        with pytest.raises(NotFound):
            papers.person_file(lend(name), staff.officer.id)


def test_the_workbook_holds_no_formula(lend, staff, year, session):
    risky = nomination(staff.officer, grounds='=HYPERLINK("http://x.test","点我")')
    awards.nominate(lend("supervisor"), 2025, risky)
    listed = awards.close_list(lend("executive"), 2025)
    awards.approve(lend("approver"), 2025, listed.list_hash)
    awards.approve(lend("executive"), 2025, listed.list_hash)
    content = papers.person_xlsx(
        lend("officer"), papers.person_file(lend("officer"), staff.officer.id)
    )
    book = load_workbook(io.BytesIO(content))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert any("HYPERLINK" in str(c.value) for c in cells)
    assert {c.data_type for c in cells} <= {"s", "n", "d"}
    pdf = papers.person_pdf(lend("officer"), papers.person_file(lend("officer"), staff.officer.id))
    assert pdf.startswith(b"%PDF")
