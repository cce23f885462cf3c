"""What one person's program asks and another's answers: mergers, kinds, levels, more time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.db import tenant_session
from huiyin.ledger.models import LedgerEntry

from .given import count, file

WHY = "经核对，与另一件反映同一事项"


@pytest.fixture
def judge(api, make_actor):
    """The program of somebody from outside who may answer."""
    return api(make_actor("approver", name="顾明远"))


@pytest.fixture
def master(public, filed):
    """The number of another open case of the firm."""
    story = {
        "story": "同一只产品的另一件投诉，也没有到账。",
        "name": "周敏",
        "phone": "13900001111",
    }
    return file(public, story, key="k-2").json()["number"]


@pytest.fixture
def put(engine, tenant, filed):
    """``put(stage="plan")`` changes the row of the case that was filed first."""

    def change(**columns):
        with tenant_session(engine, tenant.id) as session:
            case = session.scalars(select(Case).order_by(Case.number)).first()
            for name, value in columns.items():
                setattr(case, name, value)
            if columns.get("stage", "intake") != "intake":
                case.accepted_at = case.received_at
            session.commit()

    return change


def do(client, at, path, **body):
    """Act at the version as it stands now; answers what came back."""
    given = {"rev": client.get(at).json()["rev"], **body}
    return client.ask("POST", f"{at}/{path}", json=given)


def code(answer):
    return answer.status_code, answer.json()["code"]


def fields(answer):
    return answer.status_code, list(answer.json()["fields"])


def asked(client, at):
    return client.get(at).json()["asked"]


def verbs(client, at):
    return {move["verb"]: move for move in client.get(at).json()["moves"]}


# -- merging ---------------------------------------------------------------------------------------


def test_a_merger_is_proposed_and_confirmed_by_another(staff, judge, at, filed, master):
    assert do(staff, at, "merge", master=master, reason=WHY).status_code == 200
    (waits,) = asked(judge, at)
    assert (waits["what"], waits["to"], waits["by"]) == ("merge", master, "沈佳宁")
    assert waits["reason"] == WHY
    assert verbs(judge, at)["merge"]["barred"] == ""
    done = do(judge, at, "moves/merge").json()
    assert (done["state"], asked(judge, at)) == ("closed", [])
    other = at.replace(filed["number"], master)
    assert judge.get(at).json()["master"] == master
    (under,) = judge.get(other).json()["merged"]
    assert (under["number"], under["answered_at"]) == (filed["number"], None)


def test_a_wrong_merger_is_undone(staff, judge, at, master, filed, api, make_actor):
    do(staff, at, "merge", master=master, reason=WHY)
    do(judge, at, "moves/merge")
    watch = api(make_actor("supervisor"))
    assert fields(do(watch, at, "moves/unmerge")) == (422, ["reason"])
    done = do(watch, at, "moves/unmerge", reason="系两只产品").json()
    assert (done["state"], done["stage"]) == ("open", "intake")
    assert watch.get(at).json()["master"] == ""
    assert watch.get(at.replace(filed["number"], master)).json()["merged"] == []


@pytest.mark.usefixtures("judge")
def test_whoever_proposed_does_not_confirm_but_takes_it_back(staff, at, master, api, make_actor):
    both = api(make_actor("complaint_officer", "approver", name="双职"))
    assert do(both, at, "merge", master=master, reason=WHY).status_code == 200
    assert verbs(both, at)["merge"]["barred"]
    assert code(do(both, at, "moves/merge")) == (403, "second_person_required")
    assert code(do(staff, at, "moves/take_back_end")) == (403, "refused")
    assert do(both, at, "moves/take_back_end").status_code == 200
    assert asked(staff, at) == []


def test_a_merger_is_proposed_once_and_at_the_version_that_was_read(staff, judge, at, master):
    first = {"rev": 1, "master": master, "reason": WHY}
    assert staff.ask("POST", f"{at}/merge", json=first).status_code == 200
    again = staff.ask("POST", f"{at}/merge", json=first)
    assert (code(again), again.json()["version"]) == ((409, "stale_version"), 2)
    assert code(do(staff, at, "merge", master=master, reason=WHY)) == (409, "move_not_allowed")
    assert do(judge, at, "moves/return_end", reason="两件并非同一事项").status_code == 200
    assert asked(staff, at) == []


def test_a_master_has_to_be_another_open_case_in_reach(
    staff, at, master, filed, engine, tenant, actor
):
    for wrong in (filed["number"], "TS-2026-9999", "WL-2026-0001", "𠮷" * 5):
        assert fields(do(staff, at, "merge", master=wrong, reason=WHY)) == (422, ["master"])
    unknown = do(staff, at, "merge", master="TS-2026-9999", reason=WHY).content
    with tenant_session(engine, tenant.id) as session:
        case = session.scalars(select(Case).where(Case.number == master)).one()
        case.walled = [actor.id]
        session.commit()
    assert do(staff, at, "merge", master=master, reason=WHY).content == unknown
    assert fields(do(staff, at, "merge", master="TS-2026-9998", reason="")) == (422, ["master"])
    assert staff.get(at).json()["rev"] == 1


def test_a_master_is_named_to_those_only_who_may_know_of_it(
    staff, judge, at, master, api, make_actor
):
    investigator = make_actor("investigator", name="陆一帆")
    given = do(staff, at, "assign", part="assistant", account_id=str(investigator.id))
    assert given.status_code == 200
    do(staff, at, "merge", master=master, reason=WHY)
    assert [one["to"] for one in asked(judge, at)] == [master]
    (waits,) = asked(api(investigator), at)
    assert (waits["what"], waits["to"]) == ("merge", "")


def test_a_merger_without_a_reason_or_anybody_to_confirm_it_is_not_proposed(staff, at, master):
    assert fields(do(staff, at, "merge", master=master)) == (422, ["reason"])
    alone = do(staff, at, "merge", master=master, reason=WHY)  # nobody is there to judge it
    assert fields(alone) == (422, ["master"])
    assert staff.get(at).json()["rev"] == 1


# -- kind and level --------------------------------------------------------------------------------


def test_another_kind_waits_for_somebody_else_and_a_complaint_does_not(staff, judge, at):
    asking = do(staff, at, "retype", intake_type="enquiry", reason="只询问净值")
    assert asking.status_code == 200, asking.text
    (waits,) = asked(staff, at)
    assert (waits["what"], waits["to"]) == ("intake_type", "enquiry")
    assert staff.get(at).json()["intake_type"] == "complaint"
    assert code(do(staff, at, "retype", intake_type="report", reason="举报")) == (409, "conflict")
    assert do(judge, at, "retype/grant").status_code == 200
    assert staff.get(at).json()["intake_type"] == "enquiry"
    assert code(do(judge, at, "retype/grant")) == (409, "conflict")
    back = do(staff, at, "retype", intake_type="complaint", reason="另有不满")
    assert (back.status_code, asked(staff, at)) == (200, [])
    assert staff.get(at).json()["intake_type"] == "complaint"


def test_a_request_is_refused_with_words_or_taken_back_by_its_asker(
    staff, judge, at, api, make_actor
):
    do(staff, at, "retype", intake_type="enquiry", reason="只询问净值")
    assert fields(do(judge, at, "retype/refuse")) == (422, ["reason"])
    assert do(judge, at, "retype/refuse", reason="确有不满").status_code == 200
    assert asked(staff, at) == []
    do(staff, at, "retype", intake_type="enquiry", reason="再次核对")
    colleague = api(make_actor("complaint_officer", name="同事"))
    assert code(do(colleague, at, "retype/withdraw")) == (403, "refused")
    assert do(staff, at, "retype/withdraw").status_code == 200
    assert asked(staff, at) == []


def test_a_grave_case_is_lowered_by_two(staff, judge, at, put):
    put(severity="S3", category="C1")
    assert fields(do(staff, at, "lower", severity="S4", reason="轻微")) == (422, ["severity"])
    assert fields(do(staff, at, "lower", severity="S1")) == (422, ["reason"])
    assert do(staff, at, "lower", severity="S1", reason="金额很小").status_code == 200
    (waits,) = asked(judge, at)
    assert (waits["what"], waits["to"]) == ("severity", "S1")
    assert do(judge, at, "retype/grant").status_code == 200
    assert judge.get(at).json()["severity"] == "S1"


def test_whoever_handles_the_case_agrees_to_nothing_in_it(staff, at, judge, api, make_actor):
    insider = make_actor("approver", name="办过的人")
    program = api(insider)
    given = do(staff, at, "assign", part="assistant", account_id=str(insider.id))
    assert given.status_code == 200, given.text
    do(staff, at, "retype", intake_type="enquiry", reason="只询问净值")
    assert code(do(program, at, "retype/grant")) == (403, "second_person_required")
    assert code(do(program, at, "retype/refuse", reason="不")) == (403, "second_person_required")
    assert asked(judge, at) != []


# -- more time -------------------------------------------------------------------------------------


@pytest.fixture
def handled(put, actor):
    """The case is accepted and under investigation."""
    put(stage="investigation", category="C1", severity="S2", owner_id=actor.id)


@pytest.mark.usefixtures("handled")
def test_more_time_is_asked_for_granted_by_another_and_told_in_its_unit(staff, judge, at):
    before = staff.get(f"{at}/extension").json()
    assert (before["unit"], before["asked"], before["refused"]) == ("calendar_day", None, "")
    too_much = do(staff, at, "extension", days=before["most"] + 1, reason=WHY)
    assert fields(too_much) == (422, ["days"])
    assert fields(do(staff, at, "extension", days=3)) == (422, ["reason"])
    assert do(staff, at, "extension", days=3, reason=WHY).status_code == 200
    waits = staff.get(f"{at}/extension").json()["asked"]
    assert (waits["what"], waits["days"], waits["reason"]) == ("extension", 3, WHY)
    assert asked(judge, at) == [waits]
    assert do(judge, at, "extension/grant").status_code == 200
    after = staff.get(f"{at}/extension").json()
    assert (after["asked"], after["most"]) == (None, None)
    assert after["refused"]
    assert code(do(staff, at, "extension", days=3, reason=WHY)) == (409, "conflict")


@pytest.mark.usefixtures("handled")
def test_more_time_is_refused_or_taken_back(staff, judge, at):
    do(staff, at, "extension", days=3, reason=WHY)
    assert code(do(staff, at, "extension", days=2, reason=WHY)) == (409, "conflict")
    assert fields(do(judge, at, "extension/refuse")) == (422, ["reason"])
    assert do(judge, at, "extension/refuse", reason="材料已齐").status_code == 200
    do(staff, at, "extension", days=3, reason=WHY)
    assert do(staff, at, "extension/withdraw").status_code == 200
    assert staff.get(f"{at}/extension").json()["asked"] is None


# -- what waits for a judge ------------------------------------------------------------------------


def waiting(client, what, **more):
    query = "&".join(f"{name}={value}" for name, value in {"what": what, **more}.items())
    return client.get(f"/api/v1/t/qinghe/approvals?{query}")


@pytest.mark.usefixtures("handled", "master")
def test_a_judge_finds_what_waits_and_an_officer_no_such_list(staff, judge, at, filed):
    unknown = staff.get("/api/v1/t/qinghe/cases/TS-2026-9999").content
    kinds = ("plan", "answer", "kind", "extension", "ending", "archive")
    assert [waiting(judge, what).json() for what in kinds] == [{"cases": [], "next": None}] * 6
    do(staff, at, "extension", days=3, reason=WHY)
    do(staff, at, "retype", intake_type="enquiry", reason=WHY)
    do(staff, at, "merge", master="TS-2026-0002", reason=WHY)
    for what in ("extension", "kind", "ending"):
        (case,) = waiting(judge, what).json()["cases"]
        assert (case["number"], case["complainant"]) == (filed["number"], "陈*国"), what
        refused = waiting(staff, what)
        assert (refused.status_code, refused.content) == (404, unknown)
    assert waiting(judge, "plan").json()["cases"] == []


def test_the_list_goes_on_where_it_ended(judge, engine, tenant, actor):
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        for n in range(51):
            filing = Filing(channel="phone", idem_key=str(n), story="没有到账", phone="13800006021")
            file_complaint(session, actor, filing)
        session.execute(update(Case).values(stage="archive"))
        session.commit()
    first = waiting(judge, "archive").json()
    rest = waiting(judge, "archive", after=first["next"].replace("+", "%2B")).json()
    numbers = [case["number"] for page in (first, rest) for case in page["cases"]]
    assert (len(first["cases"]), len(numbers), len(set(numbers))) == (50, 51, 51)
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [({"what": "all"}, "what"), ({"what": "plan", "after": "x"}, "after"),
     ({"what": "plan", "limit": 5}, "limit"), ({"what": ""}, "what")],
)  # fmt: skip
def test_a_list_asked_for_wrongly_says_where(judge, query, field):
    answer = waiting(judge, **query)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


# -- all of them -----------------------------------------------------------------------------------

ACTS = {
    "merge": {"master": "TS-2026-0002", "reason": WHY},
    "retype": {"intake_type": "enquiry", "reason": WHY},
    "retype/withdraw": {},
    "retype/grant": {},
    "retype/refuse": {"reason": WHY},
    "lower": {"severity": "S1", "reason": WHY},
    "extension": {"days": 3, "reason": WHY},
    "extension/grant": {},
    "extension/refuse": {"reason": WHY},
    "extension/withdraw": {},
}


@pytest.mark.parametrize("path", ACTS)
@pytest.mark.usefixtures("master")
def test_a_token_without_the_scope_finds_no_such_act(path, api, actor, make_actor, at):
    unknown = api(actor).get("/api/v1/t/qinghe/cases/TS-2026-9999")
    for person in (actor, make_actor("approver")):
        answer = api(person, "case.read").ask("POST", f"{at}/{path}", json={**ACTS[path], "rev": 1})
        assert (answer.status_code, answer.content) == (404, unknown.content)


@pytest.mark.parametrize("path", ACTS)
def test_a_number_that_is_not_there_is_that_whatever_is_sent(path, staff, judge, engine, tenant):
    before = count(engine, tenant, LedgerEntry)
    there = f"/api/v1/t/qinghe/cases/TS-2026-9999/{path}"
    for client in (staff, judge):
        bodies = [{}, {**ACTS[path], "rev": 1}, {"rev": "x", "more": []}]
        answers = [client.ask("POST", there, json=body) for body in bodies]
        assert {a.status_code for a in answers} == {404}
    assert count(engine, tenant, LedgerEntry) == before


def test_each_act_leaves_a_line_and_an_entry_in_the_ledger(staff, judge, at, engine, tenant):
    do(staff, at, "retype", intake_type="enquiry", reason=WHY)
    do(judge, at, "retype/refuse", reason="确有不满")
    with tenant_session(engine, tenant.id) as session:
        kinds = session.scalars(select(LedgerEntry.kind)).all()
        lines = session.scalars(select(Entry.verb).order_by(Entry.seq)).all()
    assert {"case.ask_retype", "case.refuse_retype"} <= set(kinds)
    assert lines[-2:] == ["ask_retype", "refuse_retype"]


@pytest.mark.parametrize("path", ["merge", "retype", "extension"])
@pytest.mark.usefixtures("handled", "master", "judge")
def test_ten_at_once_ask_once(path, staff, at):
    body = {**ACTS[path], "rev": staff.get(at).json()["rev"]}
    with staff.http, ThreadPoolExecutor(10) as threads:
        send = threads.map(lambda _: staff.ask("POST", f"{at}/{path}", json=body), range(10))
        found = sorted(answer.status_code for answer in send)
    assert found == [200, *[409] * 9]
    assert len(asked(staff, at)) == 1
    assert staff.get(at).json()["rev"] == body["rev"] + 1


@pytest.mark.usefixtures("handled")
def test_of_a_grant_and_a_refusal_at_once_one_is_done(staff, judge, at):
    do(staff, at, "extension", days=3, reason=WHY)
    rev = judge.get(at).json()["rev"]
    acts = {"grant": {"rev": rev}, "refuse": {"rev": rev, "reason": "材料已齐"}}
    with judge.http, ThreadPoolExecutor(2) as threads:
        send = threads.map(lambda a: judge.ask("POST", f"{at}/extension/{a}", json=acts[a]), acts)
        found = sorted(answer.status_code for answer in send)
    assert found == [200, 409]
    assert asked(staff, at) == []
