"""Setting up a firm: its row, its people, its products, its register of investors.

Each step finds what is there and adds what is missing, so that the same data may be loaded again
after a crash, or after somebody has added to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from huiyin.db import ScopedSession
from huiyin.identity import service as identity
from huiyin.identity.actor import Actor, system_actor
from huiyin.identity.models import Account, Membership
from huiyin.identity.policy import Role
from huiyin.kit.time import local_date
from huiyin.onboarding.schemas import (
    AdviserData,
    ConsultancyData,
    FirmData,
    FundData,
    PersonData,
    StoryData,
)
from huiyin.parties.models import Fund, Investor
from huiyin.plugins import activation
from huiyin.plugins.host import PluginHost
from huiyin.tenancy.models import Consultancy, Engagement, PluginActivation, Tenant


def tenant_of(session: ScopedSession, slug: str) -> Tenant | None:
    """The firm of that slug, if it is on the platform."""
    return session.scalar(select(Tenant).where(Tenant.slug == slug))


def found_tenant(session: ScopedSession, data: FirmData) -> Tenant:
    """The firm, made if it is new.  What a firm has changed since is left alone."""
    known = tenant_of(session, data.slug)
    if known is not None:
        return known
    tenant = Tenant(
        slug=data.slug, name=data.name, short_name=data.short_name, name_en=data.name_en,
        mark=data.mark, number_prefix=data.number_prefix, hotline=data.hotline,
        mailbox=data.mailbox, address=data.address,
    )  # fmt: skip
    session.add(tenant)
    session.flush()
    return tenant


def found_consultancy(session: ScopedSession, data: ConsultancyData) -> Consultancy:
    """The consultancy with an engagement for each of its clients that is on the platform."""
    consultancy = session.scalar(select(Consultancy).where(Consultancy.slug == data.slug))
    if consultancy is None:
        consultancy = Consultancy(slug=data.slug, name=data.name, name_en=data.name_en)
        session.add(consultancy)
        session.flush()
    engaged = set(
        session.scalars(
            select(Engagement.tenant_id).where(Engagement.consultancy_id == consultancy.id)
        )
    )
    for tenant in session.scalars(select(Tenant).where(Tenant.slug.in_(data.clients))):
        if tenant.id not in engaged:
            session.add(Engagement(consultancy_id=consultancy.id, tenant_id=tenant.id))
    session.flush()
    return consultancy


def account_for(
    session: ScopedSession, person: PersonData | AdviserData, password_hash: str
) -> Account:
    """The person's account; a known one keeps its password."""
    known = identity.find_account(session, person.email)
    if known is None:
        known = Account(
            email=identity.normal_email(person.email), name=person.name, password_hash=password_hash
        )
        session.add(known)
        session.flush()
    return known


def hire(session: ScopedSession, person: PersonData, password_hash: str) -> None:
    """Account and membership of one person in the session's firm."""
    account = account_for(session, person, password_hash)
    if session.scalar(select(Membership.id).where(Membership.account_id == account.id)):
        return
    identity.add_membership(
        session, account.id, person.roles, actor=system_actor(session.tenant),
        department=person.department,
    )  # fmt: skip


def members(session: ScopedSession) -> dict[str, Actor]:
    """Everybody active in the session's firm as the actor they are, by address."""
    rows = session.execute(
        select(Account.email, Membership)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.active)
    )
    return {
        email: Actor(
            member.account_id, session.tenant, member.name,
            frozenset(Role(role) for role in member.roles), member.department,
        )
        for email, member in rows
    }  # fmt: skip


def list_funds(session: ScopedSession, funds: Iterable[FundData], *, on: datetime) -> None:
    """Products by filing code; one that has ended is not offered in the public form."""
    known = set(session.scalars(select(Fund.filing_code)))
    for fund in funds:
        if fund.filing_code in known:
            continue
        ago = fund.liquidated_days_ago
        ended = None if ago is None else local_date(on) - timedelta(days=ago)
        session.add(
            Fund(
                name=fund.name, short_name=fund.short_name, filing_code=fund.filing_code,
                kind=fund.kind, risk_level=fund.risk_level, custodian=fund.custodian,
                listed=ended is None, liquidated_on=ended,
            )
        )  # fmt: skip
    session.flush()


def register_investors(session: ScopedSession, stories: Iterable[StoryData]) -> None:
    """Put the people of these stories into the register, as checked against the share register."""
    known = set(session.scalars(select(Investor.name).where(Investor.known)))
    for position, story in enumerate(stories):
        if story.name in known:
            continue
        professional = story.amount >= 300_000 and not story.vulnerable
        session.add(
            Investor(
                name=story.name, phone=story.phone, email=story.email, known=True,
                investor_class="专业" if professional else "普通",
                risk_level="C2" if story.vulnerable else f"C{3 + position % 3}",
                vulnerable=story.vulnerable,
                preferred_contact="phone" if story.phone else "email",
            )
        )  # fmt: skip
    session.flush()


def switch_on(
    host: PluginHost, session: ScopedSession, admin: Actor, plugins: Iterable[str]
) -> None:
    """Switch plugins on that this installation has and that the firm has not decided about."""
    decided = set(session.scalars(select(PluginActivation.plugin)))
    activation.prepare(host, session)
    for name in plugins:
        if name in host.plugins and name not in decided:
            activation.activate(host, session, admin, name)
