"""A made-up firm's training, made with the same services that people use."""

from __future__ import annotations

from huiyin.sdk import TenantContext


def fill(ctx: TenantContext) -> None:
    """Filled below."""
    del ctx
