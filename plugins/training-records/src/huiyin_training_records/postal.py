"""Mails to members: invitations with the calendar file, and reminders.

A job is put off for each; without a mail server there is none, and pages show the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Attachment,
    GiveUp,
    Mail,
    TenantContext,
    Undeliverable,
    can_mail,
    mail_address,
    public_link,
    send_mail,
)
from huiyin_training_records import meetings
from huiyin_training_records.models import Assignment, Attendance, Course, Meeting
from huiyin_training_records.terms import AssignmentState, SessionState

INVITE: Final = "mail_invitation"
REMIND: Final = "mail_reminder"


def later(ctx: TenantContext, job: str, rows: Iterable[tuple[uuid.UUID, int]]) -> None:
    """Put a mail off for each row; ``turn`` tells one mail about it from the next."""
    if not can_mail():
        return
    for key, turn in rows:
        ctx.enqueue(job, {"row": str(key), "turn": turn}, key=f"{key}:{turn}", object_id=key)


def invitations(ctx: TenantContext, meeting: Meeting) -> None:
    """Tell everybody on the list of the session as it now stands; each is told once of each."""
    rows = ctx.session.scalars(select(Attendance.id).where(Attendance.meeting_id == meeting.id))
    later(ctx, INVITE, [(key, meeting.sequence) for key in rows])


def mail_invitation(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """One invitation, or word that the session is called off."""
    key, turn = _read(payload)
    row = ctx.session.scalars(select(Attendance).where(Attendance.id == key)).one_or_none()
    if row is None:
        raise GiveUp
    meeting = meetings.find(ctx, row.meeting_id)
    if meeting.sequence != turn:
        return  # a later mail tells how it stands
    planned, _ = meetings.planned_of(ctx, meeting), ctx.text
    off = meeting.state == SessionState.CANCELLED
    said = N_("培训取消：{course}") if off else N_("培训邀请：{course}")
    file = meetings.invitation(ctx, planned, f"{ctx.tenant.slug}.huiyin")
    _send(
        ctx, row.account_id, uuid.uuid5(key, str(turn)), _(said, course=planned.course),
        _(N_("时间地点见附件与「我的培训」：{link}"), link=_link(ctx)),
        (Attachment(name="invitation.ics", media_type="text/calendar", content=file),),
    )  # fmt: skip


def mail_reminder(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Somebody has a training to complete; no word of why it was assigned."""
    key, turn = _read(payload)
    row = ctx.session.scalars(select(Assignment).where(Assignment.id == key)).one_or_none()
    if row is None:
        raise GiveUp
    if row.state != AssignmentState.OPEN or row.reminders != turn:
        return
    title = ctx.session.scalar(select(Course.title).where(Course.id == row.course_id))
    _ = ctx.text
    _send(
        ctx, row.account_id, uuid.uuid5(key, str(turn)),
        _(N_("培训待完成：{course}"), course=title),
        _(N_("请在 {date} 前完成，公司制度：{link}"), date=row.due_on.isoformat(), link=_link(ctx)),
    )  # fmt: skip


def _read(payload: Mapping[str, Any]) -> tuple[uuid.UUID, int]:
    try:
        return uuid.UUID(str(payload["row"])), int(payload["turn"])
    except (KeyError, ValueError):
        raise GiveUp from None


def _link(ctx: TenantContext) -> str:
    site = public_link(ctx.tenant, "").rpartition("/p/")[0]
    return f"{site}/t/{ctx.tenant.slug}/w/x/training-records/"


def _send(
    ctx: TenantContext,
    account_id: uuid.UUID,
    mail_id: uuid.UUID,
    subject: str,
    words: str,
    files: tuple[Attachment, ...] = (),
) -> None:
    to = mail_address(ctx.session, account_id)
    if not to:
        return
    mail = Mail(id=mail_id, to=to, subject=subject, text=words, attachments=files)
    try:
        send_mail(ctx, mail)
    except Undeliverable as refused:
        ctx.log.warning("mail %s refused: %s", mail_id, refused.code)
