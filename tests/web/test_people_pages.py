"""Members, a person's own settings, the firm's facts, and the library of rules."""
# long: four pages of one person, with one set of browsers

import re

import pytest
from sqlalchemy import func, select

from huiyin.cases.gates import GATES
from huiyin.cases.verbs import VERBS
from huiyin.clocks.service import calendar, policy
from huiyin.db import platform_session, tenant_session
from huiyin.identity.models import Account, ApiToken, Membership
from huiyin.identity.policy import Role, table
from huiyin.identity.service import find_account
from huiyin.identity.sessions import list_sessions
from huiyin.ledger.models import LedgerEntry
from huiyin.policies.catalogue import categories, causes, outside_routes
from huiyin.tenancy.models import Tenant
from huiyin.testing.factories import PASSWORD, make_account
from huiyin.testing.web import program

PEOPLE = "/t/qinghe/admin/people"
SETTINGS = "/t/qinghe/w/settings"
LIBRARY = "/t/qinghe/w/library"
NEW = {"email": "ning@qinghe.test", "name": "沈佳宁", "department": "客服部"}


@pytest.fixture
def web_plugins():
    """The core alone."""
    return ()


@pytest.fixture
def chief(make_actor):
    return make_actor("tenant_admin", name="林之航")


@pytest.fixture
def admin(web, chief):
    return web(chief)


@pytest.fixture
def entries(inside):
    """What the ledger says, newest last: kind and document."""

    def read(kind=""):
        with inside() as session:
            rows = session.execute(
                select(LedgerEntry.kind, LedgerEntry.doc).order_by(LedgerEntry.seq)
            )
            return [(row.kind, bytes(row.doc).decode()) for row in rows if kind in row.kind]

    return read


@pytest.fixture
def inside(engine, tenant):
    """``with inside() as session``: a session behind the firm's wall."""
    return lambda: tenant_session(engine, tenant.id)


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def roles_of(inside, account_id):
    with inside() as session:
        row = session.scalars(select(Membership).where(Membership.account_id == account_id)).one()
        return set(row.roles), row.active


# -- members --


def test_only_the_administrator_sees_the_members(web, make_actor, admin):
    assert admin.get(PEOPLE).status_code == 200
    for role in ("complaint_officer", "approver", "supervisor", "executive_viewer"):
        assert web(make_actor(role)).get(PEOPLE).status_code == 404


def test_the_list_is_paged_by_key(admin, make_actor):
    for n in range(55):
        make_actor("complaint_officer", name=f"成员 {n:02}")
    first = admin.get(PEOPLE)
    more = re.search(r'href="(\?after=[^"]+)"', first.text)[1]
    second = admin.get(f"{PEOPLE}{more}")
    listed = [set(re.findall(r"成员 \d\d", page.text)) for page in (first, second)]
    assert not listed[0] & listed[1]
    assert len(listed[0] | listed[1]) == 55


@pytest.mark.parametrize("after", ["x", "019a0000-0000-7000-8000-000000000000"])
def test_a_made_up_key_is_no_fault(admin, after):
    assert admin.get(f"{PEOPLE}?after={after}").status_code == 200


def test_a_person_without_an_account_gets_one_and_a_link_for_the_password(
    admin, engine, entries, inside
):
    page = admin.post(f"{PEOPLE}/new", {**NEW, "roles": ["executive_viewer", "investigator"]})
    assert page.status_code == 200
    link = re.search(r'id="initial" readonly value="([^"]+)"', page.text)[1]
    assert re.search(r"/t/qinghe/welcome/[\w-]{43}$", link)
    assert page.headers["cache-control"] == "no-store"
    assert link not in admin.get(PEOPLE).text
    with platform_session(engine) as session:
        account = find_account(session, NEW["email"])
    assert roles_of(inside, account.id)[0] == {"executive_viewer", "investigator"}
    ((kind, doc),) = entries("member")
    assert kind == "member.added"
    assert str(account.id) in doc
    for personal in (NEW["email"], NEW["name"], link[-43:]):
        assert personal not in doc


def test_a_person_with_an_account_keeps_the_password_and_gives_no_name_away(admin, engine, inside):
    account = make_account(engine, name="真名不外露", email="known@elsewhere.test")
    done = admin.post(
        f"{PEOPLE}/new", {"email": "Known@Elsewhere.test", "name": "小周", "roles": "investigator"}
    )
    assert done.status_code == 303
    page = admin.get(PEOPLE)
    assert "小周" in page.text
    assert "真名不外露" not in page.text
    assert roles_of(inside, account.id) == ({"investigator"}, True)
    with platform_session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 2


