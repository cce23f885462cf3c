"""Where an arrival belongs.

Only what is certain is joined without asking: the mark or the Message-ID of our own letter, which
nobody can guess, sent by the address of that case's complainant; the thread of the complainant's
own earlier mail, if a server of ours has found the address to be real; or what a road brings of an
account that it knows to be the complainant's.  Everything less is shown to an officer as a
candidate, and so is all that comes from an address which a server of ours has found to be forged.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import CaseState, EntryKind
from huiyin.db import ScopedSession
from huiyin.identity.models import Account, Membership
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.intake.schemas import UNREAD, Nature, Party, Reading, Verdict
from huiyin.letters import mailer, replies
from huiyin.letters.models import Letter
from huiyin.parties.models import Investor
from huiyin.tenancy.models import Tenant

_S: Final = ArrivalState
OURS: Final = re.compile(r"<?[a-z0-9-]+\.([0-9a-f]{32})@([^>\s]+)>?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[A-Z0-9]{1,10}-20\d\d-\d{4,6}")
CANDIDATES: Final = 8
_UNWRITTEN: Final = {Nature.AUTOMATIC: "automatic", Nature.BULK: "bulk"}


NOBODY: Final = Party()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case it may belong to, and a code of ``REASONS`` that says why."""

    number: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What to do with it.  ``author`` is who wrote it: not the sender, if it was passed on."""

    state: ArrivalState
    reason: str
    case: Case | None = None
    letter: Letter | None = None
    candidates: tuple[Candidate, ...] = ()
    author: Party = NOBODY


def verdict_of(arrival: Arrival, reading: Reading) -> Verdict:
    """What the servers that the road names found about the sender; a mail itself names none."""
    ours = str(arrival.envelope.get("checked_by", "")).lower().split()
    found = [one.verdict for one in reading.vouched if one.server.lower() in ours]
    if Verdict.FAILED in found:
        return Verdict.FAILED
    return found[0] if found else Verdict.UNKNOWN


def place(session: ScopedSession, arrival: Arrival, reading: Reading) -> Place:
    """Decide, changing nothing."""
    if twin := _twin(session, arrival, reading):
        known = session.get(Case, (session.tenant, twin.case_id)) if twin.case_id else None
        return Place(state=_S.DUPLICATE, reason="", case=known)
    if set(reading.faults) & UNREAD:
        return _ask("unreadable", author=reading.sender)
    if reading.nature is Nature.BOUNCE:
        return _bounced(session, reading)
    if _is_ours(session, reading):
        return Place(state=_S.IGNORED, reason="loop")
    if reading.nature is Nature.MESSAGE and arrival.envelope.get("from") == "":
        return Place(state=_S.IGNORED, reason="automatic", author=reading.sender)
    if reason := _UNWRITTEN.get(reading.nature):
        return Place(state=_S.IGNORED, reason=reason, author=reading.sender)
    return _written(session, arrival, reading)


def _ask(reason: str, *candidates: Candidate, author: Party) -> Place:
    return Place(state=_S.WAITING, reason=reason, candidates=candidates, author=author)


def _twin(session: ScopedSession, arrival: Arrival, reading: Reading) -> Arrival | None:
    if not reading.identity:
        return None
    return session.scalar(
        select(Arrival).where(
            Arrival.channel == arrival.channel,
            Arrival.identity == reading.identity,
            Arrival.state != _S.DUPLICATE.value,
            Arrival.id != arrival.id,
        )
    )


def _written(session: ScopedSession, arrival: Arrival, reading: Reading) -> Place:
    """A person wrote it; who, and about which case?"""
    author = reading.sender
    if reading.nature is Nature.SPAM:
        return _ask("spam", author=author)
    if "several_senders" in reading.faults:
        return _ask("several_senders", author=author)
    forged = verdict_of(arrival, reading) is Verdict.FAILED
    if arrival.envelope.get("member") or (not forged and _is_member(session, author.address)):
        if reading.forwarded is None or not reading.forwarded.sender.address:
            return _ask("member", *_named(session, reading), author=author)
        author = reading.forwarded.sender
        return _about(session, arrival, reading, author, threaded=False)
    if reading.message_id and (first := _same_id(session, arrival, reading)):
        return _ask("same_id", *_numbers(session, [first], "same_id"), author=author)
    return _about(session, arrival, reading, author, threaded=True)


def _about(
    session: ScopedSession, arrival: Arrival, reading: Reading, author: Party, *, threaded: bool
) -> Place:
    found: list[Candidate] = []
    verdict = verdict_of(arrival, reading)
    for case, why, theirs in _signs(session, arrival, reading, author) if threaded else ():
        doubt = _doubt(case, why, verdict, theirs=theirs)
        if not doubt:
            return Place(state=_S.JOINED, reason=why, case=case, author=author)
        found.append(Candidate(case.number, doubt))
    found += _named(session, reading)
    found += _of_sender(session, author.address)
    found += _of_handle(session, arrival, author.handle)
    distinct = tuple({one.number: one for one in reversed(found)}.values())[::-1][:CANDIDATES]
    if distinct or verdict is Verdict.FAILED:
        why = "unverified" if verdict is Verdict.FAILED else distinct[0].why
        return _ask(why, *distinct, author=author)
    return Place(state=_S.FILED, reason="new", author=author)


def _doubt(case: Case, why: str, verdict: Verdict, *, theirs: bool) -> str:
    """Why it is not joined to a case that something points to; ``""`` when nothing is against it.

    Our own ids were told to the complainant only; the complainant's may be known to others.
    """
    if not theirs:
        return "other_sender"
    if verdict is Verdict.FAILED:
        return "unverified"
    if not case.is_open:
        return "not_open"
    return "unproven" if why == "earlier" and verdict is not Verdict.PASSED else ""


# -- signs -------------------------------------------------------------------------------------


def _signs(
    session: ScopedSession, arrival: Arrival, reading: Reading, author: Party
) -> Iterator[tuple[Case, str, bool]]:
    """The cases that something points to, why, and whether this sender is their complainant."""
    number = str(arrival.envelope.get("case", ""))
    if number and author.handle:
        case = session.scalar(select(Case).where(Case.number == number))
        if case is not None:
            yield case, "bound", True
    for case, why in _threads(session, arrival, reading):
        yield case, why, _is_from(session, case, author.address)


def _threads(
    session: ScopedSession, arrival: Arrival, reading: Reading
) -> Iterator[tuple[Case, str]]:
    """The cases whose mark or letters it answers, each once."""
    seen: set[uuid.UUID] = set()
    told = str(arrival.envelope.get("to", "")).rpartition("@")[0].partition("+")[2]
    ids = [(replies.case_of(tag), "token") for tag in (told, *reading.tags) if tag]
    ids += [(case_id, "thread") for case_id in _answered(session, reading.references)]
    ids += [(case_id, "earlier") for case_id in _continued(session, reading.references)]
    for case_id, why in ids:
        if case_id is None or case_id in seen:
            continue
        seen.add(case_id)
        case = session.get(Case, (session.tenant, case_id))
        if case is not None:
            yield case, why


def _answered(session: ScopedSession, references: Sequence[str]) -> list[uuid.UUID]:
    """Cases of our own letters, messages and confirmations that it refers to."""
    ours = [uuid.UUID(found[1]) for ref in references if (found := OURS.fullmatch(ref))]
    if not ours:
        return []
    letters = select(Letter.case_id).where(Letter.id.in_(ours))
    messages = select(Entry.case_id).where(
        Entry.id.in_(ours), Entry.kind == EntryKind.MESSAGE_OUT.value
    )
    confirmed = select(Arrival.case_id).where(Arrival.id.in_(ours), Arrival.case_id.is_not(None))
    rows = session.scalars(letters.union(messages, confirmed)).all()
    return sorted(row for row in rows if row is not None)


def _continued(session: ScopedSession, references: Sequence[str]) -> list[uuid.UUID]:
    """Cases of earlier arrivals that it refers to."""
    if not references:
        return []
    earlier = select(Arrival.case_id).where(
        Arrival.message_id.in_(references), Arrival.case_id.is_not(None)
    )
    return sorted(row for row in session.scalars(earlier.distinct()) if row is not None)


def _same_id(session: ScopedSession, arrival: Arrival, reading: Reading) -> uuid.UUID | None:
    return session.scalar(
        select(Arrival.case_id)
        .where(
            Arrival.message_id == reading.message_id,
            Arrival.channel == arrival.channel,
            Arrival.id != arrival.id,
            Arrival.case_id.is_not(None),
        )
        .limit(1)
    )


def _numbers(session: ScopedSession, ids: Sequence[uuid.UUID], why: str) -> list[Candidate]:
    numbers = session.scalars(select(Case.number).where(Case.id.in_(ids)).order_by(Case.number))
    return [Candidate(number, why) for number in numbers]


def _named(session: ScopedSession, reading: Reading) -> list[Candidate]:
    """Cases whose number it mentions; anybody may know a number."""
    words = f"{reading.subject}\n{reading.text[:5000]}"
    numbers = list(dict.fromkeys(_NUMBER.findall(words)))[:CANDIDATES]
    if not numbers:
        return []
    known = session.scalars(select(Case.number).where(Case.number.in_(numbers)))
    return [Candidate(number, "number_named") for number in sorted(known)]


def _of_sender(session: ScopedSession, address: str) -> list[Candidate]:
    """Open cases of whoever has this address, the newest first."""
    if not address:
        return []
    numbers = session.scalars(
        select(Case.number)
        .join(Investor, Investor.id == Case.complainant_id)
        .where(func.lower(Investor.email) == address.lower(), Case.state == CaseState.OPEN.value)
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(CANDIDATES)
    )
    return [Candidate(number, "same_sender") for number in numbers]


def _of_handle(session: ScopedSession, arrival: Arrival, handle: str) -> list[Candidate]:
    """Open cases that this account of the road has written in before, the newest first."""
    if not handle:
        return []
    earlier = select(Arrival.case_id).where(
        Arrival.channel == arrival.channel, Arrival.sender_address == handle,
        Arrival.id != arrival.id, Arrival.case_id.is_not(None),
    )  # fmt: skip
    numbers = session.scalars(
        select(Case.number)
        .where(Case.id.in_(earlier), Case.state == CaseState.OPEN.value)
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(CANDIDATES)
    )
    return [Candidate(number, "same_handle") for number in numbers]


def _is_from(session: ScopedSession, case: Case, address: str) -> bool:
    if not address or case.complainant_id is None:
        return False
    who = session.get(Investor, (session.tenant, case.complainant_id))
    return who is not None and bool(who.email) and who.email.lower() == address.lower()


def _is_member(session: ScopedSession, address: str) -> bool:
    if not address:
        return False
    found = (
        select(Membership.id)
        .join(Account, Account.id == Membership.account_id)
        .where(Account.email == address.lower(), Membership.active)
        .limit(1)
    )
    return session.scalar(found) is not None


# -- our own mail ------------------------------------------------------------------------------


def _is_ours(session: ScopedSession, reading: Reading) -> bool:
    """Whether we sent it ourselves: answering it would never end."""
    chosen, firm = mailer.settings(), session.get_one(Tenant, session.tenant)
    addresses = {firm.mailbox.lower(), chosen.sender.lower() if chosen else ""} - {""}
    made = OURS.fullmatch(reading.message_id)
    by_us = made is not None and chosen is not None and made[2].lower() == chosen.domain.lower()
    return by_us or reading.sender.address.lower() in addresses


def _bounced(session: ScopedSession, reading: Reading) -> Place:
    """News of a letter, or of a mail that carried an officer's message."""
    report = reading.bounce
    found = OURS.fullmatch(report.original_id) if report else None
    if found is None or report is None:
        return Place(state=_S.IGNORED, reason="strange_bounce")
    key = (session.tenant, uuid.UUID(found[1]))
    letter = session.get(Letter, key)
    entry = None if letter else session.get(Entry, key)
    case_id = letter.case_id if letter else entry.case_id if entry else None
    if case_id is None:
        return Place(state=_S.IGNORED, reason="strange_bounce")
    case = session.get(Case, (session.tenant, case_id))
    if report.action != "failed":
        return Place(state=_S.IGNORED, reason="delivery_news", case=case)
    return Place(state=_S.RETURNED, reason="bounced", case=case, letter=letter)
