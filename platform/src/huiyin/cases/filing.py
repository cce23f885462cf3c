"""A complaint arrives: registered at once, numbered without gaps, answered with a code.

The same key twice gives the same case, the same number and the same code; what came in is
stored as it came.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import String, Uuid, bindparam, exists, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from huiyin.cases import change, search
from huiyin.cases.errors import KeyReused
from huiyin.cases.models import Case
from huiyin.cases.schemas import RegisterForm
from huiyin.cases.stages import Audience, EntryKind, IntakeType, Part, Source, Stage
from huiyin.clocks import service as clocks
from huiyin.db import OWN_TENANT, Ready, ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit import keys
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.time import local_date, now
from huiyin.ledger import service as ledger
from huiyin.parties.models import Investor
from huiyin.queue import service as queue
from huiyin.tenancy.models import Counter, Tenant

Text = Annotated[str, msgspec.Meta(max_length=200)]
_TITLE: Final = 40  # characters taken from the story when nobody gave a title
LATE: Final = 30  # calendar days after which a complaint is written down with a reason only
_DUE_WITHIN: Final = timedelta(days=3 * 366)  # of a letter; beyond that the year is mistyped
_OLDEST: Final = timedelta(days=3660)  # beyond that somebody mistyped the year


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived, from whatever road.  ``idem_key`` is unique per channel and firm."""

    channel: str
    idem_key: str
    story: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    wish: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    title: Text = ""
    name: Text = ""
    phone: Text = ""
    email: Text = ""
    fund: Text = ""
    fund_id: uuid.UUID | None = None
    category: str | None = None
    amount: Decimal | None = None
    intake_type: IntakeType = IntakeType.COMPLAINT
    source: Source = Source.DIRECT
    transfer_number: Text = ""
    transfer_due: date | None = None
    transfer_letter: Text = ""  # its mark among several letters about one case
    reply_owed: bool = True  # False: whoever passed it on asks for no answer
    language: str = "zh"
    anonymous: bool = False
    received_at: datetime | None = None  # when it first touched the firm; now if not said
    late_reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""  # why it is so long ago
    complainant_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """The receipt.  ``code`` is 16 digits and is not stored anywhere."""

    case_id: uuid.UUID
    number: str
    code: str
    fresh: bool  # False when the same key had filed it before


def tracking_code(tenant_id: uuid.UUID, case_id: uuid.UUID) -> str:
    """The code of a case: recomputed from the installation secret, so that a repeated request
    can answer it again although only its hash is kept."""
    mac = hmac.new(keys.derive("tracking-code"), tenant_id.bytes + case_id.bytes, hashlib.sha256)
    return f"{int.from_bytes(mac.digest()[:10], 'big') % 10**16:016d}"


def code_hash(code: str) -> bytes:
    """What is kept of a code; blanks and dashes do not matter."""
    digits = "".join(c for c in code if c.isascii() and c.isdigit())
    return hmac.new(keys.derive("tracking-hash"), digits.encode(), hashlib.sha256).digest()


def taken_down(form: RegisterForm, key: str) -> Filing:
    """What an officer or a program wrote down, with the day it came, as something to file.

    Raises ``Invalid`` for a day in the future, and for one long past without a reason.
    """
    if form.received_at:
        check_received(form.received_at, form.late_reason)
    taken = msgspec.structs.asdict(form)
    taken |= {"phone": form.phone or "", "email": form.email or ""}
    return Filing(idem_key=key, **taken)


def check_received(came: datetime, late_reason: str) -> None:
    """Raises ``Invalid`` for a day in the future or ages ago, and for a late one without reason."""
    moment = now()
    if came > moment or came < moment - _OLDEST:
        raise Invalid(
            {"received_at": Message(N_("收到时间不能晚于现在，也不能早于十年前，请核对"))}
        )
    if (local_date(moment) - local_date(came)).days > LATE and not late_reason:
        raise Invalid(
            {"late_reason": Message(N_("收到已超过 {n} 个自然日，请写明补登原因"), {"n": LATE})}
        )


