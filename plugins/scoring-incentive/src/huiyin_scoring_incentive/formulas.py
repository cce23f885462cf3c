"""Formulas: one draft at a time, linted, tried on the last quarter, published by somebody else."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Conflict,
    Figure,
    FigureBook,
    FigureFailed,
    Invalid,
    Message,
    NotFound,
    Period,
    Refused,
    TenantContext,
    colleagues,
    now,
    today,
)
from huiyin_scoring_incentive import errors, scoring
from huiyin_scoring_incentive.lint import lint, starter
from huiyin_scoring_incentive.models import Formula
from huiyin_scoring_incentive.rights import PUBLISH, WRITE, is_scored
from huiyin_scoring_incentive.schemas import Body, HeadForm, Term


def body_of(formula: Formula) -> Body:
    return msgspec.convert(formula.body, Body)


def seal(body: Body) -> str:
    """What a formula is known by in the ledger: equal formulas, equal hashes."""
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()


# -- reading -----------------------------------------------------------------------------------


def published(ctx: TenantContext) -> Formula | None:
    """The formula in force: the latest published."""
    return ctx.session.scalars(
        select(Formula)
        .where(Formula.state == "published")
        .order_by(Formula.version.desc())
        .limit(1)
    ).one_or_none()


def draft_of(ctx: TenantContext, *, lock: bool = False) -> Formula | None:
    query = select(Formula).where(Formula.state == "draft")
    return ctx.session.scalars(query.with_for_update() if lock else query).one_or_none()


def versions(ctx: TenantContext, *, before: int = 0, limit: int = 20) -> Sequence[Formula]:
    """Published versions, newest first."""
    query = select(Formula).where(Formula.state == "published")
    if before:
        query = query.where(Formula.version < before)
    return ctx.session.scalars(query.order_by(Formula.version.desc()).limit(limit)).all()


def version(ctx: TenantContext, number: int) -> Formula:
    """A published version; a draft shows itself only to those who write and publish."""
    found = ctx.session.scalars(select(Formula).where(Formula.version == number)).one_or_none()
    if found is None or found.state == "dropped":
        raise NotFound
    if found.state == "draft" and not (ctx.actor.can(WRITE) or ctx.actor.can(PUBLISH)):
        raise NotFound
    return found


def before(ctx: TenantContext, formula: Formula) -> Formula | None:
    """The published version that this one follows."""
    return ctx.session.scalars(
        select(Formula)
        .where(Formula.state == "published", Formula.version < formula.version)
        .order_by(Formula.version.desc())
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what differs between two versions; ``None`` where there is nothing."""

    figure: str
    field: str
    old: float | None
    new: float | None


FIELDS = ("weight", "floor", "target", "minimum", "strength", "cap")


def diff(old: Body | None, new: Body) -> list[Change]:
    """What changed, indicator by indicator and field by field."""
    was = {term.figure: term for term in old.terms} if old else {}
    is_now = {term.figure: term for term in new.terms}
    changes = [
        Change("", "coverage", old.coverage if old else None, new.coverage)
    ] if not old or old.coverage != new.coverage else []  # fmt: skip
    for name in dict.fromkeys((*was, *is_now)):
        left, right = was.get(name), is_now.get(name)
        for field in FIELDS:
            a = getattr(left, field) if left else None
            b = getattr(right, field) if right else None
            if a != b:
                changes.append(Change(name, field, a, b))
    return changes


# -- writing -----------------------------------------------------------------------------------


