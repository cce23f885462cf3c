"""Putting an arrival where it belongs: a case, a message, a letter that came back, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from huiyin.cases import tracking
from huiyin.cases.change import Deed, change
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.db import ScopedSession
from huiyin.evidence import kinds
from huiyin.evidence import service as evidence
from huiyin.evidence.service import Upload
from huiyin.evidence.store import blobs
from huiyin.identity.actor import Actor, complainant_actor, system_actor
from huiyin.intake import readers
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.intake.recognition import Place
from huiyin.intake.schemas import Forwarded, Party, Reading
from huiyin.kit.i18n import N_
from huiyin.kit.ids import uuid7
from huiyin.kit.text import clean
from huiyin.kit.time import now
from huiyin.ledger import service as ledger
from huiyin.letters import delivery
from huiyin.letters import service as letters
from huiyin.letters.models import Channel, Letter, LetterState
from huiyin.parties.models import Investor
from huiyin.queue import service as queue

STORY: Final = 10_000  # characters of a story or message; the rest stands in the original
FILES: Final = "intake.files"
SETTLED_EVENT: Final = "arrival.settled"
UNREADABLE: Final = N_("（来件无法自动读取，原件见证据）")
NO_WORDS: Final = N_("（来件没有正文，附件见证据）")
ORIGINAL: Final = N_("来件原件")


def carry_out(
    session: ScopedSession, arrival: Arrival, reading: Reading, where: Place, folder: Path
) -> None:
    """Do what ``place`` decided, in the system's name."""
    files = list(uploads(reading, folder))
    case = where.case
    if where.state is ArrivalState.FILED:
        case = file_new(session, system_actor(session.tenant), arrival, reading, where.author)
        hand_over(session, system_actor(session.tenant), arrival, case, files)
    elif where.state is ArrivalState.JOINED and case is not None:
        join(session, arrival, reading, case, where.author)
        hand_over(session, complainant_actor(session.tenant), arrival, case, files)
    elif where.state is ArrivalState.RETURNED and case is not None and where.letter is not None:
        _came_back(session, case, where.letter, reading)
    arrival.candidates = [{"number": one.number, "why": one.why} for one in where.candidates]
    settle(session, system_actor(session.tenant), arrival, where.state, where.reason, case)


def settle(
    session: ScopedSession, actor: Actor, arrival: Arrival, state: ArrivalState, reason: str,
    case: Case | None,
) -> None:  # fmt: skip
    """Write down where it went; the ledger and whoever listens hear of it."""
    arrival.state, arrival.reason = state.value, reason
    arrival.case_id = case.id if case else None
    arrival.version += 1
    if state is not ArrivalState.WAITING:
        arrival.settled_at = now()
        arrival.settled_by, arrival.settled_name = actor.id, actor.name
    said = {"state": state.value, "reason": reason, "channel": arrival.channel}
    queue.emit(
        session, SETTLED_EVENT, object_id=arrival.id, actor_id=actor.id,
        payload={**said, "case": case.number if case else ""},
    )  # fmt: skip
    session.flush()
    ledger.append(
        session, kind=f"arrival.{state.value}", object_id=arrival.id, actor_id=actor.id,
        facts={**said, "case": case.number if case else "", "raw_sha256": arrival.raw_sha256},
        commits={"note": arrival.note} if arrival.note else {},
    )  # fmt: skip


# -- a case of its own -------------------------------------------------------------------------


def file_new(
    session: ScopedSession, actor: Actor, arrival: Arrival, reading: Reading, author: Party
) -> Case:
    """Register it as it came, dated the moment it was received."""
    told, subject = words(reading, author), title_of(reading, author)
    address, who = author.address[:200], _by_handle(session, author)
    filing = Filing(
        channel=arrival.channel,
        idem_key=str(arrival.id),
        story=told[:STORY],
        title=subject[:120],
        name=author.name[:200],
        email=address,
        received_at=arrival.received_at,
        anonymous=not address and who is None,
        complainant_id=who.id if who else None,
    )
    filed = file_complaint(session, actor, filing)
    return session.get_one(Case, (session.tenant, filed.case_id))


def _by_handle(session: ScopedSession, author: Party) -> Investor | None:
    """Somebody who is answered by the road itself: not anonymous, without telephone or mail."""
    if author.address or not author.handle:
        return None
    who = Investor(id=uuid7(), name=author.name[:200])
    session.add(who)
    session.flush()
    return who


def words(reading: Reading, author: Party) -> str:
    """What its author wrote: the message inside, when somebody passed it on."""
    inner = _passed_on(reading, author)
    text = inner.text if inner else reading.text
    if not clean(text):
        return UNREADABLE if reading.faults and not reading.files else NO_WORDS
    return clean(text)


