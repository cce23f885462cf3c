"""Letters by which others pass complaints on: registered, and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Invalid,
    Message,
    Source,
    TenantContext,
    TransferLetter,
    answer_transfer,
    at_local,
    check_letter_dates,
    letter_clocks,
    local_date,
    receive_transfer,
    uuid7,
)
from huiyin_channel_referral import matters, register
from huiyin_channel_referral.matters import Chosen, today_of
from huiyin_channel_referral.models import Transfer
from huiyin_channel_referral.register import Found
from huiyin_channel_referral.schemas import DraftForm, ReplyForm, TransferForm
from huiyin_channel_referral.terms import SENDERS, TRANSFER

# -- registering -----------------------------------------------------------------------------------


def take(ctx: TenantContext, form: TransferForm, key: str, files: Chosen) -> Transfer:
    """A letter with its case, new or known.  Raises ``Invalid``; a second try makes nothing."""
    if known := matters.same_again(ctx, Transfer, key, form):
        return known
    moment = matters.moment_of(ctx, form.received_at)
    matters.all_of(
        lambda: matters.check_came(form, moment),
        lambda: check_letter_dates(moment, form.due_on),
        lambda: _check(ctx, form),
        lambda: matters.check_matter(form),
    )
    row = Transfer(id=uuid7(), idem_key=key, idem_hash=matters.digest(form))
    row.mark = row.id.hex
    case = _joined(ctx, form, row, moment) if form.case else _filed(ctx, form, row, moment, key)
    _fill(ctx, row, form, case)
    row.scans = matters.keep(ctx, case.number, files, ctx.text(N_("转办函扫描件")))
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(
        "transfer_registered", row.id,
        {"case": case.number, "source": row.source, "due_on": str(row.due_on or ""),
         "received_on": row.received_on.isoformat()},
        {"number": row.number, "body": row.body},
    )  # fmt: skip
    return row


def _check(ctx: TenantContext, form: TransferForm) -> None:
    wrong: dict[str, str | Message] = {}
    if form.source not in SENDERS:
        wrong["source"] = N_("请选择转来的单位")
    if form.letter_on and form.letter_on > form.received_at:
        wrong["letter_on"] = N_("落款日期晚于收到日期，请核对函件")
    if form.no_reply and form.due_on:
        wrong["due_on"] = N_("已注明不要求回复，不应再有回复期限，请核对函件")
    same = duplicates(ctx, form.source, form.number)
    if same and not form.not_same:
        numbers = ctx.text(N_("、")).join(found.case.number for found in same)
        said = N_("同一来源的这个文号已登记在 {numbers}。确非同一函件的，请勾选后再提交")
        wrong["number"] = Message(said, {"numbers": numbers})
    if wrong:
        raise Invalid(wrong)


def duplicates(ctx: TenantContext, source: Source, number: str) -> Sequence[Found]:
    """Letters of the same number from the same kind of body that this person may know of."""
    if not number:
        return ()
    query = register.rows(ctx).where(Transfer.source == source.value, Transfer.number == number)
    return register.found_in(ctx, query.order_by(Transfer.id).limit(5))


def _filed(
    ctx: TenantContext, form: TransferForm, row: Transfer, moment: datetime, key: str
) -> Case:
    return matters.new_case(
        ctx, form, key, moment, channel=TRANSFER, source=form.source,
        transfer_number=form.number, transfer_due=form.due_on, transfer_letter=row.mark,
        reply_owed=not form.no_reply,
    )  # fmt: skip


def _joined(ctx: TenantContext, form: TransferForm, row: Transfer, moment: datetime) -> Case:
    case = matters.known_case(ctx, form.case)
    letter = TransferLetter(
        mark=row.mark, source=form.source, number=form.number, received_at=moment,
        due_on=form.due_on, reply_owed=not form.no_reply,
    )  # fmt: skip
    said = [form.note, form.story, form.late_reason]
    return receive_transfer(
        ctx.session, ctx.actor, case.number, letter, words="\n".join(w for w in said if w)
    )


def _fill(ctx: TenantContext, row: Transfer, form: TransferForm, case: Case) -> None:
    row.case_id, row.source, row.body, row.number = (
        case.id, form.source.value, form.body, form.number,
    )  # fmt: skip
    row.letter_on, row.received_on, row.due_on = form.letter_on, form.received_at, form.due_on
    row.wants_reply, row.contact, row.note = not form.no_reply, form.contact, form.note
    row.late_reason, row.registered_by = form.late_reason, ctx.actor.id
    row.registered_at = ctx.now()
    clock = letter_clocks(case).get(row.mark)
    row.target_on = clock.due_on if clock else form.due_on or form.received_at


def add_scans(ctx: TenantContext, found: Found, files: Chosen) -> None:
    """Pages that were scanned later."""
    if not files:
        raise Invalid({"scans": N_("请选择要上传的文件")})
    note = ctx.text(N_("转办函扫描件"))
    kept = matters.keep(ctx, found.case.number, files, note, field="scans")
    found.row.scans = [*found.row.scans, *kept]
    ctx.session.flush()


# -- answering -------------------------------------------------------------------------------------


def draft(ctx: TenantContext, found: Found, form: DraftForm, rev: int) -> None:
    """Keep the draft.  Raises ``SavedBefore`` when somebody saved another meanwhile."""
    row = found.row
    if not row.owed:
        raise Conflict(N_("这份转办函不待回复"))
    if rev != row.rev:
        raise matters.SavedBefore
    row.draft, row.rev = form.draft, row.rev + 1
    ctx.session.flush()
    ctx.record("reply_drafted", row.id, {"case": found.case.number}, {"draft": form.draft})


def reply(ctx: TenantContext, found: Found, form: ReplyForm, rev: int, files: Chosen) -> None:
    """The answer went out: write down how, with its proof; the letter's own clock stops."""
    row = found.row
    if not row.wants_reply or (row.replied_on and row.proofs):
        raise Conflict(N_("这份转办函不待回复"))
    if rev != row.rev:
        raise matters.SavedBefore
    _check_reply(ctx, found, form, files)
    kept = matters.keep(ctx, found.case.number, files, ctx.text(N_("转办回复的送达凭证")))
    if row.mark in found.case.letters_owed:
        answer_transfer(
            ctx.session, ctx.actor, found.case.number, _words(ctx, form), mark=row.mark,
            at=moment_on(ctx, found, form.replied_on),
        )  # fmt: skip
    row.replied_on, row.reply_way = form.replied_on, form.reply_way.value
    row.reply_number, row.reply_words = form.reply_number, form.reply_words
    row.reply_by, row.reply_at = ctx.actor.id, ctx.now()
    row.proofs, row.draft, row.rev = [*row.proofs, *kept], "", row.rev + 1
    ctx.session.flush()
    ctx.record(
        "transfer_replied", row.id,
        {"case": found.case.number, "on": form.replied_on.isoformat(), "way": row.reply_way},
        {"words": form.reply_words, "number": form.reply_number},
    )  # fmt: skip


