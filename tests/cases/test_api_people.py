"""Who takes part, who must keep away, and the complainant's name, as a program meets them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.ledger.models import LedgerEntry

from .given import BODY, count

WHY = "投诉人称由此人经办"


@pytest.fixture
def colleague(make_actor):
    return make_actor("investigator", name="陆一帆")


@pytest.fixture
def watch(api, make_actor):
    """A program of the supervision; with an approver besides, so that the case can be judged."""
    make_actor("approver", name="顾明远")
    return api(make_actor("supervisor", name="秦岚"))


@pytest.fixture
def name(staff, at):
    """``name(person)``: name somebody as the one complained about, at the version as it stands."""

    def do(person, act="subject", client=staff, **changes):
        body = {"rev": staff.get(at).json()["rev"], "account_id": str(person.id), "reason": WHY}
        return client.ask("POST", f"{at}/{act}", json={**body, **changes})

    return do


def parts(client, at):
    return {
        (held["name"], held["part"]): held for held in client.get(f"{at}/people").json()["parts"]
    }


def test_the_list_tells_who_holds_what_and_who_can_be_given_what(staff, at, colleague, actor):
    told = staff.get(f"{at}/people").json()
    members = {member["name"]: member for member in told["members"]}
    assert members["陆一帆"]["account_id"] == str(colleague.id)
    assert set(members["陆一帆"]["parts"]) == {"owner", "investigator", "assistant", "delegate"}
    body = {"rev": told["rev"], "part": "owner", "account_id": members["沈佳宁"]["account_id"]}
    assert staff.ask("POST", f"{at}/assign", json=body).status_code == 200
    held = parts(staff, at)["沈佳宁", "owner"]
    assert (held["account_id"], held["until"]) == (str(actor.id), None)


def test_a_token_that_gives_nobody_anything_sees_no_members(api, actor, at):
    told = api(actor, "case.read").get(f"{at}/people").json()
    assert told["members"] == []


def test_for_whoever_is_named_the_case_is_not_there_until_it_is_lifted(
    staff, watch, at, name, make_actor, api
):
    other = make_actor("complaint_officer", name="被投诉人")
    theirs = api(other)
    unknown = theirs.get("/api/v1/t/qinghe/cases/TS-2026-9999")
    assert theirs.get(at).status_code == 200
    assert name(other).status_code == 200
    body = {"rev": 2, "account_id": str(other.id), "reason": WHY}
    tried = [
        theirs.get(at),
        theirs.get(f"{at}/people"),
        theirs.get(f"{at}/extension"),
        theirs.ask("POST", f"{at}/reveal", json={"reason": "回电"}),
        theirs.ask("POST", f"{at}/subject", json=body),
        theirs.ask("POST", f"{at}/retype", json={"rev": 2, "intake_type": "report"}),
        theirs.ask("POST", f"{at}/merge", json={"rev": 2, "master": "TS-2026-0001"}),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown.content)}
    assert "被投诉人" not in {m["name"] for m in staff.get(f"{at}/people").json()["members"]}
    assert parts(watch, at)["被投诉人", "subject"]["until"] is None

    assert name(other, "subject/lift").status_code == 404  # an officer clears nobody
    assert name(other, "subject/lift", watch, reason="").json()["fields"].keys() == {"reason"}
    assert name(other, "subject/lift", watch).status_code == 200
    again = name(other, "subject/lift", watch)
    assert (again.status_code, list(again.json()["fields"])) == (422, ["account_id"])
    assert theirs.get(at).status_code == 200
    assert parts(watch, at)["被投诉人", "subject"]["until"]


def test_a_naming_is_judged_as_on_the_page(name, at, actor, colleague, tenant, staff):
    assert name(actor).status_code == 409  # not oneself
    assert list(name(tenant).json()["fields"]) == ["account_id"]  # nobody of the firm
    assert list(name(colleague, reason="").json()["fields"]) == ["reason"]
    stale = name(colleague, rev=99)
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert staff.get(at).json()["rev"] == 1


def revealed(engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        kinds = session.scalars(select(LedgerEntry.kind)).all()
    return kinds.count("case.reveal")


def test_a_complainant_is_shown_with_a_reason_and_each_time_is_recorded(
    staff, at, engine, tenant, filed
):
    shown = staff.ask("POST", f"{at}/reveal", json={"reason": "约定回电"})
    assert shown.json() == {
        "number": filed["number"],
        "known": True,
        "name": BODY["name"],
        "phone": BODY["phone"],
        "email": "",
        "investor_class": "",
        "risk_level": "",
    }
    assert shown.headers["Cache-Control"] == "no-store"
    staff.ask("POST", f"{at}/reveal", json={"reason": "再次回电"})
    assert revealed(engine, tenant) == 2
    newest = staff.get(at).json()["timeline"][0]
    assert (newest["verb"], newest["body"], newest["author"]) == ("reveal", "再次回电", "沈佳宁")
    for place in ("", "/people", "/letters", "/tasks"):
        told = staff.get(f"{at}{place}").text
        assert BODY["name"] not in told
        assert BODY["phone"] not in told


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " \u0000 "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "长" * 2001}, "reason"),
        ({"reason": "回电", "rev": 1}, "rev"),
    ],
)
def test_without_a_reason_nothing_is_shown_or_recorded(body, field, staff, at, engine, tenant):
    refused = staff.ask("POST", f"{at}/reveal", json=body)
    assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    assert BODY["phone"] not in refused.text
    assert revealed(engine, tenant) == 0


def test_nothing_is_shown_without_the_scope_or_of_another_firm(
    api, actor, at, engine, tenant, make_tenant, make_actor, filed
):
    before = count(engine, tenant, LedgerEntry)
    unknown = api(actor).get("/api/v1/t/qinghe/cases/TS-2026-9999").content
    scopeless = api(actor, "case.read", "case.note").ask(
        "POST", f"{at}/reveal", json={"reason": "回电"}
    )
    assert (scopeless.status_code, scopeless.content) == (404, unknown)
    other = make_tenant("wanlan", number_prefix="WL")
    stranger = api(make_actor("complaint_officer", of=other))
    theirs = stranger.ask(
        "POST", f"/api/v1/t/wanlan/cases/{filed['number']}/reveal", json={"reason": "回电"}
    )
    assert (theirs.status_code, theirs.content) == (404, unknown)
    assert count(engine, tenant, LedgerEntry) == before


def test_who_left_no_name_is_not_known(staff, at, filed):
    taken = {"story": "不愿留名，赎回款一直没有到账。", "anonymous": True}
    key = {"Idempotency-Key": "k-9"}
    made = staff.ask("POST", "/api/v1/t/qinghe/cases", json=taken, headers=key).json()
    there = at.replace(filed["number"], made["number"])
    shown = staff.ask("POST", f"{there}/reveal", json={"reason": "回电"}).json()
    assert (shown["known"], shown["name"], shown["phone"]) == (False, "", "")


def test_who_only_gives_tasks_sees_those_who_can_be_given_one(staff, api, make_actor, at):
    make_actor("tenant_admin", name="管理员甲")
    make_actor("executive_viewer", name="高管乙")
    investigator = make_actor("investigator", name="陆一帆")
    rev = staff.get(at).json()["rev"]
    given = {"rev": rev, "part": "investigator", "account_id": str(investigator.id)}
    assert staff.ask("POST", f"{at}/assign", json=given).status_code == 200
    everybody = {m["name"] for m in staff.get(f"{at}/people").json()["members"]}
    assert {"管理员甲", "高管乙"} <= everybody  # any of them may be the one complained about
    members = api(investigator).get(f"{at}/people").json()["members"]
    assert members
    assert all(member["parts"] for member in members)
    assert not {"管理员甲", "高管乙"} & {member["name"] for member in members}
