"""What the public pages of plugins are lent."""

from datetime import timedelta

import pytest

from huiyin import sdk
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.kit.errors import BadOrigin
from huiyin.kit.time import local_date
from huiyin.sdk import check_form_token, dates_if_filed, form_token, sealed, told_dates


def test_every_name_a_plugin_may_import_is_there():
    for name in sdk.__all__:
        assert getattr(sdk, name) is not None


def test_a_seal_belongs_to_one_purpose_and_one_secret():
    seals = {sealed("a", "x"), sealed("b", "x"), sealed("a", "y")}
    assert len(seals) == 3
    assert sealed("a", "x") in seals
    assert {len(seal) for seal in seals} == {32}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"_csrf": ""},
        {"_csrf": None},
        {"_csrf": "0" * 64},
    ],
)
def test_a_form_without_the_token_of_its_session_is_refused(data):
    with pytest.raises(BadOrigin):
        check_form_token("a", b"s" * 32, data)


def test_a_form_token_is_bound_to_purpose_and_session():
    check_form_token("a", b"s" * 32, {"_csrf": form_token("a", b"s" * 32)})
    for purpose, session in (("b", b"s" * 32), ("a", b"t" * 32)):
        with pytest.raises(BadOrigin):
            check_form_token("a", b"s" * 32, {"_csrf": form_token(purpose, session)})


def test_what_is_told_before_filing_is_what_is_told_after(session, actor):
    filing = Filing(channel="web", idem_key="k", story="赎回款没有到账", phone="13800006021")
    case = session.get_one(Case, (session.tenant, file_complaint(session, actor, filing).case_id))
    assert told_dates(session, case) == dates_if_filed(case.received_at)


def test_dates_come_the_nearest_first_and_only_those_the_complainant_hears(session, actor):
    told = dates_if_filed()
    assert [d.on for d in told] == sorted(d.on for d in told)
    assert [d.kind for d in told] == ["acknowledge", "accept", "reply"]
    assert all(d.running for d in told)


def test_dates_move_with_the_moment_of_filing():
    later = dates_if_filed(sdk.now() + timedelta(days=30))
    assert later[0].since == local_date(sdk.now() + timedelta(days=30))
    assert later[0].on > dates_if_filed()[-1].on
