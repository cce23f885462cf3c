"""Tables, sessions, and the wall between tenants."""

from huiyin.db.base import Base, PlatformModel, TenantModel, columns, tenant_key
from huiyin.db.errors import LostWrite, TenantScopeMissing, UnsafeRole, WallBreached
from huiyin.db.ready import OWN_TENANT, Ready
from huiyin.db.wall import ScopedSession, one_row, platform_session, tenant_session

__all__ = [
    "OWN_TENANT",
    "Base",
    "LostWrite",
    "PlatformModel",
    "Ready",
    "ScopedSession",
    "TenantModel",
    "TenantScopeMissing",
    "UnsafeRole",
    "WallBreached",
    "columns",
    "one_row",
    "platform_session",
    "tenant_key",
    "tenant_session",
]
