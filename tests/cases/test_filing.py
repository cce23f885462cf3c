"""A complaint counts from the day it came, not from the day somebody wrote it down."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from huiyin.app.reconcile import unmatched
from huiyin.cases import filing
from huiyin.cases.change import find
from huiyin.cases.errors import KeyReused
from huiyin.cases.filing import Filing, file_complaint, taken_down
from huiyin.cases.models import Case, Entry
from huiyin.cases.schemas import RegisterForm
from huiyin.cases.stages import Source
from huiyin.clocks.models import ClockRow
from huiyin.db import tenant_session
from huiyin.kit import keys
from huiyin.kit.errors import Invalid
from huiyin.kit.time import SHANGHAI, at_local, clock_at, local, local_date, now, today
from huiyin.letters.facts import facts_of
from huiyin.letters.templates import compose
from huiyin.letters.wording import LetterKind

keys.configure(b"thirty-two bytes for tests, only.")
STORY = "信里说二月初申请赎回，至今没有到账。"
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)


def register(session, actor, key="1", **given):
    form = RegisterForm(channel="letter", story=STORY, phone="13800006021", **given)
    filed = file_complaint(session, actor, taken_down(form, key))
    session.commit()
    return find(session, actor, filed.number)


def test_the_clocks_of_a_letter_run_from_the_day_it_came(session, actor):
    came = MONDAY - timedelta(days=10)
    with clock_at(MONDAY):
        case = register(session, actor, received_at=came)
    reply = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    assert (case.received_at, case.registered_at) == (came, MONDAY)
    assert reply.started_at == came
    assert reply.due_on < local_date(MONDAY) + timedelta(days=14)


def test_without_a_day_it_came_now(session, actor):
    with clock_at(MONDAY):
        case = register(session, actor)
    assert case.received_at == case.registered_at == MONDAY


def test_nothing_comes_tomorrow_and_nothing_in_the_year_206(session, actor):
    for wrong in (now() + timedelta(minutes=5), datetime(206, 3, 2, tzinfo=SHANGHAI)):
        with pytest.raises(Invalid) as caught:
            register(session, actor, received_at=wrong)
        assert set(caught.value.fields) == {"received_at"}


def test_what_came_over_thirty_days_ago_needs_a_reason_that_is_kept(session, actor):
    with clock_at(MONDAY):
        register(session, actor, "30", received_at=MONDAY - timedelta(days=30))
        with pytest.raises(Invalid) as caught:
            register(session, actor, "31", received_at=MONDAY - timedelta(days=31))
        assert set(caught.value.fields) == {"late_reason"}
        case = register(
            session,
            actor,
            "31",
            received_at=MONDAY - timedelta(days=31),
            late_reason="信函压在前台",
        )
    line = session.scalars(select(Entry).where(Entry.case_id == case.id)).one()
    assert (line.body, line.data["late_reason"]) == ("", "信函压在前台")  # nothing for outside
    assert unmatched(session) == 0


def test_a_letter_names_both_days_where_they_differ(session, actor):
    with clock_at(MONDAY):
        late = register(session, actor, "late", received_at=MONDAY - timedelta(days=3))
        same = register(session, actor, "same")

    def rows(case):
        facts = facts_of(
            session, case, LetterKind.ACKNOWLEDGEMENT, {}, number="1", dated=local_date(MONDAY)
        )
        return dict(compose(LetterKind.ACKNOWLEDGEMENT, facts).facts)

    assert rows(late)["收到日期"] == "2026 年 2 月 27 日"
    assert rows(late)["登记日期"] == "2026 年 3 月 2 日"
    assert "登记日期" not in rows(same)


def test_the_page_takes_the_day_as_a_browser_sends_it_and_shows_both(web, actor, engine, tenant):
    person, came = web(actor), local(now() - timedelta(days=2))
    fields = {
        "channel": "letter",
        "story": STORY,
        "phone": "13800006021",
        "received_at": f"{came:%Y-%m-%dT%H:%M}",
        "_key": "k",
    }
    wrong = person.post("/t/qinghe/w/cases/new", {**fields, "received_at": "2999-01-01T09:00"})
    assert wrong.status_code == 422
    assert "收到时间不能晚于现在" in wrong.text
    assert 'value="2999-01-01T09:00"' in wrong.text
    answer = person.post("/t/qinghe/w/cases/new", fields)
    assert answer.status_code == 303
    with tenant_session(engine, tenant.id) as own:
        case = own.scalars(select(Case)).one()
    assert case.received_at == came.replace(second=0, microsecond=0)
    page = person.get(answer.headers["location"]).text
    assert re.search(r"收到 · [^<]* 登记", page)


def test_a_program_names_the_moment_with_its_zone_or_in_shanghais(api, actor, engine, tenant):
    program = api(actor)
    day = local_date(now()) - timedelta(days=4)
    for key, sent in (
        ("a", f"{day}T09:30:00+08:00"),
        ("b", f"{day}T09:30"),
        ("c", f"{day}T01:30Z"),
    ):
        body = {"story": STORY, "phone": "13800006021", "received_at": sent}
        answer = program.ask(
            "POST", "/api/v1/t/qinghe/cases", json=body, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 201, answer.text
        told = program.get(f"/api/v1/t/qinghe/cases/{answer.json()['number']}").json()
        assert datetime.fromisoformat(told["received_at"]) == at_local(day, 9, 30)
        assert datetime.fromisoformat(told["registered_at"]) > at_local(day, 9, 30)
    with tenant_session(engine, tenant.id) as own:
        assert set(own.scalars(select(Case.received_at))) == {at_local(day, 9, 30)}


@pytest.mark.parametrize("sent", ["yesterday", "2026-03-18", 20260318, "2026-13-40T09:30"])
def test_a_moment_that_is_none_is_told_at_its_field(api, actor, sent):
    answer = api(actor).ask(
        "POST",
        "/api/v1/t/qinghe/cases",
        json={"story": STORY, "phone": "13800006021", "received_at": sent},
        headers={"Idempotency-Key": "k"},
    )
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"received_at"})


def test_a_number_is_of_the_year_whose_counter_gave_it(session, actor, monkeypatch):
    """Midnight passes between the counter and the number."""
    counted, midnight = filing._next_number, at_local(date(2027, 1, 1))

    def before_midnight(*args):
        with clock_at(midnight - timedelta(seconds=1)):
            return counted(*args)

    def filed(key):
        given = Filing(channel="web", idem_key=key, story=STORY, phone="13800006021")
        number = file_complaint(session, actor, given).number
        session.commit()
        return number[-9:]

    with clock_at(midnight), monkeypatch.context() as patch:
        patch.setattr(filing, "_next_number", before_midnight)
        last = filed("eve")
    with clock_at(at_local(date(2027, 1, 4), 10, 0)):
        assert (last, filed("a"), filed("b")) == ("2026-0001", "2027-0001", "2027-0002")


# -- a key outlives the year -----------------------------------------------------------------------


def test_a_key_of_new_years_eve_gives_its_receipt_on_new_years_day(session, actor):
    filing = Filing(channel="web", idem_key="k", story=STORY, phone="13800006021")
    eve = local_date(now()).replace(month=12, day=31)
    with clock_at(at_local(eve, 23, 59)):
        first = file_complaint(session, actor, filing)
        session.commit()
    with clock_at(at_local(eve + timedelta(days=1), 0, 1)):
        again = file_complaint(session, actor, filing)
        session.commit()
        other = Filing(channel="web", idem_key="k", story=f"{STORY}！", phone="13800006021")
        with pytest.raises(KeyReused):
            file_complaint(session, actor, other)
        fresh = Filing(channel="web", idem_key="new", story=STORY, phone="13800006021")
        next_one = file_complaint(session, actor, fresh)
        session.commit()
    assert (again.number, again.code, again.fresh) == (first.number, first.code, False)
    assert next_one.number.endswith("-0001")
    assert session.scalar(select(func.count()).select_from(Case)) == 2


@pytest.mark.parametrize("days", [-1, 3 * 366 + 1])
def test_the_date_of_a_letter_lies_within_three_years_of_its_coming(session, actor, days):
    due = today() + timedelta(days=days)
    with pytest.raises(Invalid) as caught:
        register(session, actor, source=Source.CSRC, transfer_due=due)
    assert set(caught.value.fields) == {"transfer_due"}


@pytest.mark.parametrize("days", [0, 15, 3 * 365])
def test_an_earlier_or_later_date_of_a_letter_is_taken(session, actor, days):
    due = today() + timedelta(days=days)
    assert register(session, actor, source=Source.CSRC, transfer_due=due)


@pytest.mark.parametrize("due", ["0001-01-01", "9999-12-31"])
def test_the_page_tells_a_mistyped_date_at_its_field(web, actor, due):
    sent = {"story": "转来的投诉，共两页材料", "phone": "13800000000", "source": "csrc"}
    answer = web(actor).post("/t/qinghe/w/cases/new", {**sent, "transfer_due": due})
    assert answer.status_code == 422
    assert "期限应在收到之后三年以内" in answer.text
