"""Coverage per post and person, the gaps, and the two figures others may quote."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Cell,
    Colleague,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    Role,
    TenantContext,
    local_date,
)
from huiyin_training_records.models import Course
from huiyin_training_records.standing import Held, Picture, picture
from huiyin_training_records.terms import ROLE_TITLES, STANDING_TITLES, Standing

PATH: Final = "/w/x/training-records/manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One post and one course (or the whole post): how many must hold it, how many do."""

    role: Role
    course: str = ""
    required: int
    valid: int

    @property
    def share(self) -> float | None:
        return self.valid / self.required if self.required else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Somebody who must hold a course and does not."""

    person: Colleague
    course: str
    standing: Standing
    assignment_id: uuid.UUID | None
    due_on: date | None
    reminders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The firm on one day."""

    day: date
    required: int
    valid: int
    posts: Sequence[Cover]
    courses: Sequence[Cover]
    gaps: Sequence[Gap]

    @property
    def share(self) -> float | None:
        return self.valid / self.required if self.required else None


def _titles(ctx: TenantContext) -> dict[uuid.UUID, str]:
    return dict(ctx.session.execute(select(Course.id, Course.title)).all())


def on(ctx: TenantContext, day: date) -> Coverage:
    """In four queries."""
    shown, titles = picture(ctx.session, day), _titles(ctx)
    must = [held for held in shown.held if held.required]
    posts, courses = _by_post(shown, must, titles)
    return Coverage(
        day=day, required=len(must), valid=sum(held.valid for held in must), posts=posts,
        courses=courses, gaps=list(_gaps(shown, must, titles)),
    )  # fmt: skip


def _by_post(
    shown: Picture, must: Sequence[Held], titles: dict[uuid.UUID, str]
) -> tuple[list[Cover], list[Cover]]:
    holds = {(held.account_id, held.course_id): held.valid for held in must}
    pairs: dict[tuple[str, uuid.UUID], list[bool]] = defaultdict(list)
    for rule in shown.required:
        for person in shown.people.values():
            if rule.role in person.roles:
                pairs[rule.role, rule.course_id].append(holds[person.id, rule.course_id])
    posts: list[Cover] = []
    courses: list[Cover] = []
    for role in ROLE_TITLES:
        lines = {key: found for key, found in pairs.items() if key[0] == role}
        if not lines:
            continue
        every = [one for found in lines.values() for one in found]
        posts.append(Cover(role=role, required=len(every), valid=sum(every)))
        courses += [
            Cover(role=role, course=titles[course], required=len(found), valid=sum(found))
            for (_, course), found in lines.items()
        ]
    return posts, courses


def _gaps(shown: Picture, must: Iterable[Held], titles: dict[uuid.UUID, str]) -> Iterable[Gap]:
    order = list(Standing)
    for held in sorted(must, key=lambda h: (order.index(h.standing), h.account_id)):
        if not held.valid:
            line = held.line
            yield Gap(
                person=shown.people[held.account_id], course=titles[held.course_id],
                standing=held.standing, assignment_id=line.id if line else None,
                due_on=line.due_on if line else None, reminders=line.reminders if line else 0,
            )  # fmt: skip


# -- files -------------------------------------------------------------------------------------

GAP_HEADING: Final = (
    N_("姓名"), N_("部门"), N_("课程"), N_("状态"), N_("完成期限"), N_("已提醒"),
)  # fmt: skip
POST_HEADING: Final = (N_("岗位"), N_("课程"), N_("应完成"), N_("有效"), N_("覆盖率"))


def sheets(ctx: TenantContext, found: Coverage) -> dict[str, tuple[list[str], list[list[Cell]]]]:
    """Both tables, in the reader's language."""
    _ = ctx.text
    posts: list[list[Cell]] = [
        [_(ROLE_TITLES[c.role]), c.course, c.required, c.valid, round(c.share or 0.0, 4)]
        for c in found.courses
    ]
    gaps: list[list[Cell]] = [
        [g.person.name, g.person.department, g.course, _(STANDING_TITLES[g.standing]), g.due_on,
         g.reminders]
        for g in found.gaps
    ]  # fmt: skip
    return {
        _(N_("岗位覆盖")): ([_(name) for name in POST_HEADING], posts),
        _(N_("缺口")): ([_(name) for name in GAP_HEADING], gaps),
    }


# -- figures -----------------------------------------------------------------------------------


def _day_of(ctx: TenantContext, period: Period) -> date:
    """A period that is not over yet is judged today."""
    return min(period.until, local_date(ctx.now()))


def _proof(held: Held, titles: dict[uuid.UUID, str], counted: float) -> Proof:
    title = Message(
        N_("「{course}」{state}"),
        {"course": titles[held.course_id], "state": Message(STANDING_TITLES[held.standing])},
    )
    path = f"{PATH}/records/{held.line.id}" if held.line else PATH
    return Proof(title, path, counted)


def measure_coverage(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """For the firm; nothing required, nothing to measure."""
    shown, titles = picture(ctx.session, _day_of(ctx, period)), _titles(ctx)
    must = [held for held in shown.held if held.required]
    if not must:
        return [Measured(None, 0)]
    proofs = tuple(_proof(held, titles, float(held.valid)) for held in must)
    return [Measured(sum(p.counted for p in proofs) / len(must), len(must), None, proofs)]


def counts(held: Held) -> bool:
    """Whether a training tells of being up to date: not one that is not due yet, nor one that
    has lapsed and that nobody asks for any longer."""
    if held.standing in {Standing.OPEN, Standing.CANCELLED}:
        return False
    if held.required:
        return held.standing is not Standing.MISSING
    return held.standing not in {Standing.EXPIRED, Standing.REVOKED}


def measure_up_to_date(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """For each person who has anything that counts."""
    shown, titles = picture(ctx.session, _day_of(ctx, period)), _titles(ctx)
    proofs: dict[uuid.UUID, list[Proof]] = defaultdict(list)
    for held in shown.held:
        if counts(held):
            proofs[held.account_id].append(_proof(held, titles, float(held.valid)))
    return [
        Measured(sum(p.counted for p in found) / len(found), len(found), who, tuple(found))
        for who, found in proofs.items()
    ]


FIGURES: Final = (
    Figure(
        name="training_records:coverage", title=N_("培训覆盖率"), unit=FigureUnit.SHARE,
        nature=Nature.CONTROL, measure=measure_coverage,
        definition=N_("期末，在职成员按岗位要求应完成的培训中，处于有效状态的比例"),
    ),
    Figure(
        name="training_records:up_to_date", title=N_("培训按期完成"), unit=FigureUnit.SHARE,
        nature=Nature.LEARNING, per_person=True, measure=measure_up_to_date,
        definition=N_(
            "期末，本人应完成的培训中处于有效状态的比例；尚未到完成期限的、还没有指派的不计入"
        ),
    ),
)  # fmt: skip
