"""Who is kept from an act by what he or she did in the case: judged on history and on the person.

A review or a reopened case begins a new round with people who had no hand in it before: whoever
handled the case then neither investigates now nor judges, and whoever approved then does not
approve again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import ColumnElement, or_, select

from huiyin.cases.errors import HadAPartBefore, NobodyLeft, SecondPersonRequired
from huiyin.cases.models import Case, Participation
from huiyin.cases.stages import HANDLING, PART_TITLES, ROUND, Part
from huiyin.cases.verbs import Verb
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import Role, permissions_of, table
from huiyin.kit.i18n import Message

# What ends with a round; whom the case is about, and who watches over it, stays the same.
_OF_A_ROUND: Final = (HANDLING - {Part.SUBJECT}) | {Part.APPROVER}


class Held(Protocol):
    """A part as it was once held."""

    @property
    def part(self) -> str: ...
    @property
    def since(self) -> datetime: ...


def begin_round(session: ScopedSession, case: Case, moment: datetime) -> None:
    """Everybody's part ends; the history stays, and tells the rounds apart by their beginning."""
    parts = session.scalars(
        select(Participation).where(
            Participation.case_id == case.id,
            Participation.until.is_(None),
            Participation.part.in_([part.value for part in _OF_A_ROUND]),
        )
    )
    for held in parts:
        held.until = moment
    case.owner_id = case.investigator_id = None
    nth = int(case.facts.get(ROUND, {}).get("n", 1)) + 1
    case.facts = {**case.facts, ROUND: {"at": moment.isoformat(), "n": nth}}


def is_earlier(case: Case, held: Held) -> bool:
    """Whether the part goes back to a round before the present one."""
    begun = case.facts.get(ROUND)
    return begun is not None and held.since < datetime.fromisoformat(begun["at"])


def handled_before(case: Case, history: Iterable[Held]) -> list[Part]:
    """The parts of handling among these that go back to an earlier round."""
    return [Part(h.part) for h in history if Part(h.part) in HANDLING and is_earlier(case, h)]


def barring(case: Case, verb: Verb, history: Iterable[Held]) -> list[Part]:
    """The parts of one person that keep him or her from the act."""
    held = {Part(h.part) for h in history if h.part in verb.bars}
    held |= {Part(h.part) for h in history if h.part in verb.fresh and is_earlier(case, h)}
    return [part for part in Part if part in held]


def check(session: ScopedSession, actor: Actor, case: Case, verb: Verb) -> None:
    """Raise ``SecondPersonRequired``, or ``NobodyLeft`` when no other member could do it."""
    if not verb.bars and not verb.fresh:
        return
    mine = barring(case, verb, history_of(session, case, actor.id))
    if not mine:
        return
    parts = [Message(PART_TITLES[part]) for part in mine]
    why = SecondPersonRequired if verb.bars & set(mine) else HadAPartBefore
    if (Part.APPROVER in verb.bars or why is HadAPartBefore) and not able(session, case, verb):
        raise NobodyLeft(role=roles_for(verb))
    raise why(name=actor.name, parts=parts)


def history_of(
    session: ScopedSession, case: Case, account_id: uuid.UUID
) -> Sequence[Participation]:
    """Everything one person ever was in the case, or in one that is handled with it."""
    return session.scalars(
        select(Participation).where(
            in_matter(case), Participation.account_id == account_id, still_counts()
        )
    ).all()


def in_matter(case: Case) -> ColumnElement[bool]:
    """Parts in the case or in one that is handled with it: who had a hand in either is not
    from outside.  A master is never merged itself, so this is the whole matter."""
    head = case.master_id or case.id
    matter = select(Case.id).where(or_(Case.id == head, Case.master_id == head))
    return or_(Participation.case_id == case.id, Participation.case_id.in_(matter))


def still_counts() -> ColumnElement[bool]:
    """A part once held counts for ever, but for that of a subject whose naming was lifted."""
    return or_(Participation.part != Part.SUBJECT.value, Participation.until.is_(None))


def parts_of(session: ScopedSession, case: Case, account_id: uuid.UUID) -> frozenset[Part]:
    """Every part the person ever had in the case; to have been named by mistake is none."""
    return frozenset(Part(held.part) for held in history_of(session, case, account_id))


def able(session: ScopedSession, case: Case, verb: Verb) -> Sequence[Membership]:
    """Members who may do the act: by role, not named in the case, and with no part that bars."""
    parts: dict[uuid.UUID, list[Participation]] = defaultdict(list)
    for held in session.scalars(select(Participation).where(in_matter(case), still_counts())):
        parts[held.account_id].append(held)
    members = session.scalars(select(Membership).where(Membership.active).order_by(Membership.name))
    return [
        person
        for person in members
        if verb.permission in permissions_of(frozenset(Role(role) for role in person.roles))
        and person.account_id not in case.walled
        and not barring(case, verb, parts[person.account_id])
    ]


def roles_for(verb: Verb) -> Sequence[Message]:
    """Who would have to be there."""
    known = table()
    return [Message(known.roles[r].title) for r in known.permissions[verb.permission].roles]
