"""What every page of this plugin does alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from litestar import Response
from sqlalchemy import select

from huiyin.sdk import NATURE_TITLES, Case, Desk, Figure, Message, TenantContext
from huiyin_scoring_incentive.models import RoundInput
from huiyin_scoring_incentive.papers import UNITS, Shown, in_unit, number, why_missing
from huiyin_scoring_incentive.rights import Reader
from huiyin_scoring_incentive.scoring import is_sample

HERE: Final = "/w/x/scoring-incentive"
CASES: Final = "/w/cases/"
PDF: Final = "application/pdf"


def home(desk: Desk, path: str = "") -> str:
    """An address among the plugin's staff pages."""
    return f"/t/{desk.tenant.slug}{HERE}{path}"


def show(
    desk: Desk, ctx: TenantContext, template: str, *, status: int = 200, block: str = "",
    **context: Any,
) -> Response[Any]:  # fmt: skip
    """A page with what all of them need: where it stands, and what its reader may do."""
    return desk.page(
        f"scoring_incentive/{template}", status=status, block=block,
        here=home(desk), can=Reader.of(desk.actor), natures=NATURE_TITLES,
        is_sample=is_sample, units=UNITS, num=number,
        in_unit=lambda part, value: in_unit(ctx, part, value),
        why_missing=lambda part: why_missing(ctx, part), **context,
    )  # fmt: skip


def after(desk: Desk) -> uuid.UUID | None:
    """The key from which a list goes on, if the address holds one."""
    try:
        return uuid.UUID(desk.request.query_params.get("after", ""))
    except ValueError:
        return None


def proofs(desk: Desk, ctx: TenantContext, rows: Iterable[RoundInput]) -> Mapping[str, list[Shown]]:
    """What stands behind each indicator, without cases in which the reader is named."""
    listed = {row.figure: row.proofs for row in rows}
    numbers = {
        proof["path"].removeprefix(CASES)
        for found in listed.values()
        for proof in found
        if proof["path"].startswith(CASES)
    }
    hidden = set(
        ctx.session.scalars(
            select(Case.number).where(Case.number.in_(numbers), Case.walled.any_() == ctx.actor.id)
        )
    )
    base = f"/t/{desk.tenant.slug}"
    return {
        figure: [
            Shown(at, Message(p["key"], dict(p["params"])), base + p["path"] if p["path"] else "",
                  p["counted"])
            for at, p in enumerate(found)
            if p["path"].removeprefix(CASES) not in hidden
        ]
        for figure, found in listed.items()
    }  # fmt: skip


def titles(ctx: TenantContext) -> dict[str, Figure]:
    """The figures the firm has, by name: for titles and definitions."""
    return {figure.name: figure for figure in ctx.figures()}
