"""A made-up firm, filled through the services by its own people."""

from __future__ import annotations

from huiyin.sdk import TenantContext


def fill(ctx: TenantContext) -> None:
    """Filled in below."""
