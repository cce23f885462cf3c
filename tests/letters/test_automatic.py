"""Letters that write themselves, and the letter about more time."""

import pytest
from sqlalchemy import func, select, update

from huiyin.cases import extensions
from huiyin.cases import service as cases
from huiyin.cases.change import find
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.models import Entry, Participation
from huiyin.cases.stages import IntakeType, Part, Stage
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import calendar
from huiyin.kit.errors import Conflict, Refused
from huiyin.letters import service, tasks
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.schemas import NoticeForm
from huiyin.queue.models import Job, OutboxEvent
from huiyin.queue.registry import JobView
from huiyin.sdk import told_dates


def kinds(found):
    return [letter.kind for letter in found]


def test_a_complaint_is_acknowledged_by_letter(session, actor, file, run, letters, firm):
    number = file()
    run()
    (letter,) = letters(number)
    assert (letter.kind, letter.state, letter.channel) == ("acknowledgement", "sent", "portal")
    assert letter.delivery_title() == "门户可查"
    case = find(session, actor, number)
    assert "acknowledged" in [event["kind"] for event in case.clock_events]
    accept = session.scalars(select(ClockRow).where(ClockRow.kind == "accept")).one()
    document = service.document_of(letter)
    assert document.facts[-1][1].replace(" ", "") == (
        f"{accept.due_on.year}年{accept.due_on.month}月{accept.due_on.day}日"
    )
    shown = session.scalars(
        select(Entry).where(Entry.verb == "acknowledge", Entry.audience == "complainant")
    ).one()
    assert shown.data["letter"] == str(letter.id)


def test_an_event_delivered_three_times_gives_one_letter(session, actor, file, run, letters, firm):
    number = file()
    run()
    for _ in range(2):
        session.execute(update(OutboxEvent).values(relayed_at=None))
        session.execute(update(Job).values(state="queued", attempts=0))
        session.commit()
        run()
    assert kinds(letters(number)) == ["acknowledgement"]


def test_the_letters_themselves_know_their_event(session, actor, file, run, letters):
    """Even if the queue forgot that it did the work."""
    number = file()
    run()
    event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "case.filed")).one()
    job = _view(session, event)
    assert tasks.write_automatic(session, job, tasks.LetterKind.ACKNOWLEDGEMENT, {}) is None
    assert session.scalar(select(func.count()).select_from(Letter)) == 1
    assert kinds(letters(number)) == ["acknowledgement"]


def _view(session, event):
    return JobView(
        event.id, session.tenant, "case.filed", "letters.acknowledgement", event.payload,
        event.object_id, event.id, 1, event.id,
    )  # fmt: skip


def test_acceptance_is_told_with_the_promised_date(session, actor, file, put, run, letters):
    number = file()
    run()
    put(number, Stage.INTAKE)
    cases.move(session, actor, number, "accept", rev=find(session, actor, number).version)
    session.commit()
    run()
    found = letters(number)
    assert kinds(found) == ["acknowledgement", "acceptance"]
    reply = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    shown = dict(service.document_of(found[1]).facts)["书面答复日期"]
    assert shown.replace(" ", "").startswith(f"{reply.due_on.year}年{reply.due_on.month}月")
    assert found[1].state == LetterState.SENT


@pytest.fixture
def decline(session, actor, approver):
    """Proposed by the officer, confirmed by an approver."""

    def end(number, reason):
        for person, verb, words in (
            (actor, "propose_decline", reason), (approver, "decline", ""),
        ):  # fmt: skip
            rev = find(session, person, number).version
            cases.move(session, person, number, verb, rev=rev, reason=words)

    return end


def test_a_refusal_is_told_with_its_reason(session, decline, file, put, run, letters):
    number = file()
    put(number, Stage.INTAKE)
    decline(number, "所涉产品不是我公司管理的基金。")
    session.commit()
    run()
    (letter,) = letters(number)
    assert (letter.kind, letter.state) == ("declined", LetterState.SENT)
    assert "所涉产品不是我公司管理的基金。" in str(letter.document)


def test_a_letter_the_gate_would_stop_waits_for_a_person(
    session, actor, decline, file, put, run, letters
):
    number = file()
    put(number, Stage.INTAKE)
    decline(number, "我公司保证本金安全，无须投诉。")
    session.commit()
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.DRAFT
    entry = session.scalars(select(Entry).where(Entry.verb == "draft_letter")).one()
    assert entry.data["held_back"] is True
    mended = NoticeForm(kind="declined", reasons="所涉产品不是我公司管理的基金。")
    same = service.draft_notice(session, actor, number, mended)
    session.commit()
    assert (same.id, same.number) == (letter.id, letter.number)
    rev = find(session, actor, number).version
    service.release(session, actor, number, same.id, same.fingerprint, rev=rev)


