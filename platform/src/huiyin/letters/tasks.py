"""Letters that write themselves when something happened, and the sending of every letter.

Each event gives at most one letter.  One that the gate would stop stays as a draft on the case,
for a person to mend; nothing doubtful goes out by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, Final

from sqlalchemy import select

from huiyin.cases import merging
from huiyin.cases.change import Deed, change
from huiyin.cases.models import Case, Entry
from huiyin.db import ScopedSession
from huiyin.evidence.store import blobs
from huiyin.identity.actor import SYSTEM_ID, Actor
from huiyin.ledger import service as ledger
from huiyin.letters import delivery, mailer, service
from huiyin.letters.checks import blocks
from huiyin.letters.facts import complainant
from huiyin.letters.models import Channel, Letter, LetterState
from huiyin.letters.replies import reply_address, returns_to
from huiyin.letters.wording import LetterKind
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, Retry, handler
from huiyin.tenancy.models import Tenant

# The event after which a firm writes by itself, and the letter it writes.
AUTOMATIC: Final[Mapping[str, LetterKind]] = {
    "case.filed": LetterKind.ACKNOWLEDGEMENT,
    "case.accepted": LetterKind.ACCEPTANCE,
    "case.declined": LetterKind.DECLINED,
    "case.extended": LetterKind.EXTENSION,
}
WRITES_TO: Final = frozenset({"complaint", "report"})  # intake types that are accepted or declined
TRIES: Final = 8
ANSWER_ALONG: Final = "letters.answer_merged"
_LONGEST_PAUSE: Final = 3600


@handler("letters.acknowledgement", on=["case.filed"])
def acknowledge(session: ScopedSession, job: JobView) -> None:
    """收到告知书.  An enquiry or a suggestion is acknowledged on the case, without a letter."""
    case = _case(session, job)
    if not case.is_open or case.accepted_at is not None:
        return  # the letter that follows says more
    if case.intake_type in WRITES_TO:
        write_automatic(session, job, LetterKind.ACKNOWLEDGEMENT, {})
    else:
        change(session, job.actor, case.number, Deed("acknowledge"))


@handler("letters.acceptance", on=["case.accepted"])
def accept(session: ScopedSession, job: JobView) -> None:
    """受理告知书."""
    write_automatic(session, job, LetterKind.ACCEPTANCE, {})


@handler("letters.declined", on=["case.declined"])
def decline(session: ScopedSession, job: JobView) -> None:
    """不予受理告知书, with the reason that was written down."""
    reasons = _words(session, job)
    write_automatic(session, job, LetterKind.DECLINED, {"reasons": reasons})


@handler("letters.extension", on=["case.extended"])
def extend(session: ScopedSession, job: JobView) -> None:
    """延期告知书: why, until when, and until when it was promised before."""
    if not job.payload.get("due"):
        return  # a clock the complainant was not told about
    dates = {"previous_reply_by": job.payload["previous"], "reply_by": job.payload["due"]}
    write_automatic(session, job, LetterKind.EXTENSION, {"reasons": _words(session, job), **dates})


def _case(session: ScopedSession, job: JobView) -> Case:
    case = session.get(Case, (session.tenant, job.object_id))
    if case is None:
        raise GiveUp
    return case


def _words(session: ScopedSession, job: JobView) -> str:
    """What the person wrote in the act that this event tells of."""
    entry = session.get(Entry, (session.tenant, uuid.UUID(str(job.payload["entry"]))))
    return entry.body if entry else ""


def write_automatic(
    session: ScopedSession, job: JobView, kind: LetterKind, inputs: Mapping[str, Any]
) -> Letter | None:
    """Write and release a letter in the system's name; ``None`` if this event has its letter."""
    case = _case(session, job)
    if _written(session, job.event_id, kind):
        return None
    letter = service.begin(session, job.actor, case, kind, job.event_id)
    return _release(session, job.actor, case, letter, inputs)


def _release(
    session: ScopedSession, actor: Actor, case: Case, letter: Letter, inputs: Mapping[str, Any]
) -> Letter:
    service.write(session, case, letter, inputs)
    if blocks(service.check(session, case, letter)):
        # The complainant's own words on the first line are what a gate most often stumbles over.
        service.write(session, case, letter, {**inputs, "no_topic": True})
    if blocks(service.check(session, case, letter)):
        return _hold_back(session, actor, case, letter)
    blob = service.printed(session, letter)
    try:
        return service.issue(session, actor, case, letter, blob)
    except BaseException:
        blobs().delete(blob.key)
        raise


def _written(session: ScopedSession, event_id: uuid.UUID | None, kind: LetterKind) -> bool:
    if event_id is None:
        return False
    found = select(Letter.id).where(Letter.event_id == event_id, Letter.kind == kind.value)
    return session.scalars(found).first() is not None


def _hold_back(session: ScopedSession, actor: Actor, case: Case, letter: Letter) -> Letter:
    deed = Deed("draft_letter")

    def apply(case: Case) -> None:
        session.add(letter)
        delivery.await_signature(case, letter)
        service.tell(deed, letter)
        deed.data = {**deed.data, "held_back": True}

    deed.apply = apply
    change(session, actor, case.number, deed)
    return letter


