"""The library of regulations: what is known, how surely, from when; never more than that."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import exists, func, or_, select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Refused,
    TenantContext,
    local_date,
    uuid7,
)
from huiyin_training_records.library_models import Article, Edition, Instrument
from huiyin_training_records.schemas import (
    EditionForm,
    InstrumentForm,
    NotesForm,
    TickForm,
)

PAGE: Final = 60
MOST_ARTICLES: Final = 60
_CASE_READ: Final = "case.read"
_NOBODY: Final = uuid.UUID(int=0)


def articles_of(edition: Edition, facts: Iterable[Sequence[str]]) -> list[Article]:
    return [
        Article(id=uuid7(), edition_id=edition.id, seq=n, number=number, fact=fact)
        for n, (number, fact) in enumerate(facts, start=1)
    ]


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An instrument with the edition that holds on a day."""

    instrument: Instrument
    edition: Edition | None
    articles: Sequence[Article] = ()
    day: date

    @property
    def status(self) -> str:
        """Told by the dates; nothing is called in force that nobody has verified."""
        if self.edition is None:
            return "unknown"
        told = status_of(self.edition, self.day)
        return told if self.verified or told != "in_force" else "unknown"

    @property
    def verified(self) -> bool:
        """Counsel has read the text; without that everything is shown as 待核实."""
        return self.edition is not None and self.edition.ticked_by is not None


def status_of(edition: Edition, day: date) -> str:
    """Told by the dates alone; without a first day nothing is claimed."""
    if edition.effective_to is not None and edition.effective_to < day:
        return "ended"
    if edition.effective_from is None:
        return "unknown"
    return "upcoming" if edition.effective_from > day else "in_force"


def search(
    ctx: TenantContext, *, words: str = "", force: str = "", scope: str = "", state: str = "",
    after: str = "",
) -> list[Shown]:  # fmt: skip
    """Instruments by key in which every word occurs, in title, number, facts or notes."""
    asked = select(Instrument).order_by(Instrument.key).limit(PAGE + 1)
    for word in words.split()[:5]:
        asked = asked.where(_mentions(word))
    if force:
        asked = asked.where(Instrument.force == force)
    if scope:
        asked = asked.where(Instrument.scope == scope)
    if state in {"ticked", "open"}:
        ticked = exists().where(
            Edition.instrument_id == Instrument.id, Edition.ticked_by.is_not(None)
        )
        asked = asked.where(ticked if state == "ticked" else ~ticked)
    if after:
        asked = asked.where(Instrument.key > after)
    found = ctx.session.scalars(asked).all()
    newest = _current(ctx, [row.id for row in found])
    day = local_date(ctx.now())
    return [Shown(instrument=row, edition=newest.get(row.id), day=day) for row in found]


def _mentions(word: str) -> Any:
    def has(column: Any) -> Any:
        return column.icontains(word, autoescape=True)

    inside = (
        select(Edition.instrument_id)
        .outerjoin(Article, Article.edition_id == Edition.id)
        .where(
            or_(
                has(Edition.retention),
                has(Edition.source),
                has(Edition.open_points),
                has(Article.fact),
                has(Article.number),
            )
        )
    )
    return or_(
        has(Instrument.title), has(Instrument.number), has(Instrument.key), has(Instrument.notes),
        Instrument.id.in_(inside),
    )  # fmt: skip


def _current(ctx: TenantContext, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Edition]:
    """Of each instrument the edition in force today, else the newest."""
    day = local_date(ctx.now())
    best: dict[uuid.UUID, Edition] = {}
    rows = ctx.session.scalars(
        select(Edition)
        .where(Edition.instrument_id.in_(ids))
        .order_by(Edition.effective_from.nulls_first(), Edition.id)
    )
    for row in rows:
        known = best.get(row.instrument_id)
        if (
            known is None
            or status_of(known, day) != "in_force"
            or status_of(row, day) == "in_force"
        ):
            best[row.instrument_id] = row
    return best


