"""What the library brings along: facts with citation, force, scope and confidence."""

from __future__ import annotations

import re
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import TenantContext, uuid7
from huiyin_training_records.library import articles_of
from huiyin_training_records.library_models import Edition, Instrument

_LIBRARY: Final = uuid.UUID(int=0)


_CODE: Final = re.compile(r"S(?:-[a-z]+|\d+)")


@cache
def _shipped() -> Mapping[str, Any]:
    text = (files(__package__) / "seed" / "regulation.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def seed() -> Sequence[Mapping[str, Any]]:
    """The facts that ship: instruments with citation, force, scope and confidence."""
    found: Sequence[Mapping[str, Any]] = _shipped()["instruments"]
    return found


def cited(source: str) -> str:
    """A citation with what its codes stand for behind it."""
    known: Mapping[str, str] = _shipped()["sources"]
    codes = [code for code in dict.fromkeys(_CODE.findall(source)) if code in known]
    return " · ".join([source, *(f"{code}：{known[code]}" for code in codes)])


def sow(ctx: TenantContext) -> int:
    """Enter what ships and is missing; what the firm has changed stays as it is."""
    known = set(ctx.session.scalars(select(Instrument.key)))
    new = [facts for facts in seed() if facts["key"] not in known]
    for facts in new:
        instrument = Instrument(
            id=uuid7(), key=facts["key"], title=facts["title"], number=facts.get("number", ""),
            force=facts["force"], scope=facts["scope"], entered_by=ctx.actor.id,
        )  # fmt: skip
        edition = Edition(
            id=uuid7(), instrument_id=instrument.id, label=facts["label"],
            effective_from=facts.get("effective_from"), retention=facts.get("retention", ""),
            confidence=facts["confidence"], source=cited(facts.get("source", "")),
            open_points=facts.get("open_points", ""), edited_by=ctx.actor.id,
        )  # fmt: skip
        ctx.session.add(instrument)
        ctx.session.flush()
        ctx.session.add(edition)
        ctx.session.flush()
        ctx.session.add_all(articles_of(edition, facts.get("facts", ())))
    ctx.session.flush()
    if new:
        ctx.record("library_loaded", _LIBRARY, {"instruments": len(new)})
    return len(new)
