"""Where a plugin's mails to members go."""

from sqlalchemy import update

from huiyin.identity.models import Account, Membership
from huiyin.sdk import mail_address, uuid7
from huiyin.testing import factories


def test_a_member_has_an_address_and_one_who_left_or_is_elsewhere_has_none(
    session, actor, engine, make_tenant
):
    stranger = factories.make_actor(engine, make_tenant("yuancen"), "investigator")
    assert mail_address(session, actor.id) == session.get_one(Account, actor.id).email
    assert mail_address(session, stranger.id) == ""
    assert mail_address(session, uuid7()) == ""
    session.execute(update(Membership).values(active=False))
    assert mail_address(session, actor.id) == ""