def find(ctx: TenantContext, key: str) -> Instrument:
    found = ctx.session.scalars(select(Instrument).where(Instrument.key == key)).one_or_none()
    if found is None:
        raise NotFound
    return found


def editions(ctx: TenantContext, instrument: Instrument) -> list[Shown]:
    """All editions with their articles, the newest first; two queries."""
    rows = ctx.session.scalars(
        select(Edition)
        .where(Edition.instrument_id == instrument.id)
        .order_by(Edition.effective_from.desc().nulls_last(), Edition.id.desc())
    ).all()
    articles = ctx.session.scalars(
        select(Article)
        .where(Article.edition_id.in_([row.id for row in rows]))
        .order_by(Article.seq)
    ).all()
    day = local_date(ctx.now())
    return [
        Shown(
            instrument=instrument, edition=row, day=day,
            articles=[article for article in articles if article.edition_id == row.id],
        )
        for row in rows
    ]  # fmt: skip


# -- writing -----------------------------------------------------------------------------------


def enter(ctx: TenantContext, form: InstrumentForm, edition: EditionForm) -> Instrument:
    """A further instrument, with its first edition."""
    key = form.key.upper()
    if ctx.session.scalar(select(Instrument.id).where(Instrument.key == key)) is not None:
        raise Invalid({"key": N_("这个编号已有文件使用，请换一个")})
    row = Instrument(
        id=uuid7(), key=key, title=form.title, number=form.number, force=form.force,
        scope=form.scope, entered_by=ctx.actor.id,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    add_edition(ctx, row, edition)
    return row


def add_edition(ctx: TenantContext, instrument: Instrument, form: EditionForm) -> Edition:
    """Raises ``Invalid`` when it would hold on a day on which another edition holds."""
    _hold(ctx, instrument)
    _check_edition(ctx, instrument, form, None)
    row = Edition(id=uuid7(), instrument_id=instrument.id, **_facts(ctx, form))
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add_all(articles_of(row, read_articles(form.articles)))
    ctx.session.flush()
    ctx.record("edition_added", row.id, {"instrument": instrument.key})
    return row


def change_edition(
    ctx: TenantContext, instrument: Instrument, edition: Edition, form: EditionForm, rev: int
) -> None:
    """Any change takes counsel's tick away."""
    _hold(ctx, instrument)
    ctx.session.refresh(edition)
    if edition.rev != rev:
        raise Conflict(N_("这个版本刚被其他人修改，请核对后重新保存"))
    _check_edition(ctx, instrument, form, edition)
    edition.ticked_by = edition.ticked_at = None
    edition.tick_source = ""
    for name, value in _facts(ctx, form).items():
        setattr(edition, name, value)
    edition.rev += 1
    for old in ctx.session.scalars(select(Article).where(Article.edition_id == edition.id)).all():
        ctx.session.delete(old)
    ctx.session.flush()
    ctx.session.add_all(articles_of(edition, read_articles(form.articles)))
    ctx.session.flush()
    ctx.record("edition_changed", edition.id, {"instrument": instrument.key, "rev": edition.rev})


def _hold(ctx: TenantContext, instrument: Instrument) -> None:
    """One at a time writes editions of an instrument, so that no two overlap."""
    ctx.session.execute(
        select(Instrument.id).where(Instrument.id == instrument.id).with_for_update()
    )


def _facts(ctx: TenantContext, form: EditionForm) -> dict[str, Any]:
    return {
        "label": form.label, "effective_from": form.effective_from,
        "effective_to": form.effective_to, "retention": form.retention,
        "confidence": form.confidence, "source": form.source, "open_points": form.open_points,
        "edited_by": ctx.actor.id,
    }  # fmt: skip


def _check_edition(
    ctx: TenantContext, instrument: Instrument, form: EditionForm, own: Edition | None
) -> None:
    begin, end = form.effective_from, form.effective_to
    if begin and end and end < begin:
        raise Invalid({"effective_to": N_("失效日期不能早于生效日期")})
    if end and not begin:
        raise Invalid({"effective_from": N_("填写失效日期时须同时填写生效日期")})
    others = ctx.session.scalars(
        select(Edition).where(
            Edition.instrument_id == instrument.id, Edition.id != (own.id if own else _NOBODY)
        )
    )
    for other in others:
        if other.label == form.label:
            raise Invalid({"label": N_("已有同名版本，请换一个名称")})
        if begin and other.effective_from and overlap(begin, end, other):
            text = Message(
                N_("与版本「{label}」的有效期间重叠，请先填写前一版的失效日期"),
                {"label": other.label},
            )
            raise Invalid({"effective_from": text})
    read_articles(form.articles)


def overlap(begin: date, end: date | None, other: Edition) -> bool:
    """Whether there is a day on which both hold; both ends are included."""
    if other.effective_from is None:
        return False
    ended = other.effective_to is not None and other.effective_to < begin
    return not ended and (end is None or end >= other.effective_from)


def read_articles(typed: str) -> list[tuple[str, str]]:
    """One article a line, its number before a bar: ``第十五条｜…``."""
    lines = [line.strip() for line in typed.split("\n") if line.strip()]
    if len(lines) > MOST_ARTICLES:
        raise Invalid({"articles": Message(N_("最多 {n} 条，请精简"), {"n": MOST_ARTICLES})})
    found = []
    for line in lines:
        number, bar, fact = line.replace("|", "｜").partition("｜")
        found.append((number.strip()[:40], fact.strip()) if bar else ("", line))
    return found


def typed_articles(articles: Iterable[Article]) -> str:
    return "\n".join(f"{a.number}｜{a.fact}" if a.number else a.fact for a in articles)


def edition_of(ctx: TenantContext, instrument: Instrument, edition_id: uuid.UUID) -> Edition:
    found = ctx.session.scalars(
        select(Edition).where(Edition.id == edition_id, Edition.instrument_id == instrument.id)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def tick(ctx: TenantContext, instrument: Instrument, edition: Edition, form: TickForm) -> None:
    """Counsel has read the text that is named, and what stands here agrees with it."""
    _hold(ctx, instrument)
    ctx.session.refresh(edition)
    if edition.edited_by == ctx.actor.id:
        raise Refused(N_("录入人不能核对自己录入的内容，请由其他人核对"))
    edition.ticked_by, edition.ticked_at = ctx.actor.id, ctx.now()
    edition.tick_source = form.source
    ctx.session.flush()
    ctx.record(
        "edition_ticked", edition.id, {"instrument": instrument.key, "rev": edition.rev},
        {"source": form.source},
    )  # fmt: skip


def untick(ctx: TenantContext, instrument: Instrument, edition: Edition) -> None:
    edition.ticked_by = edition.ticked_at = None
    edition.tick_source = ""
    ctx.session.flush()
    ctx.record("edition_unticked", edition.id, {"instrument": instrument.key})


def mark(notes: str) -> str:
    """What tells these notes from others: whoever writes new ones says which he has seen."""
    return hashlib.sha256(notes.encode()).hexdigest()


def note(ctx: TenantContext, instrument: Instrument, form: NotesForm) -> None:
    """Keep the firm's own notes.  Raises ``Conflict`` when others were kept meanwhile."""
    _hold(ctx, instrument)
    ctx.session.refresh(instrument)
    if form.seen != mark(instrument.notes) and form.notes != instrument.notes:
        raise Conflict(N_("备注刚被其他人修改，请核对后重新保存"))
    instrument.notes = form.notes
    ctx.session.flush()
    ctx.record("instrument_noted", instrument.id, {"instrument": instrument.key})


def tally(ctx: TenantContext) -> tuple[int, int]:
    """How many instruments there are, and how many of them counsel has ticked."""
    ticked = select(func.count(Edition.instrument_id.distinct())).where(
        Edition.ticked_by.is_not(None)
    )
    every, done = ctx.session.execute(
        select(
            select(func.count()).select_from(Instrument).scalar_subquery(),
            ticked.scalar_subquery(),
        )
    ).one()
    return every, done
