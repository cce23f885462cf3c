"""The seal of a run: one hash over everything it says, so that any later change shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import TenantContext
from huiyin_checklist_regulatory import evidence, packfile
from huiyin_checklist_regulatory.models import Run, RunItem


def content_hash(ctx: TenantContext, run: Run) -> str:
    """SHA-256 over everything a run says: equal content, equal hash."""
    return packfile.digest(
        {
            "run": {name: _plain(getattr(run, name)) for name in _SEALED},
            "items": [_item_json(row) for row in _items(ctx, run)],
            "sample": [_plain_row(row, _SAMPLE) for row in evidence.sample(ctx, run.id)],
            "evidence": [_plain_row(row, _EVIDENCE) for row in evidence.of_run(ctx, run.id)],
        }
    )


_SEALED: Final = (
    "id", "year", "seq", "title", "pack_id", "pack_version", "pack_hash", "kind", "category",
    "since", "until", "seed", "population", "population_hash", "sample_size", "created_by",
    "submitted_by", "submitted_at",
)  # fmt: skip
_ITEM: Final = (
    "position",
    "item_id",
    "item_hash",
    "applies",
    "answer",
    "note",
    "answered_by",
    "answered_at",
)
_SAMPLE: Final = ("position", "number", "draw", "result", "note", "by_id", "at")
_EVIDENCE: Final = (
    "id",
    "run_item_id",
    "kind",
    "title",
    "sha256",
    "number",
    "letter_id",
    "figure",
    "frozen",
)


def _item_json(row: RunItem) -> Mapping[str, Any]:
    return {**_plain_row(row, _ITEM), "content": row.content, "standing": row.standing}


def _plain_row(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _items(ctx: TenantContext, run: Run) -> Sequence[RunItem]:
    query = select(RunItem).where(RunItem.run_id == run.id).order_by(RunItem.position)
    return ctx.session.scalars(query).all()