# -- merged cases ------------------------------------------------------------------------------


@handler("letters.merged", on=["letter.sent"])
def answer_along(session: ScopedSession, job: JobView) -> None:
    """The master's written answer went out: a job for each complainant who waits for it too."""
    if job.payload.get("letter_kind") != LetterKind.ANSWER:
        return
    model = str(job.payload["letter"])
    for case_id in merging.owed_by(session, job.object_id):
        key = f"{ANSWER_ALONG}:{case_id}:{model}"
        queue.enqueue(session, ANSWER_ALONG, {"letter": model}, key=key, object_id=case_id)


@handler(ANSWER_ALONG)
def answer_merged(session: ScopedSession, job: JobView) -> None:
    """The words signed for the master, to this complainant, with a number and a name of its own."""
    case = _case(session, job)
    model = session.get(Letter, (session.tenant, uuid.UUID(str(job.payload["letter"]))))
    if model is None:
        raise GiveUp
    if merging.OWED not in case.facts or case.master_id != model.case_id:
        return  # answered, parted, or handled under another master since
    if service.open_draft(session, case, LetterKind.ANSWER):
        return
    letter = service.begin(session, job.actor, case, LetterKind.ANSWER)
    letter.drafted_by, letter.drafted_name = model.drafted_by, model.drafted_name
    _release(session, job.actor, case, letter, model.inputs)


# -- sending -----------------------------------------------------------------------------------


@handler(service.SEND, retries=TRIES, timeout=90.0)
def send(session: ScopedSession, job: JobView) -> None:
    """Send a released letter by mail if the firm can and the reader has an address.

    The portal shows it in any case.  What the server refuses for good is shown on the case.
    """
    letter = session.get(
        Letter, (session.tenant, uuid.UUID(str(job.payload["letter"]))), with_for_update=True
    )
    if letter is None:
        raise GiveUp
    if letter.state != LetterState.RELEASED:
        return
    case = session.get_one(Case, (session.tenant, letter.case_id))
    chosen, to = mailer.settings(), _address(session, case)
    if chosen is None or not to:
        _sent(session, job.actor, case, letter, Channel.PORTAL)
        return
    try:
        firm = session.get_one(Tenant, session.tenant)
        mail = _mail(firm, letter, to, chosen)
        mailer.send(chosen, mail, returns=returns_to(firm.slug))
    except mailer.UndeliverableNow as failure:
        if job.attempt < TRIES:
            raise Retry(min(_LONGEST_PAUSE, 60 * 4 ** (job.attempt - 1))) from None
        _failed(session, job.actor, case, letter, failure.code)
    except mailer.Undeliverable as failure:
        _failed(session, job.actor, case, letter, failure.code)
    else:
        _sent(session, job.actor, case, letter, Channel.EMAIL)


def _address(session: ScopedSession, case: Case) -> str:
    who = complainant(session, case)
    return who.email if who else ""


def _mail(firm: Tenant, letter: Letter, to: str, chosen: mailer.MailSettings) -> EmailMessage:
    return mailer.message(
        service.document_of(letter), service.stored_pdf(letter), letter_id=letter.id, to=to,
        chosen=chosen, reply_to=reply_address(firm.mailbox, letter.case_id),
        automatic=letter.drafted_by == SYSTEM_ID,
    )  # fmt: skip


def _sent(
    session: ScopedSession, actor: Actor, case: Case, letter: Letter, channel: Channel
) -> None:
    """No line in the timeline, where the release is already, unless it had come back before."""
    if delivery.RETURNED in case.facts:
        _note(session, actor, case, letter, LetterState.SENT, channel)
    else:
        delivery.fared(session, actor, case, letter, LetterState.SENT, channel.value, "")
    ledger.append(
        session, kind="letter.sent", object_id=case.id, actor_id=SYSTEM_ID,
        facts={"letter": letter.id, "channel": channel.value, "pdf_sha256": letter.pdf_sha256},
    )  # fmt: skip


def _failed(session: ScopedSession, actor: Actor, case: Case, letter: Letter, code: int) -> None:
    """Somebody must see it: the letter has to go another way."""
    _note(session, actor, case, letter, LetterState.FAILED, Channel.EMAIL, code)


def _note(
    session: ScopedSession, actor: Actor, case: Case, letter: Letter, state: LetterState,
    channel: Channel, code: int = 0,
) -> None:  # fmt: skip
    """Write on the case how a letter fared."""
    deed = Deed("letter_delivery")

    def apply(case: Case) -> None:
        detail = f"SMTP {code}" if code else ""
        delivery.fared(session, actor, case, letter, state, channel.value, detail)
        service.tell(deed, letter)
        deed.data = {**deed.data, "state": letter.state, "channel": letter.channel, "code": code}

    deed.apply = apply
    change(session, actor, case.number, deed)
