"""A made-up firm's telephone, made with the same services that people use."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import select

from huiyin.sdk import (
    Actor,
    Case,
    CaseState,
    Colleague,
    Investor,
    Role,
    TenantContext,
    colleagues,
    local,
    local_date,
    system_actor,
    uuid7,
    visible_cases,
)
from huiyin_channel_phone import (
    backs,
    calls,
    imports,
    numbers,
    recordings,
    roster,
    schedule,
    webhook,
)
from huiyin_channel_phone.models import Call
from huiyin_channel_phone.schemas import (
    AbsenceForm,
    BeginForm,
    CallForm,
    PostForm,
    ShiftForm,
)
from huiyin_channel_phone.terms import CHANNEL, Direction, Sort, Source, State

_LINE: Final = "400-000-0000"
_RATE: Final = 8000  # samples a second
_ONE: Final = timedelta(days=1)


def fill(ctx: TenantContext) -> None:
    """Two posts with honest gaps, calls of all sorts, call-backs in time and late, a file."""
    people = colleagues(ctx.session)
    officers = [p for p in people if Role.COMPLAINT_OFFICER in p.roles]
    if not officers:
        return
    officer = _as(ctx, officers[0])
    _roster(officer, people, officers)
    day = local_date(ctx.now())
    _history(ctx, officer, day)
    _talks(officer)
    _taken_down(officer)
    _import(officer, day)


def _as(ctx: TenantContext, person: Colleague) -> TenantContext:
    """What that colleague would be lent."""
    actor = Actor(person.id, ctx.tenant.id, person.name, person.roles, person.department)
    return replace(ctx, actor=actor)


def _system(ctx: TenantContext) -> TenantContext:
    return replace(ctx, actor=system_actor(ctx.tenant.id))


# -- the roster --------------------------------------------------------------------------------


def _roster(ctx: TenantContext, people: Sequence[Colleague], officers: Sequence[Colleague]) -> None:
    hotline = roster.save_post(
        ctx,
        PostForm(
            title="投诉热线", line=_LINE, outside="voicemail",
            outside_note="语音信箱每天 9:00 听取并回电",
        ),
    )  # fmt: skip
    urgent = roster.save_post(
        ctx, PostForm(title="应急手机", line="13800000110", outside="message")
    )
    helper = next((p for p in people if Role.INVESTIGATOR in p.roles), officers[-1])
    main, second, third = officers[0].id, officers[-1].id, helper.id
    today = local_date(ctx.now())
    for post, title, days, begins, ends, who, deputy in (
        (hotline, "上午", "workdays", "09:00", "12:00", main, second),
        (hotline, "下午", "workdays", "13:00", "17:30", second, main),
        (hotline, "周末", "restdays", "10:00", "16:00", third, None),
        (urgent, "夜间", "workdays", "19:00", "01:00", third, main),
    ):
        deputies = () if deputy in {None, who} else (deputy,)
        roster.save_shift(
            ctx, post,
            ShiftForm(
                title=title, days=days, begins=begins, ends=ends,  # type: ignore[arg-type]
                first_on=today - 60 * _ONE, person=who, deputies=deputies,
            ),
        )  # fmt: skip
    monday = today - today.weekday() * _ONE
    for person, first, last in ((second, 1, 2), (third, 6, 6)):
        away = AbsenceForm(
            account_id=person, first_on=monday + first * _ONE, last_on=monday + last * _ONE
        )
        roster.enter_absence(ctx, away)


# -- what the telephone system told ------------------------------------------------------------


def _told(
    ctx: TenantContext, name: str, at: datetime, number: str, *, answered: bool, seconds: int = 0,
    direction: str = "in",
) -> Call:  # fmt: skip
    inbound = direction == "in"
    event = {
        "call_id": f"pbx-{name}", "direction": direction, "answered": answered,
        "caller": number if inbound else _LINE, "called": _LINE if inbound else number,
        "started_at": at, "seconds": seconds, "agent": "8001",
    }  # fmt: skip
    return webhook.take(_system(ctx), str(event["call_id"]), msgspec.json.encode(event))[0]


def _at(day: date, hour: int, minute: int) -> datetime:
    return schedule.moment_of(day, hour * 60 + minute)


def _history(ctx: TenantContext, officer: TenantContext, day: date) -> None:
    """Two weeks: some missed and called back in time, one late, some still waiting."""
    for n, (ago, number) in enumerate(((9, "13900001101"), (7, "02160000102"), (4, "13900001103"))):
        on = day - ago * _ONE
        _told(ctx, f"m{n}", _at(on, 10, 12), number, answered=False)
        late = 26 if n == 1 else 0
        _told(
            ctx, f"b{n}", _at(on, 10, 55) + timedelta(hours=late), number, answered=True,
            seconds=190 + 40 * n, direction="out",
        )  # fmt: skip
    moment = ctx.now()
    _told(ctx, "w1", moment - timedelta(hours=30), "13900001104", answered=False)
    _told(ctx, "w2", moment - timedelta(minutes=25), "13900001105", answered=False)
    _told(ctx, "w3", moment - timedelta(minutes=12), "13900001105", answered=False)
    _told(ctx, "w4", moment - timedelta(minutes=50), "02160000106", answered=False)
    _told(ctx, "u1", moment - timedelta(minutes=95), "13900001107", answered=True, seconds=402)
    backs.chase(_system(ctx))
    _completed(officer)
    call = ctx.session.scalar(select(Call).where(Call.external_id == "pbx-u1"))
    if call is not None:
        recordings.add(
            officer, call, "8001-通话.wav", _tone(), source=Source.FORM.value,
            consent="接通时已播放录音提示",
        )  # fmt: skip


def _completed(ctx: TenantContext) -> None:
    """The first calls back were written down."""
    for n in range(2):
        call = ctx.session.scalar(select(Call).where(Call.external_id == f"pbx-b{n}"))
        if call is not None:
            draft = calls.complete(ctx, call)
            form = CallForm(
                to="enquiry",
                told=True,
                story="询问定期报告的发送方式。",
                answer="已说明并重新发送。",
            )
            calls.save(ctx, draft, form)


def _tone() -> io.BytesIO:
    """Two seconds of a quiet tone: nobody's voice."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        frames = (int(2500 * math.sin(2 * math.pi * 440 * n / _RATE)) for n in range(2 * _RATE))
        file.writeframes(b"".join(struct.pack("<h", frame) for frame in frames))
    out.seek(0)
    return out


