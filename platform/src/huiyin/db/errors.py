"""What can go wrong below the ORM."""

from __future__ import annotations

from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError


class EmbeddedServerFailed(RuntimeError):
    """The embedded PostgreSQL could not be started; the message carries its own words."""


class TenantScopeMissing(RuntimeError):
    """A session was used before anyone said whose data it may touch."""


class WallBreached(RuntimeError):
    """A row was about to be written for another tenant."""


class UnsafeRole(RuntimeError):
    """The application's database role could walk around the wall; the product refuses to start."""


class LostWrite(RuntimeError):
    """A write that had to change one row changed none, or several."""


def is_deadlock(error: DBAPIError) -> bool:
    """Whether two transactions waited for each other and the server ended this one."""
    return isinstance(error.orig, DeadlockDetected)
