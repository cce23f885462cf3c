"""Recorded calls that a telephone system leaves in a folder, taken in one by one."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huiyin.sdk import Raw, ServiceContext, receive

VARIABLE = "ACME_SPOOL"  # a folder with one folder for each firm


def read(raw: bytes, folder: Path) -> dict[str, Any]:
    """In the confined process: what the telephone system wrote, as the platform reads it."""
    told = json.loads(raw)
    return {"sender": {"name": told["name"], "address": told["mail"]}, "text": told["said"]}


def watch(ctx: ServiceContext) -> None:
    """Take what lies there, and again every second, until told to stop."""
    spool = Path(os.environ.get(VARIABLE, "/nonexistent"))
    while not ctx.stopping.is_set():
        for path in sorted(spool.glob("*/*.json")):
            take(ctx, path.parent.name, path.read_bytes(), path.name)
            path.unlink()  # only now: it is committed
        ctx.stopping.wait(1.0)


def take(ctx: ServiceContext, slug: str, data: bytes, key: str) -> None:
    with ctx.firm(slug) as firm:
        receive(firm, Raw(channel="call_back", data=data, key=key))


def command(ctx: ServiceContext, arguments: Sequence[str]) -> int:
    """``huiyin call-back take <firm> <key>``: one call on the standard input."""
    slug, key = arguments
    take(ctx, slug, sys.stdin.buffer.read(), key)
    return 0