def test_roles_that_are_held_apart_are_refused_with_the_sentence(admin, engine):
    page = admin.post(f"{PEOPLE}/new", {**NEW, "roles": ["complaint_officer", "approver"]})
    assert page.status_code == 422
    assert "「客服专员」与「审批人」不能由同一人兼任" in page.text
    assert 'value="ning@qinghe.test"' in page.text
    with platform_session(engine) as session:
        assert find_account(session, NEW["email"]) is None


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({**NEW, "email": "no address", "roles": "approver"}, "email"),
        ({**NEW, "name": "", "roles": "approver"}, "name"),
        (NEW, "roles"),
        ({**NEW, "roles": "platform_operator"}, "roles"),
        ({**NEW, "roles": "consultancy_adviser"}, "roles"),
        ({**NEW, "roles": "emperor"}, "roles"),
    ],
)
def test_what_is_wrong_with_a_new_member_stands_at_its_field(admin, fields, name):
    page = admin.post(f"{PEOPLE}/new", fields)
    assert page.status_code == 422
    assert f'id="f-{name}-e"' in page.text


def test_a_member_is_not_added_twice(admin):
    admin.post(f"{PEOPLE}/new", {**NEW, "roles": "investigator"})
    page = admin.post(f"{PEOPLE}/new", {**NEW, "roles": "executive_viewer"})
    assert page.status_code == 409
    assert "此人已是本机构成员" in page.text


def test_other_roles_are_given_and_entered(admin, make_actor, entries, web, inside):
    member = make_actor("executive_viewer", name="沈佳宁")
    at_work = web(member)
    done = admin.post(f"{PEOPLE}/{member.id}", {"roles": ["investigator"], "department": "调查部"})
    assert done.status_code == 303
    assert roles_of(inside, member.id)[0] == {"investigator"}
    ((kind, doc),) = entries("member")
    assert kind == "member.roles_changed"
    assert '"former":["executive_viewer"]' in doc
    assert "沈佳宁" not in doc
    # Whoever has other roles now logs in anew.
    assert at_work.get("/t/qinghe/w").status_code == 303


def test_another_department_alone_is_no_change_of_roles(admin, make_actor, entries):
    member = make_actor("complaint_officer")
    admin.post(f"{PEOPLE}/{member.id}", {"roles": "complaint_officer", "department": "新部门"})
    assert entries("member") == []


def test_nobody_changes_his_own_roles(admin, chief, inside):
    page = admin.get(f"{PEOPLE}/{chief.id}")
    assert "保存角色" not in page.text
    for path, fields in ((str(chief.id), {"roles": "approver"}), (f"{chief.id}/deactivate", {})):
        assert admin.post(f"{PEOPLE}/{path}", fields).status_code == 403
    assert roles_of(inside, chief.id) == ({"tenant_admin"}, True)


def test_the_last_approver_is_not_taken_away(admin, make_actor, inside):
    only = make_actor("approver")
    for path, fields in ((str(only.id), {"roles": "investigator"}), (f"{only.id}/deactivate", {})):
        page = admin.post(f"{PEOPLE}/{path}", fields)
        assert page.status_code == 409
        assert "本机构只剩这一位「审批人」" in page.text
    assert roles_of(inside, only.id) == ({"approver"}, True)


def test_a_membership_ends_and_stays_in_the_list_of_former_ones(admin, make_actor, entries, inside):
    member = make_actor("investigator", name="韩立")
    assert "经办记录与署名保留" in admin.get(f"{PEOPLE}/{member.id}/deactivate").text
    assert admin.post(f"{PEOPLE}/{member.id}/deactivate").status_code == 303
    assert roles_of(inside, member.id)[1] is False
    admin.get(PEOPLE)  # the sentence that he is gone is shown once
    assert "韩立" not in admin.get(PEOPLE).text
    assert "韩立" in admin.get(f"{PEOPLE}?former=1").text
    assert [kind for kind, _ in entries("member")] == ["member.deactivated"]
    assert admin.get(f"{PEOPLE}/{member.id}").status_code == 404


