"""Who does what in a case: assignment, assistance, recusal, tasks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from huiyin.cases import duties
from huiyin.cases.change import Deed, change, take_part
from huiyin.cases.errors import HadAPartBefore, NobodyLeft
from huiyin.cases.models import Case, Participation, Task
from huiyin.cases.schemas import AssignForm, SubjectForm, TaskForm
from huiyin.cases.service import member
from huiyin.cases.stages import PART_TITLES, Part
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


def members(session: ScopedSession) -> Sequence[Membership]:
    """Everybody active in the firm, by name."""
    return session.scalars(
        select(Membership).where(Membership.active).order_by(Membership.name).limit(500)
    ).all()


def _able(person: Membership, part: Part) -> bool:
    return _NEEDS[part] in permissions_of(frozenset(Role(role) for role in person.roles))


def assign(
    session: ScopedSession, actor: Actor, number: str, form: AssignForm, *, rev: int | None = None
) -> Case:
    """Give somebody a part.  People named in the case, and people without the role, cannot."""
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
            data={"to": person.name, "part": PART_TITLES[part]},
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
    parts = Message("、".join(dict.fromkeys(PART_TITLES[part] for part in before)))
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


def name_subject(
    session: ScopedSession, actor: Actor, number: str, form: SubjectForm, *, rev: int | None = None
) -> Case:
    """Name a member as the one complained about: from now on the case does not exist for them."""
    person = member(session, form.account_id)
    if person is None:
        raise Invalid({"account_id": Message(N_("请选择在职人员"))})
    if person.account_id == actor.id:
        raise Conflict(N_("不能登记本人为被投诉人，请由其他人办理"))

    def apply(case: Case) -> None:
        if case.owner_id == person.account_id:
            case.owner_id = None
        if case.investigator_id == person.account_id:
            case.investigator_id = None
        take_part(session, actor, case, person.account_id, person.name, Part.SUBJECT, now())

    return change(
        session,
        actor,
        number,
        Deed("name_subject", body=form.reason, apply=apply, facts={"subject": person.account_id}),
        rev=rev,
    )


def participations(session: ScopedSession, case: Case) -> Sequence[Participation]:
    """Everybody who ever had a part, oldest first."""
    return session.scalars(
        select(Participation)
        .where(Participation.case_id == case.id)
        .order_by(Participation.since, Participation.id)
    ).all()


def add_task(
    session: ScopedSession, actor: Actor, number: str, form: TaskForm, *, measure: bool = False
) -> Task:
    """A task for somebody by a day."""
    person = member(session, form.assignee_id)
    if form.assignee_id and person is None:
        raise Invalid({"assignee_id": Message(N_("请选择在职人员"))})
    task = Task(
        title=form.title,
        assignee_id=person.account_id if person else None,
        assignee_name=person.name if person else "",
        due_on=form.due_on,
        is_measure=measure,
        created_by=actor.id,
    )

    def apply(case: Case) -> None:
        task.case_id = case.id
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
