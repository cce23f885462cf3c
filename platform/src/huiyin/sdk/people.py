"""The firm's people, and who had which part in a case."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, or_, select

from huiyin.cases.duties import in_matter, still_counts
from huiyin.cases.models import Case, Participation
from huiyin.cases.stages import HANDLING, Part
from huiyin.db import ScopedSession
from huiyin.identity.models import Account, Membership
from huiyin.identity.policy import Role
from huiyin.identity.sessions import known_roles

_BARS: Final = Participation.part.in_([part.value for part in HANDLING | {Part.SUBJECT}])


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of the firm; ``id`` is the account's, the same in every firm."""

    id: uuid.UUID
    name: str
    roles: frozenset[Role]
    department: str
    active: bool


def colleagues(session: ScopedSession, *, former: bool = False) -> list[Colleague]:
    """The firm's members by name, with ``former`` those who left too; one query."""
    rows = select(
        Membership.account_id, Membership.name, Membership.roles, Membership.department,
        Membership.active,
    ).order_by(Membership.name, Membership.account_id)  # fmt: skip
    if not former:
        rows = rows.where(Membership.active)
    return [
        Colleague(r.account_id, r.name, known_roles(r.roles), r.department, r.active)
        for r in session.execute(rows)
    ]


def mail_address(session: ScopedSession, account_id: uuid.UUID) -> str:
    """Where a member reads mail, for jobs that write to one; ``""`` for somebody who left."""
    found = session.scalar(
        select(Account.email)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.account_id == account_id, Membership.active)
    )
    return found or ""


def parts_in(session: ScopedSession, case: Case) -> Mapping[Part, frozenset[uuid.UUID]]:
    """Who ever held which part in the case; nobody is taken out when the part ends."""
    held: dict[Part, set[uuid.UUID]] = defaultdict(set)
    rows = session.execute(
        select(Participation.part, Participation.account_id).where(Participation.case_id == case.id)
    )
    for part, account_id in rows:
        held[Part(part)].add(account_id)
    return {part: frozenset(who) for part, who in held.items()}


def barred_from_judging(session: ScopedSession, case: Case) -> frozenset[uuid.UUID]:
    """Everybody who handled the case, or one handled with it, or is named there: they never
    judge it."""
    found = select(Participation.account_id).where(in_matter(case), _BARS, still_counts())
    return frozenset(session.scalars(found))


def barred_from_judging_any(
    session: ScopedSession, cases: Select[uuid.UUID | None]
) -> frozenset[uuid.UUID]:
    """Everybody who handled or is named in one of many cases, given as a query of their ids.

    For what is about one of them while nobody may know which; one query for any number.
    """
    found = session.scalars(
        select(Participation.account_id)
        .where(
            or_(
                Participation.case_id.in_(cases),
                Participation.case_id.in_(select(Case.id).where(Case.master_id.in_(cases))),
            ),
            _BARS,
            still_counts(),
        )
        .distinct()
    )
    return frozenset(found)
