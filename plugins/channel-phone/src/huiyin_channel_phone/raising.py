"""An enquiry that turns out to be a complaint: filed late, and dated when it was told."""

from __future__ import annotations

from typing import Final

from huiyin.sdk import (
    N_,
    Conflict,
    Filing,
    Invalid,
    TenantContext,
    check_received,
    file_complaint,
)
from huiyin_channel_phone import recordings
from huiyin_channel_phone.errors import Stale
from huiyin_channel_phone.models import Call
from huiyin_channel_phone.schemas import RaiseForm
from huiyin_channel_phone.terms import CHANNEL, Sort

GONE: Final = N_("只有登记为咨询的通话可以改登记为投诉，请刷新页面查看")


def raise_enquiry(ctx: TenantContext, call: Call, form: RaiseForm, rev: int) -> str:
    """The number of the new case.  What was written down of the call stays as it was.

    Raises ``Conflict`` for what is no enquiry (any longer), ``Stale``, and ``Invalid``.
    """
    if call.sort != Sort.ENQUIRY.value:
        raise Conflict(GONE)
    if call.rev != rev:
        raise Stale
    if not (call.number or form.email):
        raise Invalid({"email": N_("登记投诉须有号码或邮箱，以便告知处理进展")})
    check_received(call.started_at, form.reason)
    filed = file_complaint(
        ctx.session, ctx.actor,
        Filing(
            channel=CHANNEL, idem_key=f"call:{call.id}", story=form.story, wish=form.wish,
            name=call.name, phone=call.number, email=form.email or "", fund_id=call.fund_id,
            received_at=call.started_at, late_reason=form.reason, language=ctx.tenant.language,
        ),
    )  # fmt: skip
    call.sort, call.case_id, call.rev = Sort.COMPLAINT.value, filed.case_id, call.rev + 1
    ctx.session.flush()
    recordings.adopt(ctx, call)
    ctx.record(
        "enquiry_raised", call.id, {"case": filed.case_id, "version": call.rev},
        {"reason": form.reason},
    )  # fmt: skip
    return filed.number