def test_another_firms_member_is_not_found(admin, make_actor, make_tenant, engine):
    elsewhere = make_actor("approver", of=make_tenant("other"))
    assert admin.get(f"{PEOPLE}/{elsewhere.id}").status_code == 404
    assert admin.post(f"{PEOPLE}/{elsewhere.id}", {"roles": "approver"}).status_code == 404


# -- one's own settings --


@pytest.mark.parametrize("tab", ["me", "security", "tokens", "firm", "nothing"])
@pytest.mark.parametrize("role", [r.value for r in Role if r.value not in {
    "consultancy_adviser", "platform_operator"}])  # fmt: skip
def test_everybody_has_settings_in_both_languages(web, make_actor, role, tab):
    browser = web(make_actor(role))
    assert browser.get(f"{SETTINGS}?tab={tab}").status_code == 200
    assert browser.get(f"{SETTINGS}?tab={tab}&lang=en").status_code == 200


def test_one_sees_what_one_may_do_by_its_title(web, make_actor):
    said = words(web(make_actor("approver")).get(SETTINGS))
    for entry in table().permissions.values():
        if Role.APPROVER in entry.roles:
            assert entry.title in said
    assert "受理与提请结束" not in said


def test_other_log_ins_are_ended_and_the_present_one_stays(web, actor, engine):
    here, there, third = web(actor), web(actor), web(actor)
    page = here.get(f"{SETTINGS}?tab=security")
    paths = re.findall(r'action="([^"]+/sessions/[^"]+)"', page.text)
    assert len(paths) == 2
    assert here.post(paths[0]).status_code == 303
    assert here.post(f"{SETTINGS}/sessions").status_code == 303
    assert here.get(SETTINGS).status_code == 200
    for gone in (there, third):
        assert gone.get(SETTINGS).status_code == 303
    with platform_session(engine) as session:
        assert len(list_sessions(session, actor.id)) == 1


def test_nobody_ends_anothers_log_in(web, actor, make_actor, engine):
    other = make_actor("approver")
    web(other)
    with platform_session(engine) as session:
        (row,) = list_sessions(session, other.id)
    assert web(actor).post(f"{SETTINGS}/sessions/{row.id}").status_code == 404


FRESH = "a new and longer phrase"


def test_the_password_is_changed_and_other_log_ins_end(web, actor, public, engine):
    here, there = web(actor), web(actor)
    done = here.post(f"{SETTINGS}/password", {"current": PASSWORD, "new": FRESH, "again": FRESH})
    assert done.status_code == 303
    assert there.get(SETTINGS).status_code == 303
    assert here.get(SETTINGS).status_code == 200
    with platform_session(engine) as session:
        email = session.get_one(Account, actor.id).email
    tried = {"login": email, "next": ""}
    assert public.post("/login", {**tried, "password": PASSWORD}).status_code == 422
    assert public.post("/login", {**tried, "password": FRESH}).status_code == 303


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"current": "wrong", "new": FRESH, "again": FRESH}, "current"),
        ({"current": "", "new": FRESH, "again": FRESH}, "current"),
        ({"current": PASSWORD, "new": FRESH, "again": "other"}, "again"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "new"),
    ],
)
def test_a_password_that_will_not_do_is_refused_and_never_comes_back(web, actor, fields, name):
    page = web(actor).post(f"{SETTINGS}/password", fields)
    assert page.status_code == 422
    assert f'id="f-{name}-e"' in page.text
    assert FRESH not in page.text
    assert PASSWORD not in page.text


def test_a_token_is_shown_once_works_within_its_scopes_and_is_revoked(web, actor, entries, inside):
    browser = web(actor)
    page = browser.post(
        f"{SETTINGS}/tokens", {"label": "热线对接", "scopes": ["case.read"], "days": "30"}
    )
    assert page.status_code == 200
    token = re.search(r"hy_[\w-]{43}", page.text)[0]
    listed = browser.get(f"{SETTINGS}?tab=tokens")
    assert token not in listed.text
    assert "热线对接" in listed.text
    with inside() as session:
        row = session.scalars(select(ApiToken)).one()
        assert row.scopes == ["case.read"]
    browser.post(f"{SETTINGS}/tokens/{row.id}")
    assert "已作废" in browser.get(f"{SETTINGS}?tab=tokens").text
    assert [kind for kind, _ in entries("token")] == ["token.created", "token.revoked"]
    assert "热线对接" not in "".join(doc for _, doc in entries("token"))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"label": "", "scopes": "case.read", "days": "30"}, "label"),
        ({"label": "x", "days": "30"}, "scopes"),
        ({"label": "x", "scopes": "admin.people", "days": "30"}, "scopes"),
        ({"label": "x", "scopes": "case.read", "days": "9999"}, "days"),
    ],
)
def test_a_token_is_never_wider_than_its_maker(web, actor, fields, name, inside):
    page = web(actor).post(f"{SETTINGS}/tokens", fields)
    assert page.status_code == 422
    assert f'href="#f-{name}"' in page.text
    with inside() as session:
        assert session.scalars(select(ApiToken)).all() == []


