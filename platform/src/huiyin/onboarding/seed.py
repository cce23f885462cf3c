"""Loading a folder of firms into an installation, each firm in transactions of its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from huiyin.db import platform_session, tenant_session
from huiyin.identity.actor import SYSTEM_ID, Actor
from huiyin.identity.passwords import hash_password
from huiyin.identity.policy import Role
from huiyin.identity.service import check_password
from huiyin.kit.time import clock_at, now
from huiyin.onboarding import service
from huiyin.onboarding.schemas import Firms, StoryData
from huiyin.plugins.host import PluginHost

# A seeded firm opened so long before the moment of seeding; see ``base_of``.
HISTORY: Final = timedelta(days=365)
REGISTERED: Final = 12  # investors in the register of each firm
PURPOSE: Final = "onboarding"


def base_of(engine: Engine, slugs: Sequence[str]) -> datetime:
    """The moment from which "days ago" counts: that of the first seeding, also when it resumes."""
    with platform_session(engine, purpose=PURPOSE) as session:
        for slug in slugs:
            tenant = service.tenant_of(session, slug)
            if tenant is not None:
                return tenant.created_at + HISTORY
    return now()


def load(
    engine: Engine, host: PluginHost, firms: Firms, stories: Sequence[StoryData], *,
    password: str, base: datetime,
) -> dict[str, uuid.UUID]:  # fmt: skip
    """Firms, people, funds and investors, as of ``base``; answers the firms' ids by slug.

    New accounts get the one ``password``, hashed once: hashing it for each would take longest.
    Raises ``Invalid`` (field ``password``) for one that nobody may use.
    """
    check_password(password, "")
    hashed = hash_password(password)
    ids: dict[str, uuid.UUID] = {}
    with clock_at(base - HISTORY):
        with platform_session(engine, purpose=PURPOSE) as session:
            for firm in firms.tenants:
                ids[firm.slug] = service.found_tenant(session, firm).id
            for consultancy in firms.consultancies:
                service.found_consultancy(session, consultancy)
            for adviser in firms.advisers:
                service.account_for(session, adviser, hashed)
            session.commit()
        chosen = {firm.slug: firm.plugins for firm in firms.tenants}
        for slug, tenant_id in ids.items():
            with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose=PURPOSE) as session:
                for person in firms.people:
                    if person.tenant == slug:
                        service.hire(session, person, hashed)
                service.list_funds(session, [f for f in firms.funds if f.tenant == slug], on=base)
                mine = [story for story in stories if story.tenant == slug]
                service.register_investors(session, mine[:REGISTERED])
                service.switch_on(host, session, _admin(service.members(session)), chosen[slug])
                session.commit()
    return ids


def _admin(people: dict[str, Actor]) -> Actor:
    return next(actor for actor in people.values() if Role.TENANT_ADMIN in actor.roles)
