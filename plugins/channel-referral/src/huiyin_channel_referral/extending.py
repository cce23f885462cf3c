"""The sender of a letter sets a later day: written down with its paper, and the clock moves."""

from __future__ import annotations

from typing import Any

from huiyin.sdk import N_, Conflict, Invalid, Message, TenantContext, extend_transfer
from huiyin_channel_referral import matters
from huiyin_channel_referral.matters import Chosen, today_of
from huiyin_channel_referral.register import Found
from huiyin_channel_referral.schemas import ExtendForm
from huiyin_channel_referral.transfers import moment_on


def extend(ctx: TenantContext, found: Found, form: ExtendForm, rev: int, files: Chosen) -> None:
    """Raises ``Invalid`` with what must be mended, ``Conflict`` for a letter whose day stands,
    and ``SavedBefore`` for an old version."""
    row = found.row
    if not row.owed:
        raise Conflict(N_("这份转办函不待回复"))
    if rev != row.rev:
        raise matters.SavedBefore
    _check(ctx, found, form, files)
    before = row.due_on
    extend_transfer(
        ctx.session, ctx.actor, found.case.number, _words(ctx, form), mark=row.mark,
        due_on=form.due_on, granted_at=moment_on(ctx, found, form.granted_on),
    )  # fmt: skip
    note = ctx.text(N_("来函延期"))
    kept = matters.keep(ctx, found.case.number, files, note, field="extension")
    row.extensions = [*row.extensions, _line(ctx, found, form, kept)]
    row.due_on, row.target_on, row.rev = form.due_on, form.due_on, row.rev + 1
    ctx.session.flush()
    ctx.record(
        "transfer_extended", row.id,
        {"case": found.case.number, "previous": str(before or ""), "due": form.due_on.isoformat(),
         "granted_on": form.granted_on.isoformat()},
        {"reason": form.reason, "number": form.extension_number},
    )  # fmt: skip


def _check(ctx: TenantContext, found: Found, form: ExtendForm, files: Chosen) -> None:
    wrong: dict[str, str | Message] = {}
    if not found.row.received_on <= form.granted_on <= today_of(ctx):
        wrong["granted_on"] = N_("应在收到函件之后，不晚于今天，请核对")
    if not files:
        wrong["extension"] = N_("请附转办单位同意延期的函件或记录")
    if wrong:
        raise Invalid(wrong)


def _words(ctx: TenantContext, form: ExtendForm) -> str:
    said = N_("{day} 转办单位同意延期，文号 {number}：{reason}")
    day, number = form.granted_on.isoformat(), form.extension_number or "--"
    return ctx.text(said, day=day, number=number, reason=form.reason)


def _line(
    ctx: TenantContext, found: Found, form: ExtendForm, scans: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "from": str(found.row.due_on or ""), "to": form.due_on.isoformat(),
        "granted_on": form.granted_on.isoformat(), "number": form.extension_number,
        "reason": form.reason, "by": str(ctx.actor.id), "at": ctx.now().isoformat(),
        "scans": scans,
    }  # fmt: skip
