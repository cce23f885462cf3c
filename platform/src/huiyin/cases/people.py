"""Who does what in a case: assignment, assistance, recusal, tasks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from huiyin.cases import duties
from huiyin.cases.change import Deed, change, take_part
from huiyin.cases.errors import HadAPartBefore, NobodyLeft
from huiyin.cases.models import Case, Participation, Task
from huiyin.cases.schemas import AssignForm, TaskForm
from huiyin.cases.stages import HANDLING, PART_TITLES, Part
from huiyin.cases.verbs import VERBS
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import Role, permissions_of
from huiyin.kit.errors import Conflict, Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now

# Which permission a person must hold to be given a part.
_NEEDS = {
    Part.OWNER: "case.handle",
    Part.INVESTIGATOR: "case.handle",
    Part.ASSISTANT: "case.note",
    Part.DELEGATE: "case.handle",
}


def candidates(session: ScopedSession, case: Case, part: Part) -> Sequence[Membership]:
    """Members who may be given the part: able by role and not walled from the case."""
    return [m for m in members(session) if _able(m, part) and m.account_id not in case.walled]


def member(session: ScopedSession, account_id: uuid.UUID | None) -> Membership | None:
    """An active member of the firm."""
    if account_id is None:
        return None
    return session.scalar(
        select(Membership).where(Membership.account_id == account_id, Membership.active)
    )


def members(session: ScopedSession) -> Sequence[Membership]:
    """Everybody active in the firm, by name."""
    return session.scalars(
        select(Membership).where(Membership.active).order_by(Membership.name).limit(500)
    ).all()


def parts_for(person: Membership) -> Sequence[Part]:
    """The parts that the roles of this member allow."""
    return [part for part in _NEEDS if _able(person, part)]


def _able(person: Membership, part: Part) -> bool:
    return _NEEDS[part] in _permissions(person)


def _permissions(person: Membership) -> frozenset[str]:
    return permissions_of(frozenset(Role(role) for role in person.roles))


def assign(
    session: ScopedSession, actor: Actor, number: str, form: AssignForm, *,
    rev: int | None = None, told: Mapping[str, Any] | None = None,
) -> Case:  # fmt: skip
    """Give somebody a part.  People named in the case, and people without the role, cannot.

    ``told`` is what the timeline says besides, such as the rule by which it was done.
    """
    part = Part(form.part)
    person = member(session, form.account_id)
    if person is None or not _able(person, part):
        raise Invalid({"account_id": Message(N_("请选择具备相应角色的在职人员"))})

    def apply(case: Case) -> None:
        if person.account_id in case.walled:
            raise Invalid({"account_id": Message(N_("此人须回避本案，请选择其他人"))})
        if part is Part.INVESTIGATOR:
            _check_fresh(session, case, person)
        moment = now()
        former = {Part.OWNER: case.owner_id, Part.INVESTIGATOR: case.investigator_id}.get(part)
        if former and former != person.account_id:
            _leave(session, case, former, part)
        if part is Part.OWNER:
            case.owner_id = person.account_id
        if part is Part.INVESTIGATOR:
            case.investigator_id = person.account_id
        take_part(session, actor, case, person.account_id, person.name, part, moment)

    return change(
        session,
        actor,
        number,
        Deed(
            "assist" if part is Part.ASSISTANT else "assign",
            body=form.reason,
            apply=apply,
            data={"to": person.name, "part": PART_TITLES[part], **(told or {})},
            facts={"to": person.account_id, "part": part.value},
            outbox_data={"to": str(person.account_id), "part": part.value},
        ),
        rev=rev,
    )


def _check_fresh(session: ScopedSession, case: Case, person: Membership) -> None:
    """In a later round somebody investigates who had no hand in the earlier ones."""
    before = duties.handled_before(case, duties.history_of(session, case, person.account_id))
    if not before:
        return
    if not duties.able(session, case, VERBS["conclude"]):
        raise NobodyLeft(role=Message(PART_TITLES[Part.INVESTIGATOR]))
    parts = [Message(title) for title in dict.fromkeys(PART_TITLES[part] for part in before)]
    told = Message(HadAPartBefore.default, {"name": person.name, "parts": parts})
    raise Invalid({"account_id": told})


def _leave(session: ScopedSession, case: Case, account_id: uuid.UUID, part: Part) -> None:
    """End a part; the history keeps it, and so does the person's bar from judging."""
    held = session.scalar(
        select(Participation).where(
            Participation.case_id == case.id,
            Participation.account_id == account_id,
            Participation.part == part.value,
        )
    )
    if held:
        held.until = now()