def file_complaint(session: ScopedSession, actor: Actor, filing: Filing) -> Filed:
    """Register what arrived.  Raises ``KeyReused`` for a known key with another content."""
    _check(filing)
    taken = _next_number(session, filing)
    if taken is None:
        return _again(session, filing)
    serial, prefix, year = taken
    number = f"{prefix}-{year}-{serial:04d}"
    case = _case(session, actor, filing, number)
    if filing.complainant_id is None and not filing.anonymous:
        case.complainant = Investor(
            id=uuid7(), name=filing.name, phone=filing.phone, email=filing.email
        )
    session.add(case)
    with session.no_autoflush:  # every row goes in once, in one flush
        _tell(session, actor, case, filing)
    return Filed(case.id, number, tracking_code(session.tenant, case.id), fresh=True)


def _check(filing: Filing) -> None:
    if not filing.anonymous and not (filing.phone or filing.email or filing.complainant_id):
        raise Invalid(
            {
                "phone": Message(N_("请至少填写手机号或邮箱，以便告知处理进展")),
                "email": Message(N_("请至少填写手机号或邮箱，以便告知处理进展")),
            }
        )
    due, came = filing.transfer_due, local_date(filing.received_at or now())
    if due and not came <= due <= came + _DUE_WITHIN:
        raise Invalid({"transfer_due": Message(N_("期限应在收到之后三年以内，请核对函件"))})


def _next_number(session: ScopedSession, filing: Filing) -> tuple[int, str, int] | None:
    """The next number of the year, the firm's prefix and that year; None when the key is known.

    The year is read once: the counter may be waited for, and midnight may pass meanwhile.
    """
    year = local_date(now()).year
    row = _NUMBERED.run(
        session,
        id=uuid7(),
        name=f"case:{year}",
        channel=filing.channel,
        key=filing.idem_key,
    ).one_or_none()
    return (int(row[0]), str(row[1]), year) if row else None


def _numbered() -> ReturningInsert[*tuple[Any, ...]]:
    known = exists().where(
        Case.tenant_id == OWN_TENANT,
        Case.channel == bindparam("channel"),
        Case.idem_key == bindparam("key"),
    )
    prefix = select(Tenant.number_prefix).where(Tenant.id == OWN_TENANT).scalar_subquery()
    # The first number of a year too: what was filed on 31 December is known on 1 January.
    first = select(
        OWN_TENANT, bindparam("id", type_=Uuid()), bindparam("name", type_=String()), literal(1)
    ).where(~known)
    return (
        insert(Counter)
        .from_select(["tenant_id", "id", "name", "value"], first)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name"],
            set_={"value": Counter.value + 1},
            where=~known,
        )
        .returning(Counter.value, prefix)
    )


_NUMBERED: Final = Ready(_numbered())


def content_hash(filing: Filing) -> bytes:
    """What makes two requests with one key the same request."""
    same = msgspec.structs.asdict(filing)
    same |= {"idem_key": "", "received_at": None, "language": ""}
    for beside in ("late_reason", "transfer_letter", "reply_owed"):
        same.pop(beside)
    return hashlib.sha256(msgspec.json.encode(same)).digest()


def _again(session: ScopedSession, filing: Filing) -> Filed:
    row = session.execute(
        select(Case.id, Case.number, Case.idem_hash).where(
            Case.channel == filing.channel, Case.idem_key == filing.idem_key
        )
    ).one()
    if not hmac.compare_digest(row.idem_hash, content_hash(filing)):
        raise KeyReused
    return Filed(row.id, row.number, tracking_code(session.tenant, row.id), fresh=False)


