"""What an officer writes to a complainant, by mail too.

Whoever wrote to us by mail gets the words; whoever filed elsewhere and left an address is told
that there is an answer, and where to read it.  Each message is one mail under one Message-ID, and
how it fared stands beside the case.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Uuid, bindparam, literal_column, select

from huiyin.sdk import (
    N_,
    Case,
    Entry,
    EntryKind,
    Event,
    GiveUp,
    Mail,
    Message,
    NextStep,
    Panel,
    Ready,
    TenantContext,
    Undeliverable,
    arrival_of,
    can_mail,
    complainant_address,
    last_message_id,
    mail_domain,
    now,
    public_link,
    reply_to,
    send_mail,
)
from huiyin_channel_email.intake import CHANNEL
from huiyin_channel_email.models import Sent
from huiyin_channel_email.settings import ChannelEmailSettings

WRITTEN: Final = "message.sent"
SEND: Final = "send"
SENT, FAILED, RETURNED = "sent", "failed", "returned"
STATES: Final = {
    SENT: N_("邮件已发出"),
    FAILED: N_("邮件未能发出"),
    RETURNED: N_("邮件被退回"),
}
SUBJECT: Final = N_("关于您的投诉 {number}")
ANSWERED: Final = N_("您的投诉 {number} 有新的答复，请用编号和查询码查看：")
FOOT: Final = N_("直接回复本邮件即可继续补充。")
SHOWN: Final = 5


def written(ctx: TenantContext, event: Event) -> None:
    """A message to the complainant: one mail, if there is somebody to send it to."""
    entry_id = event.payload.get("entry")
    if entry_id and can_mail() and ctx.settings(ChannelEmailSettings).messages:
        ctx.enqueue(SEND, {"entry": entry_id}, key=str(entry_id), object_id=event.object_id)


def send(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Send one message; what is refused for good is kept as failed, not tried for ever."""
    entry = ctx.session.get(Entry, (ctx.session.tenant, uuid.UUID(str(payload["entry"]))))
    if entry is None:
        raise GiveUp
    if entry.kind != EntryKind.MESSAGE_OUT or _known(ctx, entry.id):
        return
    case = ctx.session.get_one(Case, (ctx.session.tenant, entry.case_id))
    to = complainant_address(ctx, case)
    if not to:
        return
    row = Sent(entry_id=entry.id, case_id=case.id, state=SENT, code=0, at=now())
    try:
        send_mail(ctx, _mail(ctx, case, entry, to))
    except Undeliverable as refused:
        row.state, row.code = FAILED, refused.code
    ctx.session.add(row)


def _known(ctx: TenantContext, entry_id: uuid.UUID) -> Sent | None:
    return ctx.session.scalar(select(Sent).where(Sent.entry_id == entry_id))


def _mail(ctx: TenantContext, case: Case, entry: Entry, to: str) -> Mail:
    number = {"number": case.number}
    if case.channel == CHANNEL:
        words = [entry.body]
        if mail_domain():
            words.append(ctx.text(FOOT))
    else:
        words = [ctx.text(ANSWERED, **number), public_link(ctx.tenant, "track")]
    return Mail(
        id=entry.id, to=to, subject=ctx.text(SUBJECT, **number),
        text="\n\n".join([*words, signed(ctx)]), by_person=True,
        answers=last_message_id(ctx, case, CHANNEL), reply_to=reply_to(ctx, case),
    )  # fmt: skip


def signed(ctx: TenantContext) -> str:
    """What stands below every mail of the firm."""
    return ctx.settings(ChannelEmailSettings).signature.strip() or ctx.tenant.name


def came_back(ctx: TenantContext, event: Event) -> None:
    """A report about one of these mails."""
    arrival = arrival_of(ctx, str(event.object_id))
    if arrival is None or not arrival.about:
        return
    row = ctx.session.scalar(select(Sent).where(Sent.entry_id == arrival.about).with_for_update())
    if row is not None and row.state == SENT:
        row.state, row.at = RETURNED, now()


# -- beside the case ---------------------------------------------------------------------------


_LAST: Final = Ready(
    select(Sent.state, Sent.code, Sent.at)
    .where(Sent.case_id == bindparam("case", type_=Uuid))
    .order_by(Sent.at.desc(), Sent.id.desc())
    .limit(literal_column(str(SHOWN)))
)


def of_case(ctx: TenantContext, case: Case) -> Sequence[Row[Any]]:
    """The last mails of a case, the newest first: ``state``, ``code`` and ``at``."""
    return ctx.once(f"sent:{case.id}", lambda: _LAST.run(ctx.session, case=case.id).all())


def panel(ctx: TenantContext, case: Case) -> Panel | None:
    """How the last mails fared; nothing where none was sent."""
    rows = of_case(ctx, case)
    if not rows:
        return None
    body = ctx.render("channel_email/panel.html", rows=rows, states=STATES)
    return Panel(Message(N_("往来邮件")), body)


def next_step(ctx: TenantContext, case: Case) -> Sequence[NextStep]:
    """The last mail did not arrive: reach the complainant otherwise."""
    last = next(iter(of_case(ctx, case)), None)
    if last is None or last.state == SENT or not case.is_open:
        return ()
    title = Message(N_("邮件未送达，请改用电话等方式联系"))
    return (NextStep(title, f"/w/cases/{case.number}#talk", Message(STATES[last.state])),)