def judges(
    session: ScopedSession, case: Case, permission: str = "case.approve"
) -> Sequence[Membership]:
    """Members who may judge this case: able by role, with no part in it, ever, and not named."""
    handled = select(Participation.account_id).where(
        duties.in_matter(case),
        Participation.part.in_([part.value for part in HANDLING]),
        duties.still_counts(),
    )
    able = session.scalars(
        select(Membership)
        .where(Membership.active, Membership.account_id.not_in(handled))
        .order_by(Membership.name)
    )
    now_handling = {case.owner_id, case.investigator_id}
    return [
        person
        for person in able
        if permission in permissions_of(frozenset(Role(role) for role in person.roles))
        and person.account_id not in case.walled
        and person.account_id not in now_handling
    ]


def participations(session: ScopedSession, case: Case) -> Sequence[Participation]:
    """Everybody who ever had a part, oldest first."""
    return session.scalars(
        select(Participation)
        .where(Participation.case_id == case.id)
        .order_by(Participation.since, Participation.id)
    ).all()


def doer(session: ScopedSession, case: Case, account_id: uuid.UUID | None) -> Membership | None:
    """The member of that id, if able to finish a task of this case and not walled from it."""
    person = member(session, account_id)
    if person is None or person.account_id in case.walled:
        return None
    able = VERBS["finish_task"].permission in _permissions(person)
    return person if able else None


def give(
    session: ScopedSession, by: Actor, case: Case, task: Task, person: Membership | None
) -> None:
    """Make the task somebody's.  Who has work in a case sees it, and judges nothing in it."""
    task.assignee_id = person.account_id if person else None
    task.assignee_name = person.name if person else ""
    if person and person.account_id not in case.team:
        take_part(session, by, case, person.account_id, person.name, Part.ASSISTANT, now())


def hand_back(session: ScopedSession, by: Actor, case: Case, account_id: uuid.UUID) -> None:
    """Open tasks of somebody who may not know of the case any more go to its owner."""
    mine = select(Task).where(
        Task.case_id == case.id, Task.assignee_id == account_id, Task.done_at.is_(None)
    )
    for task in session.scalars(mine):
        give(session, by, case, task, doer(session, case, case.owner_id))


def add_task(
    session: ScopedSession, actor: Actor, number: str, form: TaskForm, *, measure: bool = False
) -> Task:
    """A task for somebody by a day; whoever gets it may open the case from then on."""
    task = Task(title=form.title, due_on=form.due_on, is_measure=measure, created_by=actor.id)

    def apply(case: Case) -> None:
        person = doer(session, case, form.assignee_id)
        if form.assignee_id and person is None:
            wrong = N_("责任人须为具备办理权限的在职人员，且不是本案须回避的人员")
            raise Invalid({"assignee_id": Message(wrong)})
        task.case_id = case.id
        give(session, actor, case, task, person)
        session.add(task)
        count_task(case, +1, measure=measure)

    change(
        session,
        actor,
        number,
        Deed(
            "add_task",
            data={"title": form.title},
            apply=apply,
            facts={"measure": measure},
            commits={"title": form.title},
        ),
    )
    return task


def count_task(case: Case, step: int, *, measure: bool) -> None:
    """Keep the numbers the page shows: all, open, and open measures."""
    counts = dict(case.counts)
    if step > 0:
        counts["tasks"] = int(counts.get("tasks", 0)) + step
    counts["tasks_open"] = int(counts.get("tasks_open", 0)) + step
    if measure:
        counts["measures_open"] = int(counts.get("measures_open", 0)) + step
    case.counts = counts


def finish_task(
    session: ScopedSession, actor: Actor, number: str, task_id: uuid.UUID, proof: str
) -> Case:
    """Mark a task done, with what proves it.  Doing it twice is refused."""

    def apply(case: Case) -> None:
        task = session.get(Task, (session.tenant, task_id), with_for_update=True)
        if task is None or task.case_id != case.id:
            raise NotFound
        if task.done_at:
            raise Conflict(N_("这项任务已登记完成，请刷新页面"))
        task.done_at, task.done_by, task.proof = now(), actor.id, proof
        count_task(case, -1, measure=task.is_measure)

    return change(
        session,
        actor,
        number,
        Deed("finish_task", body=proof, apply=apply, facts={"task": task_id}),
    )
