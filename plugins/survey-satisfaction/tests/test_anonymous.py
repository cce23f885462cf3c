"""Nothing that is kept joins an unsigned answer with the person who was asked."""

import logging
import re
import uuid

import pytest
from sqlalchemy import select, text

from huiyin_survey_satisfaction import counting, sheets, tasks, tokens
from huiyin_survey_satisfaction.models import Invitation, Response, Sheet, Spent

from .conftest import PUBLIC, words_of

MARK = "铁观音标记ZX81"
ANSWERS = tuple(f"plugin_survey_satisfaction__{t}" for t in ("sheet", "response", "answer"))
ASKED = "plugin_survey_satisfaction__invitation"
# Ids, seals and moments: what can tie one row to another.
_ATOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\\x[0-9a-f]{16,}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*"
)


def atoms(rows):
    found = set()
    for transaction, row in rows:
        found.add(f"xmin {transaction}")
        found |= set(_ATOM.findall(row))
    return found


def reach(dump, seeds, common):
    """Everything that can be got to from some rows by shared ids, seals, moments, transactions.

    What all rows of the survey share (the firm, the campaign, the version) leads nowhere.
    """
    known = atoms(seeds) - common
    while True:
        more = set()
        for rows in dump.values():
            for row in rows:
                held = atoms([row]) - common
                if held & known:
                    more |= held
        if more <= known:
            return known
        known |= more


def logged(caplog):
    """What the house itself logged; the browser of a test writes its own log."""
    ours = (r for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio")))
    return "\n".join(f"{record.name} {record.getMessage()}" for record in ours)


def common_of(campaign, tenant):
    return {str(tenant.id), str(campaign.id), str(campaign.version_id),
            str(campaign.questionnaire_id)}  # fmt: skip


@pytest.fixture
def answered(respondent, caplog):
    """One unsigned answer with a marker, and what was logged meanwhile."""

    def give(token, **given):
        with caplog.at_level(logging.DEBUG):
            done = respondent.answer(token, sign="anonymous", words=MARK, overall="1", **given)
        assert done.headers["location"] == f"{PUBLIC}/ballot/done"
        return logged(caplog)

    return give


def test_from_an_answer_just_given_no_path_leads_to_an_invitation(
    ask, invite, answered, all_rows, tenant
):
    campaign = ask(naming="choice")
    token, *_ = invite(campaign, 3)
    said = answered(token)
    dump = all_rows()
    common = common_of(campaign, tenant)
    theirs = [row for t in ANSWERS for row in dump[t]]
    assert any(MARK in row for _, row in theirs)
    assert not reach(dump, theirs, common) & (atoms(dump[ASKED]) - common)
    for secret in (token, MARK, "person0@investor.test"):
        assert secret not in said


def test_from_an_answer_counted_with_others_no_path_leads_to_an_invitation(
    ask, invite, respondents, all_rows, tenant, system, work, caplog
):
    campaign = ask(naming="anonymous")
    with caplog.at_level(logging.DEBUG):
        for token in invite(campaign, 6):
            respondents().answer(token, sign="anonymous", words=MARK, overall="1")
        tasks.tend(system, {})
        system.session.commit()
        work()
    dump = all_rows()
    assert len(dump["plugin_survey_satisfaction__response"]) == 6
    assert len(dump["plugin_survey_satisfaction__review"]) == 6
    assert dump["plugin_survey_satisfaction__spent"] == []
    common = common_of(campaign, tenant)
    theirs = [row for t in (*ANSWERS, "plugin_survey_satisfaction__review") for row in dump[t]]
    assert not reach(dump, theirs, common) & (atoms(dump[ASKED]) - common)
    assert all("turned_in" in row for _, row in dump[ASKED])
    assert MARK not in logged(caplog)


def test_the_marker_and_the_address_never_stand_in_one_row_nor_anywhere_else(
    ask, invite, answered, all_rows
):
    campaign = ask()
    token, *_ = invite(campaign)
    answered(token)
    where = {
        word: {table for table, rows in all_rows().items() if any(word in row for _, row in rows)}
        for word in (MARK, "person0@investor.test", token)
    }
    assert where == {
        MARK: {"plugin_survey_satisfaction__sheet"},
        "person0@investor.test": {ASKED},
        token: set(),
    }


def test_the_search_finds_a_join_when_there_is_one(
    ask, invite, answered, all_rows, tenant, session
):
    campaign = ask()
    token, *_ = invite(campaign)
    answered(token)
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__sheet SET segment ="
            " (SELECT id::text FROM plugin_survey_satisfaction__invitation)"
        )
    )
    session.commit()
    dump, common = all_rows(), common_of(campaign, tenant)
    found = reach(dump, dump["plugin_survey_satisfaction__sheet"], common)
    assert found & (atoms(dump[ASKED]) - common)


