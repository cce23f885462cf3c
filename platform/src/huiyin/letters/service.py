"""Drafting, checking, releasing and keeping letters.

A letter is composed from the facts of its case, judged by the gate at its release, printed once
and kept; what went out can be shown byte for byte as long as the case exists.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from huiyin.cases import merging
from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.stages import Audience, EntryKind, Outcome
from huiyin.db import ScopedSession
from huiyin.evidence.holding import holds_blobs
from huiyin.evidence.store import Blob, blobs
from huiyin.identity.actor import Actor, ActorKind
from huiyin.kit.errors import Conflict, NotFound, Refused
from huiyin.kit.i18n import N_
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now, today
from huiyin.letters import delivery, render
from huiyin.letters.checks import LetterFinding, blocks, check_letter
from huiyin.letters.errors import LetterBlocked, LetterChanged, LetterFixed, PdfDamaged
from huiyin.letters.facts import facts_of, language_of
from huiyin.letters.models import Channel, Letter, LetterState
from huiyin.letters.render import LetterDocument
from huiyin.letters.schemas import AnswerForm, DeliveryForm, NoticeForm
from huiyin.letters.templates import compose, format_number
from huiyin.letters.wording import LetterKind
from huiyin.queue import service as queue
from huiyin.tenancy.models import Counter, Tenant

SEND: Final = delivery.SEND
_PDF_LIMIT: Final = 20 * 1024 * 1024

# What the clocks hear of a release beyond its verb.
CLOCK_EVENTS: Final = {LetterKind.PROGRESS: "contacted", LetterKind.SUPPLEMENT: "contacted"}
# Letters that are written when the case is over.
_AFTER_CLOSE: Final = frozenset({LetterKind.DECLINED, LetterKind.CLOSURE})


# -- drafting ----------------------------------------------------------------------------------


def draft_answer(
    session: ScopedSession, actor: Actor, number: str, form: AnswerForm, *, rev: int | None = None
) -> Letter:
    """Draft the written answer, or rewrite its open draft under the same number."""
    return _draft(session, actor, number, LetterKind.ANSWER, msgspec.to_builtins(form), rev=rev)


def draft_notice(
    session: ScopedSession, actor: Actor, number: str, form: NoticeForm, *, rev: int | None = None
) -> Letter:
    """Draft any other letter, or rewrite the open draft of that kind."""
    inputs = {k: v for k, v in msgspec.to_builtins(form).items() if k != "kind" and v}
    return _draft(session, actor, number, LetterKind(form.kind), inputs, rev=rev)


def _draft(
    session: ScopedSession, actor: Actor, number: str, kind: LetterKind,
    inputs: Mapping[str, Any], *, rev: int | None,
) -> Letter:  # fmt: skip
    drafted: list[Letter] = []
    deed = Deed("draft_letter")

    def apply(case: Case) -> None:
        if not case.is_open and not _late(case, kind):
            raise Conflict(N_("案件已办结，只能拟定不予受理或结案告知书"))
        letter = open_draft(session, case, kind)
        kept = letter.inputs if letter else {}
        if letter is None:
            letter = begin(session, actor, case, kind)
        write(session, case, letter, {**_automatic(kept), **inputs})
        letter.drafted_by, letter.drafted_name = actor.id, actor.name
        session.add(letter)
        delivery.await_signature(case, letter)
        drafted.append(letter)
        tell(deed, letter)

    deed.apply = apply
    change(session, actor, number, deed, rev=rev)
    return drafted[0]


def _late(case: Case, kind: LetterKind) -> bool:
    if kind is LetterKind.ANSWER:
        return merging.OWED in case.facts
    if kind is LetterKind.DECLINED:
        return case.outcome == Outcome.DECLINED
    return kind in _AFTER_CLOSE


def _automatic(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What an event said, kept while a person mends the words around it."""
    return {name: inputs[name] for name in ("previous_reply_by", "reply_by") if inputs.get(name)}


def open_draft(session: ScopedSession, case: Case, kind: LetterKind) -> Letter | None:
    """The draft of this kind that is still open, if any, locked."""
    return session.scalar(
        select(Letter)
        .where(
            Letter.case_id == case.id,
            Letter.kind == kind.value,
            Letter.state == LetterState.DRAFT.value,
        )
        .order_by(Letter.id.desc())
        .limit(1)
        .with_for_update()
    )


def begin(
    session: ScopedSession, actor: Actor, case: Case, kind: LetterKind,
    event_id: uuid.UUID | None = None,
) -> Letter:  # fmt: skip
    """An empty letter with the next number of the year; ``write`` fills it."""
    year, serial = _next_serial(session)
    language = language_of(case)
    firm = session.get_one(Tenant, session.tenant)
    return Letter(
        id=uuid7(), case_id=case.id, kind=kind.value, year=year, serial=serial, language=language,
        number=format_number(firm.short_name, year, serial, language),
        state=LetterState.DRAFT.value, event_id=event_id,
        drafted_by=actor.id, drafted_name=actor.name,
    )  # fmt: skip


