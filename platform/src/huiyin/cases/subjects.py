"""Those a complaint is about: for them the case, and all that is handled with it, is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import or_, select

from huiyin.cases.change import Deed, change, find, take_part
from huiyin.cases.models import Case, Participation
from huiyin.cases.people import hand_back, judges, member, members
from huiyin.cases.schemas import SubjectForm
from huiyin.cases.stages import Part
from huiyin.db import ScopedSession
from huiyin.identity.actor import SYSTEM_ID, Actor, system_actor
from huiyin.identity.policy import Role
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now

NO_JUDGE = N_("登记后本案将没有可以审批的人员，请先由租户管理员增补审批人，再登记")
NO_SUPERVISOR = N_("登记后本案将没有监督，请先由租户管理员增补监督，再登记")
IS_A_MASTER = N_("已有案件并入本案，本案不能再并入其他案件，请把对方并入本案")
ALSO_NAMED = N_("{number} 也登记了此人为被投诉人，请先在该案撤销登记")
NOBODY_FOR_BOTH = N_("并案后将没有可以审批或监督的人员，请先由租户管理员增补，或分别办理")


class Person(Protocol):
    """Somebody by account and name: a member, or a part held."""

    @property
    def account_id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


def subjects(session: ScopedSession, case: Case) -> Sequence[Participation]:
    """The people named in the case now."""
    return session.scalars(
        select(Participation)
        .where(
            Participation.case_id == case.id,
            Participation.part == Part.SUBJECT.value,
            Participation.until.is_(None),
        )
        .order_by(Participation.since, Participation.id)
    ).all()


def name_subject(
    session: ScopedSession, actor: Actor, number: str, form: SubjectForm, *, rev: int | None = None
) -> Case:
    """Name a member as the one complained about: from now on the case does not exist for them.

    Nor do the cases that are handled with it.  Raises ``Invalid`` without a reason, or when
    nobody would be left to judge or supervise one of them.
    """
    person = member(session, form.account_id)
    if person is None:
        raise Invalid({"account_id": Message(N_("请选择在职人员"))})
    if person.account_id == actor.id:
        raise Conflict(N_("不能登记本人为被投诉人，请由其他人办理"))
    lock(session, find(session, actor, number))
    named = change(session, actor, number, _naming(session, actor, form.reason, person), rev=rev)
    for other in _handled_with(session, named):
        _name_there(session, other, [person], form.reason)
    return named


def lock(session: ScopedSession, *cases: Case) -> None:
    """Lock every case of these matters in one order, before the first of them is changed."""
    heads = {case.master_id or case.id for case in cases}
    matter = select(Case.id).where(or_(Case.id.in_(heads), Case.master_id.in_(heads)))
    session.execute(matter.order_by(Case.id).with_for_update()).all()


def share(session: ScopedSession, case: Case, into: Case, reason: str) -> None:
    """Two cases are handled as one from now on: whoever is named in one is named in both."""
    _name_there(session, into, subjects(session, case), reason)
    for other in _handled_with(session, into):
        _name_there(session, other, subjects(session, into), reason)


def _name_there(session: ScopedSession, case: Case, people: Iterable[Person], reason: str) -> None:
    by = system_actor(session.tenant)
    for person in people:
        if person.account_id not in case.walled:
            change(session, by, case.number, _naming(session, by, reason, person))


def _naming(session: ScopedSession, actor: Actor, reason: str, person: Person) -> Deed:
    def apply(case: Case) -> None:
        check_left(session, case, person)
        if case.owner_id == person.account_id:
            case.owner_id = None
        if case.investigator_id == person.account_id:
            case.investigator_id = None
        take_part(session, actor, case, person.account_id, person.name, Part.SUBJECT, now())
        hand_back(session, actor, case, person.account_id)

    return Deed(
        "name_subject", body=reason, apply=apply, data={"name": person.name},
        facts={"subject": person.account_id},
    )  # fmt: skip


def check_left(session: ScopedSession, case: Case, person: Person) -> None:
    """Whoever is named leaves somebody behind to judge the case, and somebody to supervise it."""
    judging = {judge.account_id for judge in judges(session, case)}
    if judging == {person.account_id}:
        raise Invalid({"account_id": Message(NO_JUDGE)})
    if _watching(session, case) == {person.account_id}:
        raise Invalid({"account_id": Message(NO_SUPERVISOR)})


def check_left_of_both(session: ScopedSession, case: Case, into: Case) -> None:
    """When the two are handled as one, somebody is left to judge and to supervise them.

    What others are handled under is not merged itself: a matter has one master.
    """
    under = select(Case.id).where(Case.master_id == case.id).limit(1)
    if session.scalar(under) is not None:
        raise Invalid({"master": Message(IS_A_MASTER)})
    both = {j.account_id for j in judges(session, case)} & {
        j.account_id for j in judges(session, into)
    }
    watching = _watching(session, case) & _watching(session, into)
    if not both or (not watching and (_watching(session, case) or _watching(session, into))):
        raise Invalid({"master": Message(NOBODY_FOR_BOTH)})


def _watching(session: ScopedSession, case: Case) -> set[UUID]:
    return {
        person.account_id
        for person in members(session)
        if Role.SUPERVISOR.value in person.roles and person.account_id not in case.walled
    }


def lift_subject(
    session: ScopedSession, actor: Actor, number: str, form: SubjectForm, *, rev: int | None = None
) -> Case:
    """Clear somebody who was named by mistake: the case is there for them again, with those
    that are handled with it.

    The history keeps that they were named, and until when.  Parts they had are not given back.
    Raises ``Conflict`` as long as another case of the matter names them on its own account.
    """
    before = find(session, actor, number)
    lock(session, before)
    shared = []
    for other in _handled_with(session, before):
        held = {one.account_id: one for one in subjects(session, other)}.get(form.account_id)
        if held is not None and held.by_id != SYSTEM_ID:
            raise Conflict(ALSO_NAMED, number=other.number)
        if held is not None:
            shared.append(other.number)
    lifted = change(session, actor, number, _lifting(session, form), rev=rev)
    for elsewhere in shared:
        change(session, system_actor(session.tenant), elsewhere, _lifting(session, form))
    return lifted


def _lifting(session: ScopedSession, form: SubjectForm) -> Deed:
    deed = Deed("lift_subject", body=form.reason, facts={"subject": form.account_id})

    def apply(case: Case) -> None:
        named = {held.account_id: held for held in subjects(session, case)}
        held = named.get(form.account_id)
        if held is None:
            raise Invalid({"account_id": Message(N_("请选择已登记的被投诉人"))})
        held.until = now()
        case.walled = [who for who in case.walled if who != form.account_id]
        deed.data = {"name": held.name}

    deed.apply = apply
    return deed


def _handled_with(session: ScopedSession, case: Case) -> Sequence[Case]:
    """The other cases of the same matter: its master, and whatever is handled under either."""
    head = case.master_id or case.id
    return session.scalars(
        select(Case)
        .where(or_(Case.id == head, Case.master_id == head), Case.id != case.id)
        .order_by(Case.id)
    ).all()