def title_of(reading: Reading, author: Party) -> str:
    inner = _passed_on(reading, author)
    return " ".join(clean(inner.subject if inner else reading.subject).split())


def _passed_on(reading: Reading, author: Party) -> Forwarded | None:
    """The message inside, if its author is somebody else than the sender, who passed it on."""
    inner, whose = reading.forwarded, author.address.lower()
    if inner is None or whose == reading.sender.address.lower():
        return None
    return inner if whose == inner.sender.address.lower() else None


def join(
    session: ScopedSession, arrival: Arrival, reading: Reading, case: Case, author: Party
) -> None:
    """One more message of the complainant: the author's words, not those of who passed it on."""
    actor = complainant_actor(session.tenant)
    said = words(reading, author)[:STORY]
    tracking.say(session, actor, case, said, road=arrival.channel)


# -- files -------------------------------------------------------------------------------------


def uploads(reading: Reading, folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that were taken out, except those that a machine would run or no case takes."""
    for file in reading.files:
        path = folder / file.path
        if path.is_symlink() or not path.is_file():
            continue
        if 0 < path.stat().st_size <= evidence.LIMIT:
            with path.open("rb") as stream:
                head = stream.read(4096)
            if not kinds.runs(kinds.clean_name(file.name), head):
                yield file.name, path


def hand_over(
    session: ScopedSession, actor: Actor, arrival: Arrival, case: Case,
    files: Sequence[tuple[str, Path]],
) -> None:  # fmt: skip
    """What was attached, and the message itself as it came, as evidence."""
    hand_over_files(session, actor, case, files)
    keep_original(session, arrival, case)


def hand_over_files(
    session: ScopedSession, actor: Actor, case: Case, files: Sequence[tuple[str, Path]]
) -> None:
    """What was attached, as evidence, or as correspondence of a case that has ended meanwhile;
    never all in memory."""
    paper = not case.is_open
    rest = iter(files)
    while some := list(islice(rest, evidence.MOST)):
        with ExitStack() as opened:
            streams = [(name, opened.enter_context(path.open("rb"))) for name, path in some]
            given = [Upload(name, stream) for name, stream in streams]
            evidence.add(session, actor, case.number, given, paper=paper)


def hand_over_later(session: ScopedSession, arrival: Arrival, case: Case) -> None:
    """The message as it came now, and what was attached by a job, which reads it once more."""
    keep_original(session, arrival, case)
    if arrival.reading.get("files"):
        queue.enqueue(session, FILES, {"arrival": arrival.id}, key=f"{FILES}:{arrival.id}")


def keep_original(session: ScopedSession, arrival: Arrival, case: Case) -> None:
    """The bytes as they came, among the evidence of the case."""
    with blobs().open(arrival.raw_key) as source:
        ending = readers.ending_of(arrival.channel)
        name = f"{arrival.received_at:%Y%m%d-%H%M%S}-{arrival.raw_sha256[:8]}.{ending}"
        original = [Upload(name, source, original=True)]
        system = system_actor(session.tenant)
        evidence.add(session, system, case.number, original, note=ORIGINAL)


# -- a letter that came back -------------------------------------------------------------------


def _came_back(session: ScopedSession, case: Case, letter: Letter, reading: Reading) -> None:
    report, system = reading.bounce, system_actor(session.tenant)
    status = report.status if report else ""
    deed = Deed("letter_delivery")

    def apply(case: Case) -> None:
        session.refresh(letter, with_for_update=True)
        if _is_on_its_way(letter):
            detail = f"DSN {status}".strip()
            delivery.fared(
                session, system, case, letter, LetterState.FAILED, Channel.EMAIL.value, detail
            )
        letters.tell(deed, letter)
        deed.data = {**deed.data, "state": letter.state, "channel": letter.channel,
                     "code": status}  # fmt: skip

    deed.apply = apply
    change(session, system, case.number, deed)


def _is_on_its_way(letter: Letter) -> bool:
    """Whether a report about the mail can say how it fared: not once another way was taken, or
    it is known to have arrived; reports come late, and anybody can write one."""
    mailed = letter.state == LetterState.SENT and letter.channel == Channel.EMAIL
    return mailed or letter.state == LetterState.RELEASED


def kept_reading(arrival: Arrival) -> Reading:
    """The reading on the row; an empty one while nobody has read it."""
    return msgspec.convert(arrival.reading, Reading) if arrival.reading else Reading()


def number_of(session: ScopedSession, arrival: Arrival) -> str:
    """The number of the case it belongs to, ``""`` when it belongs to none."""
    if arrival.case_id is None:
        return ""
    return session.get_one(Case, (session.tenant, arrival.case_id)).number
