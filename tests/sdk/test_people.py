"""Where a plugin's mails to members go, and who must not judge."""

from sqlalchemy import select, update

from huiyin.cases.models import Case
from huiyin.cases.stages import Part
from huiyin.identity.models import Account, Membership
from huiyin.sdk import barred_from_judging, barred_from_judging_any, mail_address, uuid7
from huiyin.testing import factories
from huiyin.testing.history import closed_case


def test_a_member_has_an_address_and_one_who_left_or_is_elsewhere_has_none(
    session, actor, engine, make_tenant
):
    stranger = factories.make_actor(engine, make_tenant("yuancen"), "investigator")
    assert mail_address(session, actor.id) == session.get_one(Account, actor.id).email
    assert mail_address(session, stranger.id) == ""
    assert mail_address(session, uuid7()) == ""
    session.execute(update(Membership).values(active=False))
    assert mail_address(session, actor.id) == ""


def test_whoever_handled_one_of_many_cases_is_barred_from_all_of_them(session, make_actor):
    owners = [make_actor("investigator") for _ in range(3)]
    first, second, _ = (closed_case(session, people={Part.OWNER: who}) for who in owners)
    wanted = select(Case.id).where(Case.id.in_([first.id, second.id]))
    each = barred_from_judging(session, first) | barred_from_judging(session, second)
    assert barred_from_judging_any(session, wanted) == each
    assert {owners[0].id, owners[1].id} <= each
    assert owners[2].id not in each