def _next_serial(session: ScopedSession) -> tuple[int, int]:
    """Numbered without gaps: the counter stays locked until the letter is committed."""
    year = today().year
    statement = (
        insert(Counter)
        .values(tenant_id=session.tenant, id=uuid7(), name=f"letter:{year}", value=1)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name"], set_={"value": Counter.value + 1}
        )
        .returning(Counter.value)
    )
    return year, int(session.execute(statement).scalar_one())


def write(
    session: ScopedSession, case: Case, letter: Letter, inputs: Mapping[str, Any]
) -> LetterDocument:
    """Compose the letter from the case and from what was written, dated today."""
    kind = LetterKind(letter.kind)
    facts = facts_of(session, case, kind, inputs, number=letter.number, dated=today())
    document = compose(kind, facts)
    letter.inputs = dict(inputs)
    letter.document = msgspec.to_builtins(document)
    letter.fingerprint = render.fingerprint(document)
    return document


def tell(deed: Deed, letter: Letter) -> None:
    """What timeline, ledger and subscribers hear about a letter."""
    deed.data = {"letter": str(letter.id), "kind": letter.kind, "number": letter.number}
    deed.facts = {
        "letter": letter.id, "kind": letter.kind, "serial": f"{letter.year}/{letter.serial}",
        "fingerprint": letter.fingerprint, "pdf_sha256": letter.pdf_sha256,
    }  # fmt: skip
    deed.outbox_data = {"letter": str(letter.id), "letter_kind": letter.kind}


def withdraw(
    session: ScopedSession, actor: Actor, number: str, letter_id: uuid.UUID, reason: str
) -> Letter:
    """Give a draft up; its number stays in the register as withdrawn."""
    found: list[Letter] = []
    deed = Deed("withdraw_letter", body=reason)

    def apply(case: Case) -> None:
        letter = find_letter(session, case, letter_id, lock=True)
        if letter.state != LetterState.DRAFT:
            raise LetterFixed
        letter.state = LetterState.WITHDRAWN.value
        delivery.no_longer_awaited(case, letter)
        found.append(letter)
        tell(deed, letter)

    deed.apply = apply
    change(session, actor, number, deed)
    return found[0]


# -- reading -----------------------------------------------------------------------------------


