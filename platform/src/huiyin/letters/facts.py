"""What a letter about a case may say, read from the case as it stands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import promised_reply
from huiyin.db import ScopedSession
from huiyin.identity.models import Membership
from huiyin.kit.time import local_date
from huiyin.letters.render import Language
from huiyin.letters.templates import LetterFacts, Remedies
from huiyin.letters.wording import LetterKind
from huiyin.parties.models import Investor
from huiyin.remedies.models import Plan, PlanState
from huiyin.tenancy.models import Tenant

# Who a letter names when nobody is in charge yet, and whom it addresses without a name.
_TEAM: Final[Mapping[Language, str]] = {"zh": "投诉处理部门", "en": "Our complaints team"}
_READER: Final[Mapping[Language, str]] = {"zh": "投诉人", "en": "Complainant"}
_DATES: Final = ("next_date", "reply_by", "previous_reply_by")
_WORDS: Final = ("process", "findings", "outcome", "basis", "measures", "reasons", "materials")


def facts_of(
    session: ScopedSession,
    case: Case,
    kind: LetterKind,
    inputs: Mapping[str, Any],
    *,
    number: str,
    dated: date,
) -> LetterFacts:
    """The facts of the case, and over them what a person wrote (``inputs``, as JSON keeps it)."""
    firm = session.get_one(Tenant, session.tenant)
    language = language_of(case)
    known = {**_clock_dates(session, case, kind), **_given_dates(inputs)}
    return LetterFacts(
        firm_name=firm.name_en or firm.name if language == "en" else firm.name,
        firm_short=firm.short_name,
        case_number=case.number,
        complainant_name=addressee(session, case),
        letter_number=number,
        date=dated,
        received_on=local_date(case.received_at),
        registered_on=_registered(case),
        language=language,
        topic="" if inputs.get("no_topic") else case.title,
        accepted_on=local_date(case.accepted_at) if case.accepted_at else None,
        owner_name=_owner(session, case) or _TEAM[language],
        hotline=firm.hotline,
        amount=_approved_amount(session, case) if kind is LetterKind.ANSWER else None,
        remedies=Remedies(review_by=_day(inputs.get("review_by"))),
        tracking_address=_tracking_address(firm),
        next_date=known.get("next_date"),
        reply_by=known.get("reply_by"),
        previous_reply_by=known.get("previous_reply_by"),
        **{name: str(inputs.get(name) or "") for name in _WORDS},
    )


def _registered(case: Case) -> date | None:
    """The day it was written down, where that is another than the day it came."""
    day = local_date(case.registered_at)
    return day if day != local_date(case.received_at) else None


def language_of(case: Case) -> Literal["zh", "en"]:
    return "en" if case.language == "en" else "zh"


def addressee(session: ScopedSession, case: Case) -> str:
    """The complainant's name, or the word for somebody who gave none."""
    who = complainant(session, case)
    return (who.name if who else "") or _READER[language_of(case)]


def complainant(session: ScopedSession, case: Case) -> Investor | None:
    if case.complainant_id is None:
        return None
    return session.get(Investor, (session.tenant, case.complainant_id))


def _owner(session: ScopedSession, case: Case) -> str:
    if case.owner_id is None:
        return ""
    name = session.scalar(select(Membership.name).where(Membership.account_id == case.owner_id))
    return name or ""


def _clock_dates(session: ScopedSession, case: Case, kind: LetterKind) -> dict[str, date | None]:
    """The dates that stand on the case's own clocks; never one that nobody promised."""
    rows = session.scalars(
        select(ClockRow).where(
            ClockRow.case_id == case.id,
            ClockRow.stopped_at.is_(None),
            ClockRow.audience == "complainant",
        )
    ).all()
    reply = promised_reply(rows)
    due = {row.kind: row.due_on for row in rows}
    following = None
    if kind is LetterKind.ACKNOWLEDGEMENT:
        following = due.get("accept")
    if kind is LetterKind.ACCEPTANCE:
        progress = due.get("progress")
        following = progress if progress and reply and progress < reply else None
    return {"reply_by": reply, "next_date": following}


def _given_dates(inputs: Mapping[str, Any]) -> dict[str, date | None]:
    return {name: _day(inputs[name]) for name in _DATES if inputs.get(name)}


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    return date.fromisoformat(str(value)) if value else None


def _approved_amount(session: ScopedSession, case: Case) -> Decimal | None:
    """What the approved plan pays; a letter cannot promise another sum."""
    amount = session.scalar(
        select(Plan.amount).where(Plan.case_id == case.id, Plan.state == PlanState.APPROVED.value)
    )
    return amount or None


def _tracking_address(firm: Tenant) -> str:
    base = os.environ.get("HUIYIN_PUBLIC_URL", "").rstrip("/")
    return f"{base}/p/{firm.slug}/track" if base else ""
