"""By when somebody who was missed is called back: the firm's own promise, never a law."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from huiyin.sdk import N_, Message, TenantContext, add_workdays, local_date
from huiyin_channel_phone import roster, schedule
from huiyin_channel_phone.settings import ChannelPhoneSettings

REACH: Final = 31  # days of the roster that are looked through
_ONE: Final = timedelta(days=1)
BASES: Final[Mapping[str, str]] = {
    "duty_hours": N_("公司承诺：{n} 个值班小时内回电"),
    "workdays": N_("公司承诺：{n} 个工作日内回电"),
    "hours": N_("公司承诺：{n} 小时内回电"),
    "no_roster": N_("公司承诺：没有排班，按 1 个工作日计"),
}


def due(ctx: TenantContext, missed_at: datetime) -> tuple[datetime, dict[str, Any]]:
    """The moment, and the promise it rests on, to be kept with the task."""
    chosen = ctx.settings(ChannelPhoneSettings)
    promise = {"amount": chosen.within, "basis": chosen.counted}
    if chosen.counted == "hours":
        return missed_at + timedelta(hours=chosen.within), promise
    if chosen.counted == "workdays":
        return _workday(missed_at, chosen.within), promise
    moment = _on_duty(ctx, missed_at, chosen.within * 60)
    if moment is not None:
        return moment, promise
    return _workday(missed_at, 1), {"amount": 1, "basis": "no_roster"}


def words(promise: Mapping[str, Any]) -> Message:
    """公司承诺：2 个值班小时内回电."""
    return Message(BASES[str(promise.get("basis", "hours"))], {"n": promise.get("amount", 1)})


def _workday(moment: datetime, n: int) -> datetime:
    """The end of the ``n``-th working day after."""
    return schedule.moment_of(add_workdays(local_date(moment), n), 1439)


def _on_duty(ctx: TenantContext, since: datetime, minutes: int) -> datetime | None:
    """When so many minutes on duty have passed, by the roster as it stands now."""
    day, at = schedule.minute_of(since)
    shown = roster.picture(ctx, day, day + REACH * _ONE)
    left = minutes
    for n in range(REACH):
        on = day + n * _ONE
        for begin, end in shown.covered(on):
            first = max(begin, at) if n == 0 else begin
            if end <= first:
                continue
            if left <= end - first:
                return schedule.moment_of(on, first + left)
            left -= end - first
    return None