def find_letter(
    session: ScopedSession, case: Case, letter_id: uuid.UUID, *, lock: bool = False
) -> Letter:
    query = select(Letter).where(Letter.id == letter_id, Letter.case_id == case.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    letter = session.scalar(query)
    if letter is None:
        raise NotFound
    return letter


def letters_of(
    session: ScopedSession, case: Case, *, released_only: bool = False
) -> Sequence[Letter]:
    """The letters of a case, oldest first; ``released_only`` those the complainant may see."""
    query = select(Letter).where(Letter.case_id == case.id)
    if released_only:
        query = query.where(Letter.released_at.is_not(None))
    return session.scalars(query.order_by(Letter.created_at, Letter.id)).all()


def document_of(letter: Letter) -> LetterDocument:
    return msgspec.convert(letter.document, LetterDocument)


def check(session: ScopedSession, case: Case, letter: Letter) -> list[LetterFinding]:
    """What the gate says about a letter, held against the case as it stands now."""
    document = document_of(letter)
    facts = facts_of(
        session, case, LetterKind(letter.kind), letter.inputs,
        number=letter.number, dated=document.date,
    )  # fmt: skip
    return check_letter(document, facts)


def pdf_of(
    session: ScopedSession, actor: Actor, number: str, letter_id: uuid.UUID
) -> tuple[Letter, bytes]:
    """The letter on paper: as it was released, or how a draft would look.

    Raises ``NotFound`` (drafts do not exist for the complainant) or ``PdfDamaged``.
    """
    case = find(session, actor, number)
    if actor.is_person and not actor.can("case.read"):
        raise NotFound
    letter = find_letter(session, case, letter_id)
    if letter.is_released:
        data = stored_pdf(letter)
        if actor.kind is ActorKind.COMPLAINANT and letter.kind == LetterKind.ANSWER:
            _read(session, actor, case, letter)
        return letter, data
    if actor.kind is ActorKind.COMPLAINANT:
        raise NotFound
    return letter, render.render_pdf(document_of(letter))


def _read(session: ScopedSession, actor: Actor, case: Case, letter: Letter) -> None:
    """Whoever opens the answer in the portal has it; noted once."""
    if letter.delivered_at is not None:
        return
    deed = Deed("read_letter")

    def apply(case: Case) -> None:
        arrived, how = LetterState.DELIVERED, Channel.PORTAL.value
        delivery.fared(session, actor, case, letter, arrived, how, "")
        tell(deed, letter)

    deed.apply = apply
    change(session, actor, case.number, deed)


def stored_pdf(letter: Letter) -> bytes:
    """The bytes that were released, proven to be those."""
    try:
        with blobs().open(letter.pdf_key) as stream:
            data = stream.read()
    except FileNotFoundError:
        raise PdfDamaged from None
    if hashlib.sha256(data).hexdigest() != letter.pdf_sha256:
        raise PdfDamaged
    return data


@holds_blobs
def _kept_letters() -> Select[str, str]:
    return select(Letter.pdf_key, Letter.pdf_sha256)


# -- releasing ---------------------------------------------------------------------------------


def release(
    session: ScopedSession,
    actor: Actor,
    number: str,
    letter_id: uuid.UUID,
    fingerprint: str,
    *,
    rev: int | None,
) -> Letter:
    """Sign exactly the letter of that fingerprint and let it go.

    Raises ``LetterFixed``, ``LetterChanged``, ``LetterBlocked`` with what the gate found, and for
    the written answer ``SecondPersonRequired`` to its drafter and to everybody who handled.
    """
    case = find(session, actor, number)
    letter = find_letter(session, case, letter_id)
    if actor.is_person and not delivery.may_sign(actor, letter.kind):
        raise Refused(
            delivery.NOT_A_SIGNER if letter.kind == LetterKind.ANSWER else Refused.default
        )
    if letter.state != LetterState.DRAFT:
        raise LetterFixed
    if not fingerprint == letter.fingerprint == render.fingerprint(document_of(letter)):
        raise LetterChanged
    findings = check(session, case, letter)
    if blocks(findings):
        raise LetterBlocked(findings)
    blob = printed(session, letter)
    try:
        return issue(session, actor, case, letter, blob, rev=rev)
    except BaseException:
        blobs().delete(blob.key)
        raise


def printed(session: ScopedSession, letter: Letter) -> Blob:
    """The letter as a PDF in the store, its fingerprint printed at its foot."""
    document = msgspec.structs.replace(document_of(letter), reference_hash=letter.fingerprint)
    return blobs().put(session.tenant, render.render_pdf(document), _PDF_LIMIT)


def issue(
    session: ScopedSession, actor: Actor, case: Case, letter: Letter, blob: Blob, *,
    rev: int | None = None,
) -> Letter:  # fmt: skip
    """Record the release: letter, case, clocks, and the job that sends it, in one change."""
    kind, wanted = LetterKind(letter.kind), letter.fingerprint
    deed = Deed(
        delivery.release_verb(actor, case, kind),
        body=f"{document_of(letter).title} {letter.number}",
        kind=EntryKind.MESSAGE_OUT, audience=Audience.COMPLAINANT,
        clock_event=CLOCK_EVENTS.get(kind),
    )  # fmt: skip

    def apply(case: Case) -> None:
        if letter in session:  # an automatic letter is new
            session.refresh(letter, with_for_update=True)
        if letter.state != LetterState.DRAFT or letter.fingerprint != wanted:
            raise LetterChanged
        letter.state, letter.released_at = LetterState.RELEASED.value, now()
        letter.released_by, letter.released_name = actor.id, actor.name
        letter.pdf_key, letter.pdf_sha256 = blob.key, blob.sha256
        session.add(letter)
        delivery.no_longer_awaited(case, letter)
        if kind is LetterKind.ANSWER:
            delivery.answered(session, actor, case, letter)
        queue.enqueue(
            session, SEND, {"letter": letter.id}, key=f"{SEND}:{letter.id}", object_id=case.id
        )
        tell(deed, letter)

    deed.apply = apply
    change(session, actor, case.number, deed, rev=rev)
    return letter


def record_delivery(
    session: ScopedSession, actor: Actor, number: str, letter_id: uuid.UUID, form: DeliveryForm
) -> Letter:
    """Enter how a released letter fared on its way, with the proof: posted, arrived, come back."""
    found: list[Letter] = []
    deed = Deed("letter_delivery", body=form.detail)

    def apply(case: Case) -> None:
        letter = find_letter(session, case, letter_id, lock=True)
        if not letter.is_released:
            raise Conflict(N_("文书尚未签发，签发后再登记送达"))
        if form.outcome == "again":
            delivery.send_again(session, letter)
        else:
            state = LetterState(form.outcome)
            delivery.fared(session, actor, case, letter, state, form.channel, form.detail)
        found.append(letter)
        tell(deed, letter)
        deed.data = {**deed.data, "state": letter.state, "channel": letter.channel}

    deed.apply = apply
    change(session, actor, number, deed)
    return found[0]


def dated(letter: Letter) -> date:
    """The day at the foot of the letter."""
    return document_of(letter).date