def test_a_token_of_another_is_not_revoked(web, actor, make_actor, place, inside):
    program(place, make_actor("approver"))
    with inside() as session:
        token = session.scalars(select(ApiToken)).one()
    assert web(actor).post(f"{SETTINGS}/tokens/{token.id}").status_code == 404


# -- the firm --

FIRM = "/t/qinghe/admin/firm"
FACTS = {"name": "青禾私募基金管理有限公司", "short_name": "青禾", "hotline": "400-820-1234"}


def test_the_firms_facts_are_changed_and_shown_at_once(admin, engine, tenant, entries):
    assert admin.get(FIRM).status_code == 200
    assert admin.post(FIRM, {**FACTS, "mailbox": "tousu@qinghe.test"}).status_code == 303
    assert "400-820-1234" in admin.get(f"{SETTINGS}?tab=firm").text
    with platform_session(engine) as session:
        row = session.get_one(Tenant, tenant.id)
        assert (row.short_name, row.slug) == ("青禾", "qinghe")
    ((_, doc),) = entries("firm")
    assert "400-820" not in doc
    assert '"hotline"' in doc


@pytest.mark.parametrize(
    ("fields", "name"),
    [({**FACTS, "name": ""}, "name"), ({**FACTS, "hotline": "call me"}, "hotline"),
     ({**FACTS, "mailbox": "nowhere"}, "mailbox"), ({**FACTS, "slug": "mine"}, "slug")],
)  # fmt: skip
def test_facts_that_cannot_be_are_refused(admin, fields, name):
    page = admin.post(FIRM, fields)
    assert page.status_code == 422
    assert f'href="#f-{name}"' in page.text


def test_only_the_administrator_changes_the_firm(web, actor):
    assert web(actor).get(FIRM).status_code == 404
    assert web(actor).post(FIRM, FACTS).status_code == 404


# -- the library --


@pytest.mark.parametrize("tab", ["clocks", "stages", "taxonomy", "people", "nothing"])
def test_the_library_opens_in_both_languages(web, actor, tab):
    for path in (f"{LIBRARY}?tab={tab}", f"{LIBRARY}?tab={tab}&lang=en"):
        assert web(actor).get(path).status_code == 200


def test_every_time_limit_stands_with_its_origin(web, actor):
    said = words(web(actor).get(f"{LIBRARY}?tab=clocks"))
    for rule in policy().rules:
        assert rule.title in said
        assert rule.origin.note in said
    assert str(calendar().trusted_until) in said
    assert calendar().id in said
    assert "待核实" in said
    # None of our numbers may pass for law.
    assert "· 法律法规" not in said


def test_every_gate_and_every_verb_is_in_the_library(web, actor):
    said = words(web(actor).get(f"{LIBRARY}?tab=stages"))
    exits = {gate.title for name, gate in GATES.items() if name != "summary_agreed"}
    assert not [title for title in exits if title not in said]
    assert not [v.name for v in VERBS.values() if v.title not in said and v.done not in said]


def test_every_category_cause_and_route_is_in_the_library(web, actor):
    said = words(web(actor).get(f"{LIBRARY}?tab=taxonomy"))
    for item in (*categories().values(), *causes().values(), *outside_routes()):
        assert item.title in said


def test_the_matrix_is_the_policy(web, actor):
    page = web(actor).get(f"{LIBRARY}?tab=people")
    rows = re.findall(r'<tr class="row">.*?</tr>', page.text, re.DOTALL)
    assert len(rows) == len(table().permissions)
    for row, entry in zip(rows, table().permissions.values(), strict=True):
        assert entry.title in row
        assert row.count("ok-t") == len(entry.roles)
