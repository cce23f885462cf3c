"""Rules and people as they stand, the choice for one case, and the dry run over many."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import func, select

from huiyin.assignment.choosing import CaseFacts, Choice, Person, Rule, choose
from huiyin.assignment.errors import TooManyRules
from huiyin.assignment.models import AssignmentRule, Staffing
from huiyin.assignment.schemas import SKIPS, Conditions, RuleForm, StaffForm, Wants, words
from huiyin.cases import people as case_people
from huiyin.cases.change import Deed, change
from huiyin.cases.models import Case
from huiyin.cases.queries import visible
from huiyin.cases.schemas import AssignForm
from huiyin.cases.stages import CaseState, Part
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, system_actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import Role
from huiyin.kit.errors import Invalid, NotFound, Stale
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now, today
from huiyin.ledger import service as ledger

MOST: Final = 50
TRIED: Final = 50  # cases of a dry run

# Who is on duty now, told by plugins through the composition root; ``None`` when nobody knows.
Duty = Callable[[ScopedSession], Collection[uuid.UUID] | None]
_duty: list[Duty] = []


def consult_duty(roster: Duty) -> None:
    """Ask ``roster`` who is on duty."""
    _duty[:] = [roster]


# -- what there is -----------------------------------------------------------------------------


def rules_of(session: ScopedSession) -> Sequence[AssignmentRule]:
    """All rules in their order."""
    return session.scalars(
        select(AssignmentRule).order_by(AssignmentRule.position, AssignmentRule.id)
    ).all()


def as_rule(row: AssignmentRule) -> Rule:
    return Rule(
        title=row.title, active=row.active,
        conditions=msgspec.convert(row.conditions, Conditions),
        wants=msgspec.convert(row.wants, Wants),
    )  # fmt: skip


def people_of(session: ScopedSession) -> list[Person]:
    """Everybody who may own a case, with what is known of them; three queries."""
    staff = {row.account_id: row for row in session.scalars(select(Staffing))}
    loads = {
        owner: (int(number), last)
        for owner, number, last in session.execute(
            select(Case.owner_id, func.count(), func.max(Case.registered_at))
            .where(Case.state == CaseState.OPEN.value, Case.owner_id.is_not(None))
            .group_by(Case.owner_id)
        )
    }
    members = session.scalars(
        select(Membership)
        .where(Membership.active, Membership.roles.any_() == Role.COMPLAINT_OFFICER.value)
        .order_by(Membership.name, Membership.id)
        .limit(500)
    ).all()
    on_duty = next((known for ask in _duty if (known := ask(session)) is not None), None)
    return [_person(m, staff.get(m.account_id), loads, on_duty) for m in members]


def _person(
    member: Membership, known: Staffing | None, loads: dict[Any, Any],
    on_duty: Collection[uuid.UUID] | None,
) -> Person:  # fmt: skip
    load, last = loads.get(member.account_id, (0, None))
    person = Person(
        id=member.account_id, name=member.name, department=member.department, load=load,
        last=last, on_duty=on_duty is None or member.account_id in on_duty,
    )  # fmt: skip
    if known is None:
        return person
    return replace(
        person, skills=frozenset(known.skills), languages=frozenset(known.languages),
        most=known.most, away=(known.away_from, known.away_until),
    )  # fmt: skip


def facts_of(case: Case) -> CaseFacts:
    return CaseFacts(
        kind=case.intake_type, group=(case.category or "")[:1], fund=case.fund_id,
        language=case.language, channel=case.channel, source=case.source,
        words=f"{case.title}\n{case.story}\n{case.wish}", walled=case.walled,
    )  # fmt: skip


# -- the choice --------------------------------------------------------------------------------


def assign_new(session: ScopedSession, case: Case) -> Choice | None:
    """Give a case that nobody owns to whoever the rules find; ``None`` where none speaks.

    Who was passed over, and why, stands in the timeline and in the ledger.
    """
    if case.owner_id is not None or not case.is_open:
        return None
    rules = [as_rule(row) for row in rules_of(session) if row.active]
    if not rules:
        return None
    choice = choose(facts_of(case), rules, people_of(session), today())
    if not choice.rule:
        return None
    system = system_actor(session.tenant)
    told = {
        "rule": choice.rule,
        "skipped": [
            {"name": skip.name, "why": skip.why, "words": SKIPS[skip.why]}
            for skip in choice.skipped
        ],
    }
    if choice.person is None:
        change(session, system, case.number, Deed("unassigned", data=told))
        return choice
    form = AssignForm(part=Part.OWNER.value, account_id=choice.person.id)
    case_people.assign(session, system, case.number, form, told=told)
    return choice


@dataclass(frozen=True, slots=True)
class Trial:
    """A case of the dry run, and what the rules would do with it."""

    number: str
    title: str
    choice: Choice


def dry_run(
    session: ScopedSession, actor: Actor, draft: Rule | None = None, *, at: int | None = None
) -> tuple[list[Trial], Counter[str]]:
    """The last cases this person may know of, as the rules would assign them today.

    With ``draft`` as the rule at position ``at`` of the list, or at its end.  Nothing is changed;
    each case adds to the load of whoever would get it, as it would in truth.
    """
    rules = [as_rule(row) for row in rules_of(session)]
    if draft is not None:
        rules[slice(at, at + 1) if at is not None else slice(len(rules), None)] = [draft]
    cases = session.scalars(
        select(Case).where(visible(actor)).order_by(Case.received_at.desc(), Case.id.desc())
        .limit(TRIED)
    ).all()  # fmt: skip
    people = {person.id: replace(person, load=0) for person in people_of(session)}
    trials, tally = [], Counter[str]()
    for case in reversed(cases):
        choice = choose(facts_of(case), rules, list(people.values()), today())
        if choice.person is not None:
            taken = people[choice.person.id]
            people[taken.id] = replace(taken, load=taken.load + 1)
            tally[taken.name] += 1
        trials.append(Trial(case.number, case.title, choice))
    return trials[::-1], tally


# -- changing them -----------------------------------------------------------------------------


def save_rule(
    session: ScopedSession, actor: Actor, form: RuleForm, rule_id: uuid.UUID | None, *, rev: int
) -> AssignmentRule:
    """A new rule at the end, or a changed one where it stands.  Raises ``Stale``."""
    if rule_id is None:
        last = session.scalars(select(func.coalesce(func.max(AssignmentRule.position), 0))).one()
        if session.scalars(select(func.count()).select_from(AssignmentRule)).one() >= MOST:
            raise TooManyRules
        row = AssignmentRule(position=last + 1, version=0)
        session.add(row)
    else:
        row = find_rule(session, rule_id, lock=True)
        if row.version != rev:
            raise Stale
    row.title, row.active = form.title, form.active
    row.conditions = msgspec.to_builtins(form.conditions())
    row.wants = msgspec.to_builtins(form.wants())
    _changed(session, actor, row, "saved")
    return row


def move_rule(session: ScopedSession, actor: Actor, rule_id: uuid.UUID, up: bool) -> None:
    """Exchange a rule with the one before it, or after it; at the end nothing happens."""
    rows = list(session.scalars(
        select(AssignmentRule).order_by(AssignmentRule.position, AssignmentRule.id)
        .with_for_update()
    ))  # fmt: skip
    here = next((n for n, row in enumerate(rows) if row.id == rule_id), None)
    if here is None:
        raise NotFound
    there = here - 1 if up else here + 1
    if 0 <= there < len(rows):
        rows[here], rows[there] = rows[there], rows[here]
        for position, row in enumerate(rows, start=1):
            row.position = position
        _changed(session, actor, rows[there], "moved")


def delete_rule(session: ScopedSession, actor: Actor, rule_id: uuid.UUID) -> None:
    row = find_rule(session, rule_id, lock=True)
    _changed(session, actor, row, "deleted")
    session.delete(row)


def find_rule(session: ScopedSession, rule_id: uuid.UUID, *, lock: bool = False) -> AssignmentRule:
    """Raises ``NotFound``."""
    query = select(AssignmentRule).where(AssignmentRule.id == rule_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


def _changed(session: ScopedSession, actor: Actor, row: AssignmentRule, what: str) -> None:
    row.version += 1
    row.changed_at, row.changed_by, row.changed_name = now(), actor.id, actor.name
    session.flush()
    ledger.append(
        session, kind=f"assignment.rule_{what}", object_id=row.id, actor_id=actor.id,
        facts={"version": row.version, "position": row.position, "active": row.active},
        commits={"title": row.title, "rule": msgspec.json.encode([row.conditions, row.wants])},
    )  # fmt: skip


def staffing_of(session: ScopedSession, account_id: uuid.UUID) -> Staffing | None:
    return session.scalar(select(Staffing).where(Staffing.account_id == account_id))


def save_staff(
    session: ScopedSession, actor: Actor, account_id: uuid.UUID, form: StaffForm, *, rev: int
) -> None:
    """Write down what a member can do.  Raises ``NotFound``, ``Stale``, ``Invalid``."""
    if case_people.member(session, account_id) is None:
        raise NotFound
    if form.away_from and form.away_until and form.away_until < form.away_from:
        raise Invalid({"away_until": Message(N_("结束不能早于开始"))})
    if form.away_until and not form.away_from:
        raise Invalid({"away_from": Message(N_("请填写缺勤从哪天开始"))})
    row = staffing_of(session, account_id) or Staffing(account_id=account_id, version=0)
    if row.version != rev:
        raise Stale
    session.add(row)
    row.skills, row.languages = list(words(form.skills)), sorted(set(form.languages))
    row.most, row.away_from, row.away_until = form.most, form.away_from, form.away_until
    row.version, row.changed_at = row.version + 1, now()
    session.flush()
    ledger.append(
        session, kind="assignment.staffing", object_id=account_id, actor_id=actor.id,
        facts={"version": row.version, "most": row.most},
        commits={"skills": msgspec.json.encode([row.skills, row.languages])},
    )  # fmt: skip