def test_a_batch_is_counted_in_another_order_with_random_ids_and_one_day(
    ask, invite, respondents, system, session, monkeypatch
):
    campaign = ask(naming="anonymous")
    given = [str(1 + n % 5) for n in range(6)]
    for token, overall in zip(invite(campaign, 6), given, strict=True):
        respondents().answer(token, sign="anonymous", overall=overall)

    order = []

    class Turned:
        @staticmethod
        def shuffle(items):
            order.extend(sheet.answers["overall"] for sheet in items)
            items.reverse()

    monkeypatch.setattr(counting, "_SHUFFLE", Turned)
    assert counting.count_unsigned(system, campaign) == 6
    session.commit()
    rows = session.execute(
        text("SELECT id, score FROM plugin_survey_satisfaction__response ORDER BY ctid")
    ).all()
    assert [int(score / 25) + 1 for _, score in rows] == [int(o) for o in reversed(order)]
    assert {row.id.version for row in rows} == {4}
    assert len(set(session.scalars(select(Response.on_day)).all())) == 1
    assert session.scalars(select(Sheet.answers)).all() == [{}] * 6


def test_fewer_than_a_batch_wait_and_are_not_lost_at_the_end(
    ask, invite, respondents, system, ctx, session, work, on
):
    from huiyin_survey_satisfaction import campaigns  # noqa: PLC0415

    campaign = ask(naming="anonymous")
    for token in invite(campaign, 4):
        respondents().answer(token, sign="anonymous")
    tasks.tend(system, {})
    session.commit()
    assert session.scalars(select(Response)).all() == []
    assert counting.waiting(system, campaign.id) == 4
    campaigns.end(ctx, campaign.id)
    session.commit()
    work()
    assert len(session.scalars(select(Response)).all()) == 4
    session.expire_all()
    assert session.scalars(select(Spent)).all() == []
    assert set(session.scalars(select(Invitation.state)).all()) == {"sent"}, "too few to mark"


def test_a_counted_ballot_cannot_be_handed_in_again(ask, invite, respondents, system, session):
    campaign = ask(naming="anonymous")
    people = [respondents() for _ in range(5)]
    for person, token in zip(people, invite(campaign, 5), strict=True):
        person.answer(token, sign="anonymous")
    kept = [dict(p.browser.http.cookies) for p in people]
    counting.count_unsigned(system, campaign)
    session.commit()
    for person, cookies in zip(people, kept, strict=True):
        person.browser.http.cookies.update(cookies)
        again = person.post("ballot/1", overall="1")
        assert again.headers["location"] == f"{PUBLIC}/ballot/done"
    assert counting.count_unsigned(system, campaign, final=True) == 0
    assert len(session.scalars(select(Response)).all()) == 5


def test_a_token_is_turned_in_once(ask, invite, respondents, session):
    campaign = ask(naming="anonymous")
    (token,) = invite(campaign)
    first, second = respondents(), respondents()
    first.begin(token, "anonymous")
    assert second.get(token).status_code == 410
    assert second.post(f"{token}/begin", sign="anonymous").status_code == 410
    assert "原来的设备" in words_of(second.get(token))
    assert len(session.scalars(select(Spent)).all()) == 1


def test_an_unsigned_answer_goes_on_in_the_same_browser_only(ask, invite, respondents):
    campaign = ask(naming="anonymous")
    (token,) = invite(campaign)
    mine, other = respondents(), respondents()
    mine.begin(token, "anonymous")
    mine.post("ballot/1", overall="2")
    assert 'value="2" checked' in mine.get("ballot/1").text
    assert other.get("ballot/1").status_code == 410


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "aGVsbG8.00", "é.é"])
def test_a_ballot_that_is_not_ours_is_none(cookie, tenant):
    assert tokens.unpacked(tenant.id, cookie) is None


def test_a_ballot_of_another_firm_is_none(tenant):
    from huiyin.sdk import today  # noqa: PLC0415

    ballot = tokens.new_ballot(uuid.uuid4(), uuid.uuid4(), "稳进|三号", "zh", today())
    packed = tokens.packed(tenant.id, ballot)
    assert tokens.unpacked(tenant.id, packed) == ballot
    assert tokens.unpacked(uuid.uuid4(), packed) is None


def test_a_small_group_is_not_named_on_a_ballot(ask, invite, system, on):
    campaign = ask(naming="anonymous")
    small, *_ = invite(campaign, sheets.CROWD - 1, segment="稳进一号", prefix="a")
    large, *_ = invite(campaign, sheets.CROWD, segment="稳进二号", prefix="b")
    named = [
        sheets.turn_in(system, sheets.by_token(system, t), "zh").segment for t in (small, large)
    ]
    assert named == ["", "稳进二号"]


def test_the_database_refuses_an_unsigned_response_with_an_invitation(ask, invite, session, tenant):
    campaign = ask()
    invite(campaign)
    one = session.scalars(select(Invitation)).one()
    with pytest.raises(Exception, match="unsigned_is_unsigned"):
        session.execute(
            text(
                "INSERT INTO plugin_survey_satisfaction__response (tenant_id, id, campaign_id,"
                " version_id, signed, invitation_id, on_day, segment, low) VALUES (:t, :id, :c,"
                " :v, false, :i, current_date, '', false)"
            ),
            {"t": tenant.id, "id": uuid.uuid4(), "c": campaign.id, "v": campaign.version_id,
             "i": one.id},
        )  # fmt: skip
