"""What the public pages of plugins need: seals for what a browser holds, counted tries, and the
dates a complainant is told."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.clocks import service as clocks
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Audience, Unit, amount_label
from huiyin.clocks.rules import Facts
from huiyin.db import ScopedSession
from huiyin.identity.throttle import Throttle, count_attempt, network, take_back
from huiyin.kit import keys
from huiyin.kit.i18n import Message
from huiyin.kit.time import local_date, now
from huiyin.plugins.terms import Panel
from huiyin.web.csrf import check_token
from huiyin.web.desk import Desk

# -- seals -------------------------------------------------------------------------------------


def sealed(purpose: str, secret: str) -> bytes:
    """What is kept of a secret that only a browser holds: 32 bytes that lead nowhere back."""
    return hmac.digest(keys.derive(f"plugin:{purpose}"), secret.encode(), "sha256")


def form_token(purpose: str, session_hash: bytes) -> str:
    """The token that forms of one such session carry; it changes when the session does."""
    return hmac.digest(keys.derive(f"plugin-form:{purpose}"), session_hash, "sha256").hex()


def check_form_token(purpose: str, session_hash: bytes, data: Mapping[str, Any]) -> None:
    """Refuse a form that another session's page made.  Raises ``BadOrigin``."""
    check_token(form_token(purpose, session_hash), data.get("_csrf"))


# -- tries -------------------------------------------------------------------------------------


def count_try(desk: Desk, throttle: Throttle, *more: object) -> None:
    """Count a try of this firm and the visitor's network, whatever becomes of the request.

    Raises ``Throttled`` beyond the limit.  The address itself is not kept.
    """
    count_attempt(desk.site.engine, throttle, *_keys(desk, more), pepper=keys.derive("throttle"))


def take_back_try(desk: Desk, throttle: Throttle, *more: object) -> None:
    """Uncount a try that was right, so that an office behind one address is not an attack."""
    take_back(desk.site.engine, throttle, *_keys(desk, more), pepper=keys.derive("throttle"))


def _keys(desk: Desk, more: Iterable[object]) -> tuple[object, ...]:
    return desk.tenant.id, network(desk.ip), *more


# -- other plugins' cards ---------------------------------------------------------------------


def complainant_cards(desk: Desk, case: Case) -> Sequence[Panel]:
    """What the firm's plugins have to say to the complainant of the case, one card each."""
    cards: Sequence[Panel] = desk.hooks.complainant_cards(case)
    return cards


# -- dates -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToldDate:
    """A day by which the complainant hears something: what, how it is counted and who says so.

    ``kind`` is the clock's (``acknowledge``, ``accept``, ``reply`` …), ``within`` its length in
    words, ``force`` the code of who says so; ``running`` says whether it is still owed.
    """

    kind: str
    title: str
    on: date
    since: date
    within: Message
    force: str
    running: bool
    provisional: bool


def told_dates(session: ScopedSession, case: Case) -> Sequence[ToldDate]:
    """What the complainant of a case was told, the nearest first."""
    rows = session.scalars(
        select(ClockRow).where(
            ClockRow.case_id == case.id, ClockRow.audience == Audience.COMPLAINANT.value
        )
    ).all()
    told = [
        ToldDate(
            row.kind, row.title, row.promised_on or row.due_on, local_date(row.started_at),
            amount_label(row.amount, Unit(row.unit)), str(row.origin.get("force", "")),
            running=row.stopped_at is None, provisional=row.provisional,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(told, key=lambda date_: (date_.on, date_.kind))


def dates_if_filed(moment: datetime | None = None) -> Sequence[ToldDate]:
    """What a complainant who files at ``moment`` (now, if not said) would be told."""
    at = moment or now()
    events = [clocks.event("received", at), clocks.event("stage_entered", at, stage="intake")]
    told = [
        ToldDate(
            clock.kind, clock.title, clock.due_on, local_date(clock.started_at),
            amount_label(clock.amount, clock.unit), clock.origin.force.value, running=clock.open,
            provisional=clock.provisional,
        )
        for clock in clocks.replay(events, Facts())
        if clock.audience is Audience.COMPLAINANT
    ]  # fmt: skip
    return sorted(told, key=lambda date_: (date_.on, date_.kind))
