"""From what stands in a form to a case: a new one, or one that is there, and its files.

A form that is sent twice does one thing; the same key with other words is told so.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, ClassVar, Final, TypeVar

import msgspec
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Filing,
    Invalid,
    NotFound,
    Source,
    TenantContext,
    Upload,
    add_files,
    at_local,
    check_received,
    complainant_actor,
    file_complaint,
    find_case,
    local_date,
    say,
)
from huiyin_channel_referral.models import Agent, Paper, Transfer
from huiyin_channel_referral.schemas import Matter

T = TypeVar("T", Transfer, Paper, Agent)
Chosen = Sequence[tuple[str, BinaryIO]]  # files by name, as a browser sends them
_SHORTEST: Final = 10  # characters that say what a complaint is about


class SentBefore(Conflict):
    """The form has become a row already; what stands in it now is something else."""

    default: ClassVar[str] = N_(
        "这一页已登记过，内容与现在填写的不同。如须另行登记，请核对后再次提交"
    )


class SavedBefore(Conflict):
    """Somebody else wrote first; nothing of theirs is written over."""

    default: ClassVar[str] = N_("其他人刚刚保存了更新。您填写的内容还在，请核对后再次提交")


def digest(form: msgspec.Struct) -> bytes:
    return hashlib.sha256(msgspec.json.encode(form)).digest()


def same_again(ctx: TenantContext, model: type[T], key: str, form: msgspec.Struct) -> T | None:
    """What this very form made before.  Raises ``SentBefore`` for another with the same key."""
    row = ctx.session.scalars(select(model).where(model.idem_key == key)).one_or_none()
    if row is not None and row.idem_hash != digest(form):
        raise SentBefore
    return row


def key_of(typed: object) -> str:
    """The key of a form; one without it is nobody's second try."""
    return str(typed or "")[:64] or uuid.uuid4().hex


def today_of(ctx: TenantContext) -> date:
    return local_date(ctx.now())


def moment_of(ctx: TenantContext, day: date, clock: str = "") -> datetime:
    """When something of that day came: as it says, now if it is today, else at noon."""
    if clock:
        hour, minute = clock.split(":")
        return at_local(day, int(hour), int(minute))
    return ctx.now() if day == today_of(ctx) else at_local(day, 12)


def known_case(ctx: TenantContext, number: str) -> Case:
    """The case somebody named; as ``Invalid``, whether it is not there or not for this person."""
    try:
        return find_case(ctx.session, ctx.actor, number.strip().upper())
    except NotFound:
        raise Invalid({"case": N_("没有找到这个编号，请核对")}) from None


def all_of(*checks: Callable[[], None]) -> None:
    """Make every check, and tell all that is wrong at once."""
    wrong: dict[str, Any] = {}
    for check in checks:
        try:
            check()
        except Invalid as fault:
            wrong |= fault.fields
    if wrong:
        raise Invalid(wrong)


def check_matter(form: Matter) -> None:
    """A new case needs what it is about, and a way to answer."""
    if form.case:
        return
    wrong: dict[str, str] = {}
    if len(form.story) < _SHORTEST:
        wrong["story"] = N_("请写明反映的事项，至少 10 个字；或填写已有案件的编号")
    if not (form.anonymous or form.phone or form.email):
        wrong["phone"] = N_("请至少填写手机号或邮箱，以便告知处理进展")
    if wrong:
        raise Invalid(wrong)


def check_came(form: Matter, moment: datetime) -> None:
    """Raises ``Invalid`` for a day to come, and for a late one without its reason."""
    check_received(moment, form.late_reason)


def new_case(
    ctx: TenantContext, form: Matter, key: str, moment: datetime, *, channel: str,
    source: Source = Source.DIRECT, **letter: Any,
) -> Case:  # fmt: skip
    """File what the paper is about."""
    filed = file_complaint(
        ctx.session, ctx.actor,
        Filing(
            channel=channel, idem_key=key, story=form.story, wish=form.wish, name=form.name,
            phone=form.phone.replace(" ", "").replace("-", ""), email=form.email,
            anonymous=form.anonymous, fund=form.fund, intake_type=form.intake_type,
            source=source, received_at=moment, late_reason=form.late_reason, **letter,
        ),
    )  # fmt: skip
    ctx.session.flush()
    return find_case(ctx.session, ctx.actor, filed.number)


def told_to(ctx: TenantContext, case: Case, form: Matter, road: str) -> None:
    """What a complainant says by another road about a case that is known."""
    if not form.story:
        return
    say(ctx.session, complainant_actor(ctx.tenant.id), case, form.story, road=road)


def keep(
    ctx: TenantContext, number: str, files: Chosen, note: str, *, field: str = "files"
) -> list[dict[str, str]]:
    """Files become evidence of the case; answers how they are found there.

    What is wrong with one of them is told at ``field``.
    """
    if not files:
        return []
    uploads = [Upload(name, data) for name, data in files]
    try:
        kept = add_files(ctx.session, ctx.actor, number, uploads, note=note, paper=True)
    except Invalid as wrong:
        raise Invalid({field: next(iter(wrong.fields.values()))}) from None
    return [{"id": str(file.id), "number": file.number} for file in kept]