def _case(
    session: ScopedSession, actor: Actor, filing: Filing, number: str
) -> Case:  # long: one line per column of a new row
    moment = now()
    case_id = uuid7()
    received = filing.received_at or moment
    events = [clocks.event("received", received, source=filing.source.value)]
    events.append(clocks.event("stage_entered", received, stage=Stage.INTAKE.value))
    if filing.source is not Source.DIRECT and filing.reply_owed:
        letter = {"letter": filing.transfer_letter, "number": filing.transfer_number}
        told = {"due_on": filing.transfer_due, **{k: v for k, v in letter.items() if v}}
        events.append(clocks.event("transfer_received", received, **told))
    return Case(
        id=case_id,
        number=number,
        code_hash=code_hash(tracking_code(session.tenant, case_id)),
        idem_key=filing.idem_key,
        idem_hash=content_hash(filing),
        channel=filing.channel,
        source=filing.source.value,
        transfer_number=filing.transfer_number,
        intake_type=filing.intake_type.value,
        language=filing.language,
        received_at=received,
        registered_at=moment,
        title=filing.title or first_words(filing.story),
        story=filing.story,
        wish=filing.wish,
        fund_text=filing.fund,
        fund_id=filing.fund_id,
        complainant_id=filing.complainant_id,
        anonymous=filing.anonymous,
        category=filing.category,
        amount=filing.amount,
        stage=Stage.INTAKE.value,
        stage_since=received,
        stage_dates={Stage.INTAKE.value: local_date(received).isoformat()},
        clock_events=events,
        owner_id=actor.id if actor.is_person else None,
        team=[],  # grows with the parts
        facts={},
        counts={},
        walled=[],
        version=1,
        complexity="simple",
        state="open",
    )


def first_words(story: str) -> str:
    """A title from a story: its first sentence, cut at a decent length."""
    line = story.strip().split("\n", 1)[0]
    for stop in "。！？!?；;":
        line = line.split(stop, 1)[0]
    return line[:_TITLE] + ("…" if len(line) > _TITLE else "")


def _tell(session: ScopedSession, actor: Actor, case: Case, filing: Filing) -> None:
    """Timeline, clocks, search, outbox, ledger: all in the one transaction."""
    moment = now()
    if actor.is_person:  # whoever takes a complaint down handles it, and never judges it
        change.take_part(session, actor, case, actor.id, actor.name, Part.OWNER, moment)
    deed = change.Deed(
        "file",
        body="",
        kind=EntryKind.EVENT,
        audience=Audience.COMPLAINANT,
        data={
            "channel": filing.channel,
            "source": filing.source.value,
            **({"late_reason": filing.late_reason} if filing.late_reason else {}),
        },
    )
    change.append_entry(session, actor, case, deed, moment, Stage.INTAKE)
    change.show_due(
        case,
        clocks.recompute(
            session,
            case.id,
            case.clock_events,
            intake=case.intake_type,
            complexity=case.complexity,
            fresh=True,
        ),
    )
    queue.emit(
        session,
        "case.filed",
        object_id=case.id,
        actor_id=actor.id,
        payload={"number": case.number, "channel": case.channel},
    )
    session.flush()
    _keep(session, actor, case, filing, moment)


def _keep(
    session: ScopedSession, actor: Actor, case: Case, filing: Filing, moment: datetime
) -> None:
    """What the case can be found by, and the entry in the ledger, which comes last."""
    search.index(
        session,
        case.id,
        case.received_at,
        (case.number, case.title, case.story, case.wish, filing.name, filing.fund, filing.phone),
    )
    ledger.append(
        session,
        kind="case.filed",
        object_id=case.id,
        actor_id=actor.id,
        facts={
            "number": case.number,
            "channel": case.channel,
            "version": 1,
            "received_at": case.received_at.isoformat(),
        },
        commits={
            "story": filing.story,
            "name": filing.name,
            "phone": filing.phone,
            "email": filing.email,
            **({"late_reason": filing.late_reason} if filing.late_reason else {}),
        },
        at=moment,
    )