def begin(ctx: TenantContext) -> Formula:
    """The draft, made from the formula in force if there is none yet."""
    if (found := draft_of(ctx, lock=True)) is not None:
        return found
    current = published(ctx)
    body = body_of(current) if current else starter(ctx.figures())
    last = ctx.session.scalar(select(func.max(Formula.version))) or 0
    made = Formula(
        version=last + 1, title=current.title if current else ctx.text(N_("处理质量评分公式")),
        body=scoring.plain(body), hash=seal(body), authors=[ctx.actor.id],
        author_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    ctx.record("formula_begun", made.id, {"version": made.version, "hash": made.hash})
    return made


def save(ctx: TenantContext, head: HeadForm, body: Body) -> Formula:
    """Keep the draft; whoever changes it becomes one of its authors.

    Raises ``Invalid`` with the lint's reasons at the fields, ``Conflict`` when it was changed,
    published or given up meanwhile.
    """
    found = draft_of(ctx, lock=True)
    if found is None:
        raise Conflict(errors.DRAFT_GONE)
    if head.rev and head.rev != found.rev:
        raise Conflict(errors.STALE)
    if faults := lint(body, ctx.figures()):
        raise Invalid(faults)
    found.title, found.reason = head.title, head.reason
    found.body, found.hash = scoring.plain(body), seal(body)
    found.rev += 1
    if ctx.actor.id not in found.authors:
        found.authors = [*found.authors, ctx.actor.id]
        found.author_name = f"{found.author_name}、{ctx.actor.name}"
    ctx.session.flush()
    facts = {"version": found.version, "hash": found.hash, "rev": found.rev}
    ctx.record("formula_saved", found.id, facts, {"reason": head.reason})
    return found


def publish(ctx: TenantContext, seen: str) -> Formula:
    """Put the draft in force; by nobody who wrote on it, and as it was seen.

    Raises ``Refused``, ``Conflict`` when ``seen`` is no longer its hash or the lint refuses it
    today.
    """
    found = draft_of(ctx, lock=True)
    if found is None:
        raise NotFound
    if ctx.actor.id in found.authors:
        raise Refused(errors.AUTHOR)
    if found.hash != seen or not found.reason:
        raise Conflict(errors.STALE)
    if faults := lint(body_of(found), ctx.figures()):
        raise Conflict(next(iter(faults.values())))
    found.state = "published"
    found.published_by, found.publisher_name = ctx.actor.id, ctx.actor.name
    found.published_at = now()
    ctx.session.flush()
    facts = {"version": found.version, "hash": found.hash, "authors": len(found.authors)}
    ctx.record("formula_published", found.id, facts)
    return found


def drop(ctx: TenantContext) -> None:
    """Give the draft up; its number is not used again."""
    found = draft_of(ctx, lock=True)
    if found is None:
        raise NotFound
    found.state = "dropped"
    ctx.session.flush()
    ctx.record("formula_dropped", found.id, {"version": found.version})


# -- trying ------------------------------------------------------------------------------------


def last_quarter(day: date | None = None) -> Period:
    """The quarter before the one ``day`` lies in."""
    day = day or today()
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    until = first - timedelta(days=1)
    return Period(date(until.year, (until.month - 1) // 3 * 3 + 1, 1), until)


@dataclass(frozen=True, slots=True)
class Trial:
    """One person before and after; ``gone`` marks what could not be measured."""

    id: uuid.UUID
    name: str
    department: str
    old: scoring.Result | None
    new: scoring.Result


@dataclass(frozen=True, slots=True)
class Preview:
    period: Period
    people: list[Trial]
    unknown: list[tuple[str, Message]]  # figures that could not be worked out, and why


def preview(ctx: TenantContext, body: Body, period: Period) -> Preview:
    """What the formula would have given everybody in the period, beside the one in force.

    Shown only to those who may see all scores; nothing of it is kept.
    """
    current = published(ctx)
    old = body_of(current) if current else None
    book = ctx.figures()
    names = dict.fromkeys(t.figure for t in (*body.terms, *(old.terms if old else ())))
    inputs, unknown = measure(book, names, period)
    figures = {name: book.find(name) for name in inputs}
    people = [c for c in colleagues(ctx.session) if is_scored(c)]
    who = [c.id for c in people]
    new = _scores(body, figures, inputs, who)
    was = _scores(old, figures, inputs, who) if old else {}
    trials = [
        Trial(c.id, c.name, c.department, was.get(c.id), new[c.id]) for c in people if c.id in new
    ]
    return Preview(period, trials, unknown)


def _scores(
    body: Body, figures: Mapping[str, Figure], inputs: scoring.Inputs, who: Sequence[uuid.UUID]
) -> dict[uuid.UUID, scoring.Result]:
    """What can be measured of the formula; terms without a figure are left out."""
    terms: tuple[Term, ...] = tuple(t for t in body.terms if t.figure in figures)
    if not terms:
        return {}
    whole = sum(t.weight for t in body.terms)
    there = sum(t.weight for t in terms) / whole * 100 if whole else 0
    # The share that must be measured is one of the whole formula.
    needed = min(100.0, body.coverage / there * 100) if there else 100.0
    shorter = msgspec.structs.replace(body, terms=terms, coverage=needed)
    return scoring.scores(shorter, figures, inputs, who)[0]


def measure(
    book: FigureBook, names: Mapping[str, Any], period: Period
) -> tuple[dict[str, dict[uuid.UUID, scoring.Input]], list[tuple[str, Message]]]:
    """The figures that can be measured, and for each of the others why not."""
    inputs: dict[str, dict[uuid.UUID, scoring.Input]] = {}
    unknown: list[tuple[str, Message]] = []
    for name in names:
        try:
            found = book.measure(name, period)
        except NotFound:
            unknown.append((name, Message(N_("所属插件未启用"))))
        except FigureFailed:
            unknown.append((name, Message(N_("所属插件暂时算不出"))))
        else:
            inputs[name] = {m.subject: scoring.Input.of(m) for m in found if m.subject}
    return inputs, unknown