def test_the_complainants_own_words_do_not_hold_a_letter_back(file, run, letters):
    number = file(story="你们承诺保本保收益，现在亏了")
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.SENT
    assert "保本" not in str(letter.document)


def test_a_nameless_reader_is_addressed_decently(file, run, letters):
    number = file(anonymous=True, name="", phone="", email="")
    run()
    (letter,) = letters(number)
    assert letter.state == LetterState.SENT
    assert service.document_of(letter).salutation == "尊敬的投诉人："


def test_an_english_complaint_gets_an_english_letter(file, run, letters):
    number = file(language="en", name="Ann Lee", story="My redemption has not arrived")
    run()
    (letter,) = letters(number)
    document = service.document_of(letter)
    assert letter.state == LetterState.SENT
    assert document.firm_name == "Qinghe Asset Management"
    assert document.salutation == "Dear Ann Lee,"


def test_an_enquiry_is_acknowledged_without_a_letter(session, actor, file, run, letters):
    number = file(intake_type=IntakeType.ENQUIRY)
    run()
    assert letters(number) == []
    events = [event["kind"] for event in find(session, actor, number).clock_events]
    assert "acknowledged" in events


@pytest.fixture
def late(file, put):
    number = file()
    put(number, Stage.INVESTIGATION)
    return number


def test_an_extension_is_asked_granted_and_told(session, actor, approver, late, run, letters, rev):
    clock = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    counted_from = calendar().effective_start(clock.started_at).on
    before, total = clock.due_on, clock.amount + 10
    extensions.ask_extension(session, actor, late, 10, "须等待托管人提供划款记录。", rev=rev(late))
    session.commit()
    case = find(session, actor, late)
    assert extensions.asked(case)["days"] == 10
    extensions.grant_extension(session, approver, late, rev=rev(late))
    session.commit()
    run()
    after = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one().due_on
    assert after == calendar().add_days(counted_from, total).on
    told = {date.kind: date.on for date in told_dates(session, find(session, actor, late))}
    assert told["reply"] == after  # what the complainant sees moves with the notice
    assert extensions.asked(find(session, actor, late)) is None
    letter = letters(late)[-1]
    assert (letter.kind, letter.state) == ("extension", LetterState.SENT)
    text = str(letter.document).replace(" ", "")
    assert "须等待托管人提供划款记录。" in text
    assert f"{before.month}月{before.day}日" in text
    assert f"{after.month}月{after.day}日" in text


def test_whoever_handles_does_not_grant(session, actor, approver, late, rev):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    case = find(session, actor, late)
    session.add(
        Participation(
            case_id=case.id, account_id=approver.id, name=approver.name,
            part=Part.DELEGATE.value, by_id=actor.id, until=case.received_at,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(Refused):
        extensions.grant_extension(session, actor, late, rev=rev(late))
    session.rollback()
    with pytest.raises(SecondPersonRequired):
        extensions.grant_extension(session, approver, late, rev=rev(late))


@pytest.mark.parametrize("days", [0, 31])
def test_the_policy_bounds_an_extension(session, actor, late, rev, days):
    with pytest.raises(Exception, match="请检查标出的内容") as caught:
        extensions.ask_extension(session, actor, late, days, "待托管人", rev=rev(late))
    assert set(caught.value.fields) == {"days"}


def test_an_extension_is_granted_once(session, actor, approver, late, rev):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    extensions.grant_extension(session, approver, late, rev=rev(late))
    session.commit()
    with pytest.raises(Conflict, match="延期次数已用完"):
        extensions.ask_extension(session, actor, late, 10, "还要等", rev=rev(late))


def test_a_refusal_leaves_the_date(session, actor, approver, late, rev, run):
    extensions.ask_extension(session, actor, late, 10, "待托管人", rev=rev(late))
    with pytest.raises(Conflict):
        extensions.ask_extension(session, actor, late, 10, "再来", rev=rev(late))
    before = session.scalars(select(ClockRow.due_on).where(ClockRow.kind == "reply")).one()
    extensions.refuse_extension(session, approver, late, "材料已齐", rev=rev(late))
    session.commit()
    assert session.scalars(select(ClockRow.due_on).where(ClockRow.kind == "reply")).one() == before
    with pytest.raises(Conflict):
        extensions.grant_extension(session, approver, late, rev=rev(late))
