"""One grievance by several roads: each keeps its own duty and its own clock."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from huiyin.cases import closing, people, service, subjects, tracking, transfers
from huiyin.cases.change import Deed, change, find
from huiyin.cases.errors import MoveNotAllowed, SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.models import Case, Entry, Participation, Task
from huiyin.cases.schemas import SubjectForm, TaskForm
from huiyin.cases.stages import Part, Source, Stage
from huiyin.cases.transfers import TransferLetter
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor, system_actor
from huiyin.identity.policy import Role
from huiyin.kit.errors import Conflict, Invalid, NotFound
from huiyin.kit.time import now, today
from huiyin.ledger.models import LedgerEntry
from huiyin.queue.models import OutboxEvent

STORY = "赎回申请提交十二天仍未到账，客服只说在走流程"
DAY = timedelta(days=1)


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def file(session, actor):
    def make(channel, **given):
        filing = Filing(
            channel=channel, idem_key=f"{channel}-{given.get('transfer_number', '')}",
            story=STORY, phone="13800000000", **given,
        )  # fmt: skip
        case = find(session, actor, file_complaint(session, actor, filing).number)
        case.category, case.severity = "C1", "S2"
        session.commit()
        return case

    return make


@pytest.fixture
def letter():
    def make(mark, days=10, source=Source.CSRC, **given):
        facts = {"number": f"演转 {mark} 号", "received_at": now() - DAY}
        facts |= {"due_on": today() + timedelta(days=days)}
        return TransferLetter(mark=mark, source=source, **{**facts, **given})

    return make


@pytest.fixture
def merge(session, actor, approver):
    """As people do it: proposed by one, confirmed by another."""

    def join(case, into, reason="两件反映同一事项，合并办理"):
        closing.propose_merge(
            session, actor, case.number, into.number, rev=case.version, reason=reason
        )
        session.commit()
        service.move(session, approver, case.number, "merge", rev=case.version)
        session.commit()
        return find(session, approver, case.number)

    return join


@pytest.fixture
def unmerge(session, approver):
    def part(case, by=None, reason="核对后不是同一事项"):
        who = by or approver
        service.move(session, who, case.number, "unmerge", rev=case.version, reason=reason)
        session.commit()
        return find(session, approver, case.number)

    return part


def running(session, case):
    session.expire_all()
    rows = select(ClockRow).where(ClockRow.case_id == case.id, ClockRow.stopped_at.is_(None))
    return {(row.kind, row.due_on) for row in session.scalars(rows)}


def kinds(session, case):
    return sorted(kind for kind, _ in running(session, case))


def row_of(model, found, without=()):
    names = [column.key for column in model.__table__.columns if column.key not in without]
    return {name: getattr(found, name) for name in names}


# What goes on by itself: who looked last, and the history, which only grows.
GROWS = ("version", "updated_at", "last_activity", "counts", "clock_events")


def snapshot(session, case):
    """The case with its clocks, tasks and people, as rows."""
    session.expire_all()
    fresh = session.get(Case, (session.tenant, case.id))
    clocks = session.scalars(
        select(ClockRow).where(ClockRow.case_id == case.id).order_by(ClockRow.key)
    )
    tasks = session.scalars(select(Task).where(Task.case_id == case.id).order_by(Task.id))
    held = session.scalars(
        select(Participation).where(
            Participation.case_id == case.id, Participation.until.is_(None)
        ).order_by(Participation.id)
    )  # fmt: skip
    return {
        "case": row_of(Case, fresh, GROWS),
        "clocks": [row_of(ClockRow, row) for row in clocks],
        "tasks": [row_of(Task, row) for row in tasks],
        "parts": [row_of(Participation, row) for row in held],
    }


def ledger_of(session):
    rows = session.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq))
    return [tuple(row) for row in rows]


# -- letters ---------------------------------------------------------------------------------------


def test_the_sender_of_one_letter_sets_a_later_day_and_that_clock_alone_moves(
    session, actor, approver, file, letter
):
    first = today() + timedelta(days=8)
    case = file("transfer", source=Source.HOTLINE_12386, transfer_due=first)
    transfers.receive_transfer(session, actor, case.number, letter("b", 4))
    session.commit()

    def extend(mark, days, at=None):
        return transfers.extend_transfer(
            session, actor, case.number, "演函 7 号，准予延期", mark=mark,
            due_on=today() + timedelta(days=days), granted_at=at or now(),
        )  # fmt: skip

    extend("", 20)
    session.commit()
    due = {day for kind, day in running(session, case) if kind == "transfer"}
    assert due == {today() + timedelta(days=20), today() + timedelta(days=4)}
    for wrong in (
        lambda: extend("b", 4),
        lambda: extend("b", 2000),
        lambda: extend("b", 9, now() - 9 * DAY),
        lambda: extend("b", 9, now() + DAY),
    ):
        with pytest.raises(Invalid):
            wrong()
        session.rollback()
    transfers.receive_transfer(session, actor, case.number, letter("c", due_on=None))
    transfers.answer_transfer(session, approver, case.number, "演复 1 号", mark="b")
    session.commit()
    for mark in ("b", "c", "none"):  # answered, without a day of its own, unknown
        with pytest.raises(Conflict):
            extend(mark, 30)
        session.rollback()
    told = session.scalars(select(Entry).where(Entry.verb == "extend_transfer")).one()
    assert told.data["dates"][0]["before"] == first.isoformat()


def test_an_extension_after_the_day_mends_nothing(session, actor, file, letter):
    case = file("web")
    late = letter("a", due_on=today() - DAY, received_at=now() - 5 * DAY)
    transfers.receive_transfer(session, actor, case.number, late)
    session.commit()
    later = {"mark": "a", "due_on": today() + 5 * DAY}
    with pytest.raises(Invalid) as refused:
        transfers.extend_transfer(session, actor, case.number, "延期", granted_at=now(), **later)
    assert set(refused.value.fields) == {"granted_on"}
    session.rollback()
    in_time = now() - 3 * DAY
    transfers.extend_transfer(session, actor, case.number, "延期", granted_at=in_time, **later)
    session.commit()
    assert not transfers.letter_clocks(find(session, actor, case.number))["a"].met_late
    assert ("transfer", today() + 5 * DAY) in running(session, case)


def test_each_letter_about_a_case_has_a_clock_of_its_own(session, actor, approver, file, letter):
    case = file("web")
    assert kinds(session, case) == ["accept", "acknowledge", "reply", "stage"]
    for mark, days in (("a", 10), ("b", 4)):
        transfers.receive_transfer(session, actor, case.number, letter(mark, days))
        session.commit()
    due = {day for kind, day in running(session, case) if kind == "transfer"}
    assert due == {today() + timedelta(days=10), today() + timedelta(days=4)}
    transfers.answer_transfer(session, approver, case.number, "演复 1 号，已寄", mark="b")
    session.commit()
    left = {day for kind, day in running(session, case) if kind == "transfer"}
    assert left == {today() + timedelta(days=10)}
    clocks = transfers.letter_clocks(find(session, actor, case.number))
    assert {mark: clock.open for mark, clock in clocks.items()} == {"a": True, "b": False}
    assert clocks["a"].origin.article == "演转 a 号"
    assert clocks["a"].origin.force.value == "transfer_letter"
    with pytest.raises(Conflict):
        transfers.answer_transfer(session, approver, case.number, "再次", mark="b")


def test_a_case_that_came_by_itself_counts_as_passed_on_from_then_on(session, actor, file, letter):
    case = file("web")
    transfers.receive_transfer(session, actor, case.number, letter("a"))
    session.commit()
    assert (case.channel, case.source, case.transfer_number) == ("web", "csrc", "演转 a 号")
    transfers.receive_transfer(session, actor, case.number, letter("b", source=Source.COURT))
    assert case.source == "csrc"


def test_the_letter_it_was_filed_with_and_a_later_one_are_told_apart(
    session, actor, approver, file, letter
):
    case = file(
        "letter", source=Source.AMAC, transfer_number="协转 7 号", transfer_due=today() + 9 * DAY
    )
    transfers.receive_transfer(session, actor, case.number, letter("b", 4))
    transfers.answer_transfer(session, approver, case.number, "协复 7 号", mark="")
    session.commit()
    assert case.letters_owed == ("b",)
    assert ("transfer", today() + 4 * DAY) in running(session, case)


def test_one_button_answers_every_letter_that_is_owed(session, actor, approver, file, letter):
    case = file("web")
    for mark in ("a", "b"):
        transfers.receive_transfer(session, actor, case.number, letter(mark))
    session.commit()
    service.move(
        session, approver, case.number, "answer_transfer", rev=case.version, reason="一并函复"
    )
    session.commit()
    assert "transfer" not in kinds(session, case)
    written = select(func.count()).where(Entry.verb == "answer_transfer")
    assert session.scalar(written) == 2
    with pytest.raises(MoveNotAllowed):
        service.move(
            session, approver, case.number, "answer_transfer", rev=case.version, reason="再次"
        )


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"received_at": now() + 2 * DAY}, "received_at"),
        ({"due_on": today() - 3 * DAY}, "due_on"),
        ({"due_on": today() + 2000 * DAY}, "due_on"),
    ],
)
def test_a_letter_with_impossible_dates_is_not_taken(session, actor, file, letter, facts, field):
    case = file("web")
    with pytest.raises(Invalid) as wrong:
        transfers.receive_transfer(session, actor, case.number, letter("a", **facts))
    assert set(wrong.value.fields) == {field}


def test_a_letter_is_taken_once(session, actor, file, letter):
    case = file("web")
    transfers.receive_transfer(session, actor, case.number, letter("a"))
    with pytest.raises(Conflict):
        transfers.receive_transfer(session, actor, case.number, letter("a"))


def test_a_letter_without_a_date_has_the_firms_own_target_and_says_so(session, actor, file, letter):
    case = file("web")
    transfers.receive_transfer(session, actor, case.number, letter("a", due_on=None))
    clock = transfers.letter_clock(case, "a")
    assert clock.origin.force.value == "company_policy"
    assert clock.origin.confidence.value == "uncertain"
    with pytest.raises(NotFound):
        transfers.letter_clock(case, "b")


def test_whoever_is_named_in_the_case_registers_nothing_there(session, actor, file, letter):
    case = file("web")
    case.walled = [actor.id]
    session.commit()
    with pytest.raises(NotFound):
        transfers.receive_transfer(session, actor, case.number, letter("a"))


def test_a_letter_that_asks_for_no_answer_starts_no_clock(session, file):
    case = file("letter", source=Source.MEDIA, transfer_number="剪报", reply_owed=False)
    assert "transfer" not in kinds(session, case)
    assert case.letters_owed == ()


# -- merged ----------------------------------------------------------------------------------------


@pytest.fixture
def roads(file, merge):
    """The same grievance from the portal, by mail, and by a letter; one case of three."""
    web, mail = file("web"), file("email")
    passed = file(
        "letter", source=Source.HOTLINE_12386, transfer_number="演转 9 号",
        transfer_due=today() + 9 * DAY,
    )  # fmt: skip
    merge(mail, web)
    merge(passed, web)
    return web, mail, passed


def test_every_road_keeps_its_clocks_and_they_are_seen(session, roads, web, actor):
    master, mail, passed = roads
    assert kinds(session, master) == ["accept", "acknowledge", "reply", "stage"]
    assert kinds(session, mail) == ["reply"]
    assert kinds(session, passed) == ["reply", "transfer"]
    page = web(actor).get(f"/t/qinghe/w/cases/{master.number}/clocks").text
    for case in (mail, passed):
        assert f"并入的 {case.number} 仍在计时" in page
    assert "演转 9 号" in page
    shown = web(actor).get(f"/t/qinghe/w/cases/{master.number}").text
    assert shown.count("最近期限") == 2


def test_a_road_that_somebody_is_walled_from_is_not_shown_beside(session, roads, web, make_actor):
    master, mail, _ = roads
    watcher = make_actor("supervisor", name="苏婉")
    mail.walled = [watcher.id]
    session.commit()
    page = web(watcher).get(f"/t/qinghe/w/cases/{master.number}/clocks").text
    assert mail.number not in page


def test_the_answer_to_the_complainant_leaves_the_sender_waiting(session, roads, approver):
    _, _, passed = roads
    case = find(session, approver, passed.number)
    deed = Deed("answer_along", clock_event="answered")
    change(session, system_actor(session.tenant), case.number, deed)
    session.commit()
    assert kinds(session, passed) == ["transfer"]
    assert find(session, approver, passed.number).next_due_kind == "transfer"


def test_the_answer_to_the_sender_leaves_the_complainants_waiting(session, roads, approver):
    master, mail, passed = roads
    before = running(session, master), running(session, mail)
    case = find(session, approver, passed.number)
    service.move(
        session, approver, case.number, "answer_transfer", rev=case.version, reason="演复 9 号"
    )
    session.commit()
    assert kinds(session, passed) == ["reply"]
    assert (running(session, master), running(session, mail)) == before


def test_ending_one_road_leaves_the_others(session, roads, tenant):
    master, mail, passed = roads
    before = running(session, master), running(session, passed)
    tracking.withdraw(session, complainant_actor(tenant.id), master, "不再追究")
    session.commit()
    assert kinds(session, master) == []
    assert running(session, passed) == before[1]
    assert kinds(session, mail) == ["reply"]


# -- parted ----------------------------------------------------------------------------------------


@pytest.fixture
def busy(session, actor, file, letter):
    """A case with a letter, a task, a message and an extension of its facts."""
    case = file("email")
    case.facts = {gate: {"at": ""} for gate in EXIT[Stage.INTAKE]}
    service.move(session, actor, case.number, "accept", rev=case.version)
    transfers.receive_transfer(session, actor, case.number, letter("a"))
    service.talk(session, actor, case.number, "message", "我们正在核对流水")
    people.add_task(session, actor, case.number, TaskForm(title="调取流水", due_on=today() + DAY))
    session.commit()
    return find(session, actor, case.number)


def test_parting_brings_back_the_case_as_it_was(session, busy, file, merge, unmerge, approver):
    other = file("web")
    before, master = snapshot(session, busy), snapshot(session, other)
    written = ledger_of(session)
    merged = merge(busy, other)
    assert merged.outcome == "merged"
    parted = unmerge(merged)
    after = snapshot(session, busy)
    assert after["case"].pop("team") == [*before["case"].pop("team"), approver.id]
    for part in ("case", "clocks", "tasks"):
        assert after[part] == before[part], part
    # Whoever confirmed the merger had a hand in it, and keeps that.
    assert [row for row in after["parts"] if row["account_id"] != approver.id] == before["parts"]
    assert snapshot(session, other)["clocks"] == master["clocks"]
    assert find(session, approver, other.number).counts.get("merged_owed") == 0
    assert (parted.number, parted.is_open, parted.master_id) == (busy.number, True, None)
    now_written = ledger_of(session)
    assert now_written[: len(written)] == written
    assert len(now_written) > len(written)
    lines = session.scalars(
        select(Entry.verb).where(Entry.case_id == busy.id).order_by(Entry.seq)
    ).all()
    assert lines[-4:] == ["merge", "tell_merged", "unmerge", "tell_parted"]


def test_the_complainant_is_told_and_whoever_listens_hears(session, busy, file, merge, unmerge):
    unmerge(merge(busy, file("web")))
    told = session.scalars(select(Entry).where(Entry.verb == "tell_parted")).one()
    assert "恢复单独办理" in told.body
    assert told.audience == "complainant"
    heard = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.object_id == busy.id)).all()
    assert "case.unmerged" in heard


def test_the_page_offers_the_undoing_to_who_may_and_says_what_it_does(
    session, busy, file, merge, web, approver, actor
):
    merged = merge(busy, file("web"))
    where = f"/t/qinghe/w/cases/{merged.number}"
    assert f"{where}/do/unmerge" not in web(actor).get(where).text
    browser = web(approver)
    assert f"{where}/do/unmerge" in browser.get(where).text
    page = browser.get(f"{where}/do/unmerge").text
    assert "恢复到并案前的阶段和期限" in page
    without = browser.post(f"{where}/do/unmerge", {"rev": str(merged.version), "reason": ""})
    assert without.status_code == 422
    done = browser.post(
        f"{where}/do/unmerge", {"rev": str(merged.version), "reason": "核对后不是同一事项"}
    )
    assert done.status_code == 303
    assert "分开办理" in browser.get(where).text
    again = browser.post(
        f"{where}/do/unmerge", {"rev": str(merged.version), "reason": "核对后不是同一事项"}
    )
    assert again.status_code == 409


def test_what_was_done_while_merged_stays(session, busy, file, merge, unmerge, approver):
    merged = merge(busy, file("web"))
    transfers.answer_transfer(session, approver, merged.number, "演复 a 号", mark="a")
    session.commit()
    parted = unmerge(find(session, approver, merged.number))
    assert parted.letters_owed == ()
    assert "transfer" not in kinds(session, busy)


def test_whoever_handled_it_does_not_part_it(session, busy, file, merge, unmerge, make_actor):
    merged = merge(busy, file("web"))
    handler = make_actor(Role.APPROVER.value, name="韩彻")
    session.add(
        Participation(
            case_id=merged.master_id, account_id=handler.id, name=handler.name,
            part=Part.INVESTIGATOR.value, by_id=handler.id,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(SecondPersonRequired):
        unmerge(merged, by=handler)


def test_an_answered_case_is_opened_again_and_not_parted(
    session, busy, file, merge, unmerge, approver
):
    merged = merge(busy, file("web"))
    deed = Deed("answer_along", clock_event="answered")
    change(session, system_actor(session.tenant), merged.number, deed)
    closed = find(session, approver, merged.number)
    closed.facts = {name: fact for name, fact in closed.facts.items() if name != "merged_owed"}
    session.commit()
    with pytest.raises(MoveNotAllowed):
        unmerge(closed)


def test_an_answer_drafted_for_it_alone_goes_first(session, busy, file, merge, unmerge):
    merged = merge(busy, file("web"))
    merged.facts = {**merged.facts, "answer_waits": {"at": ""}}
    session.commit()
    with pytest.raises(Conflict):
        unmerge(merged)


def test_walls_outlive_the_merger(session, actor, busy, file, merge, unmerge, make_actor, approver):
    """The timeline of each names the other, so nobody gets through by the parting."""
    named = make_actor("investigator", name="周岚")
    make_actor("supervisor", name="苏婉")
    other = file("web")
    subjects.name_subject(
        session, actor, other.number, SubjectForm(account_id=named.id, reason="投诉其承诺收益")
    )
    session.commit()
    parted = unmerge(merge(busy, find(session, actor, other.number)))
    assert named.id in parted.walled
    with pytest.raises(NotFound):
        find(session, named, parted.number)


def test_a_case_merged_again_after_the_parting_is_merged_as_before(
    session, approver, busy, file, merge, unmerge
):
    other = file("web")
    parted = unmerge(merge(busy, other))
    merged = merge(parted, find(session, approver, other.number))
    assert kinds(session, merged) == ["reply", "transfer"]