# -- what was written down ---------------------------------------------------------------------


def _form(ctx: TenantContext, number: str, **fields: Any) -> calls.Saved:
    way = fields.pop("direction", "in")
    draft = calls.begin(ctx, BeginForm(number=number, direction=way))
    return calls.save(ctx, draft, CallForm(number=number, **fields))


def _talks(ctx: TenantContext) -> None:
    _form(
        ctx, "13900001108", name="乔月", told=True, minutes=4, to="enquiry",
        story="询问基金季报在哪里查看。",
        answer="已说明在信息披露备份平台查询，并发送了操作指引。",
    )  # fmt: skip
    open_ = ctx.session.scalars(
        select(Case.number)
        .where(Case.state == CaseState.OPEN.value, visible_cases(ctx.actor))
        .order_by(Case.received_at.desc())
        .limit(2)
    ).all()
    if open_:
        saved = _form(
            ctx, "13900001110", name="", told=True, minutes=6, to=f"case:{open_[-1]}",
            direction="out", story="告知调查进展，对方补充了申请单的提交时间。",
        )  # fmt: skip
        recordings.add(
            ctx, saved.call, "回访录音.wav", _tone(), source=Source.FORM.value,
            consent="开始时已口头告知，对方同意",
        )  # fmt: skip
    draft = calls.begin(ctx, BeginForm(number="13900001111"))
    started = f"{local(draft.started_at):%Y-%m-%dT%H:%M}"
    calls.keep(
        ctx,
        draft,
        {"number": "13900001111", "story": "对净值有疑问，正在查", "started_at": started},
    )


def _taken_down(ctx: TenantContext) -> None:
    """The calls with which complaints of the demonstration came in by telephone."""
    rows = ctx.session.execute(
        select(Case, Investor)
        .join(Investor, Investor.id == Case.complainant_id)
        .where(Case.channel == CHANNEL, Investor.phone != "", visible_cases(ctx.actor))
        .order_by(Case.received_at.desc(), Case.id)
        .limit(5)
    )
    for n, (case, who) in enumerate(rows.all()):
        ctx.session.add(
            Call(
                id=uuid7(), source=Source.FORM.value, direction=Direction.IN.value,
                state=State.ANSWERED.value, number=numbers.normal(who.phone),
                started_at=case.received_at, seconds=60 * (4 + n), sort=Sort.COMPLAINT.value,
                case_id=case.id, name=who.name, story=case.story, told=True,
                account_id=case.owner_id or ctx.actor.id, logged_at=case.registered_at, rev=1,
            )
        )  # fmt: skip
    ctx.session.flush()


def _import(ctx: TenantContext, day: date) -> None:
    """A file with three good rows, one that is here already, and one that is wrong."""
    on = (day - 12 * _ONE).isoformat()
    heading = ",".join(imports.COLUMNS)
    rows = [
        f"cdr-{n},来电,1390000121{n},{_LINE},{on} 10:0{n}:00,{60 * n},{took},8001"
        for n, took in enumerate(("未接", "接通", "接通"))
    ]
    rows += [rows[0], f"cdr-9,来电,不详,{_LINE},{on},0,未接,"]
    file = io.BytesIO("\n".join([heading, *rows]).encode())
    imports.begin(ctx, ("十一月话单.csv", file), call_backs=True)