def _answered_on(found: Found) -> date | None:
    """The day on which the case's own page says that it was answered: its clock stopped then."""
    stopped = found.clock.stopped_at if found.clock else None
    return local_date(stopped) if stopped else found.row.replied_on


def _check_reply(ctx: TenantContext, found: Found, form: ReplyForm, files: Chosen) -> None:
    row, known = found.row, _answered_on(found)
    wrong: dict[str, str | Message] = {}
    if known and form.replied_on != known:
        said = N_("案件页已登记 {day} 回复，期限按该日计，请保持一致")
        wrong["replied_on"] = Message(said, {"day": known.isoformat()})
    elif form.replied_on > today_of(ctx):
        wrong["replied_on"] = N_("回复日期不能晚于今天")
    elif form.replied_on < row.received_on:
        wrong["replied_on"] = N_("回复日期早于收到日期，请核对")
    if not files and not row.proofs:
        wrong["files"] = N_("请附送达凭证，如邮寄回执、报送截图、签收单")
    if wrong:
        raise Invalid(wrong)


def _words(ctx: TenantContext, form: ReplyForm) -> str:
    from_terms = {"number": form.reply_number or "--", "day": form.replied_on.isoformat()}
    return ctx.text(N_("{day} 回复转办单位，文号 {number}"), **from_terms)


def moment_on(ctx: TenantContext, found: Found, day: date) -> datetime:
    """A moment of that day: never before the letter came, never later than now."""
    if day == today_of(ctx):
        return ctx.now()
    came = found.case.clock_events
    moments = [
        datetime.fromisoformat(event["at"]) for event in came
        if event["kind"] == "transfer_received"
        and str(event["data"].get("letter") or "") == found.row.mark
    ]  # fmt: skip
    return max([at_local(day, 12), *moments])
