"""Ready-made rows for tests, ours and those of plugin authors."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import Engine

from huiyin.db import platform_session, tenant_session
from huiyin.identity.actor import Actor
from huiyin.identity.models import Account, Membership
from huiyin.identity.policy import Role
from huiyin.tenancy.models import Tenant

_numbers = itertools.count(1)

# Hash of "correct horse battery"; hashing it anew for each account would be most of a test run.
PASSWORD = "correct horse battery"
PASSWORD_HASH: str | None = None


def make_tenant(engine: Engine, slug: str = "qinghe", **facts: Any) -> Tenant:
    """A firm, committed."""
    names = {"name": f"{slug} 私募基金管理有限公司", "short_name": slug, "mark": slug[0].upper()}
    with platform_session(engine) as session:
        tenant = Tenant(slug=slug, **{**names, **facts})
        session.add(tenant)
        session.commit()
        return tenant


def make_account(engine: Engine, *, name: str | None = None, email: str | None = None) -> Account:
    """A person with the password ``PASSWORD``, committed."""
    from huiyin.identity.passwords import hash_password  # noqa: PLC0415

    global PASSWORD_HASH  # noqa: PLW0603 - one slow hash per run
    PASSWORD_HASH = PASSWORD_HASH or hash_password(PASSWORD)
    number = next(_numbers)
    with platform_session(engine) as session:
        account = Account(
            email=email or f"person{number}@huiyin.test",
            name=name or f"成员{number}",
            password_hash=PASSWORD_HASH,
        )
        session.add(account)
        session.commit()
        return account


def make_actor(engine: Engine, tenant: Tenant, *roles: str, name: str | None = None) -> Actor:
    """A member of the firm with these roles, committed; the answer acts as that person."""
    account = make_account(engine, name=name)
    with tenant_session(engine, tenant.id) as session:
        session.add(
            Membership(
                account_id=account.id, name=account.name, roles=list(roles), department="合规客服部"
            )
        )
        session.commit()
    return Actor(
        account.id, tenant.id, account.name, frozenset(Role(r) for r in roles), "合规客服部"
    )
