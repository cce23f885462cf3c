"""What goes out as a file: the explanation of a score, and a person's file for promotion."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Cell,
    Colleague,
    Message,
    NotFound,
    Paper,
    PaperSection,
    PaperTable,
    TenantContext,
    colleagues,
    local_date,
    paper_pdf,
    today,
    write_xlsx,
)
from huiyin_scoring_incentive import appeals, awards, rounds, thanks
from huiyin_scoring_incentive.models import AnyRow, Appeal, Award, Credit, Round, RoundInput, Score
from huiyin_scoring_incentive.rights import SEE
from huiyin_scoring_incentive.scoring import EMPTY, Part

UNITS: Final[Mapping[str, str]] = {
    "share": N_("%"),
    "points": N_("分"),
    "count": N_("次"),
    "days": N_("个工作日"),
}
MOST: Final = 200  # of anything in the file of a person
MOST_PROOFS: Final = 3_000  # of one indicator on paper


def number(value: float | None) -> str:
    """One decimal; ``--`` for nothing."""
    return "--" if value is None else f"{value:.1f}"


def in_unit(ctx: TenantContext, part: Part, value: float | None) -> str:
    if value is None:
        return "--"
    digits = f"{value:.0f}" if part.unit == "count" else f"{value:.1f}"
    unit = ctx.text(UNITS[part.unit])
    return f"{digits}{unit}" if unit == "%" else f"{digits} {unit}"


def why_missing(ctx: TenantContext, part: Part) -> str:
    if part.missing == EMPTY:
        return ctx.text(N_("期内没有可计的事项"))
    return ctx.text(N_("样本 {n}，少于 {least}，不计入"), n=part.n, least=f"{part.minimum:g}")


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing counted, as it is listed; ``at`` is its place among all of them."""

    at: int
    title: Message
    href: str
    counted: float


# -- one score ---------------------------------------------------------------------------------


def explanation_pdf(
    ctx: TenantContext, told: appeals.Explained, proofs: Mapping[str, Sequence[Shown]]
) -> bytes:
    """Score → indicators → what was counted, on paper."""
    text, score, found = ctx.text, told.score, told.round
    facts = (
        (text(N_("姓名")), score.subject_name),
        (text(N_("部门")), score.department or "--"),
        (text(N_("期间")), f"{found.since} – {found.until}"),
        (text(N_("得分")), _value(ctx, told)),
        (text(N_("约九成把握的区间")), _interval(score)),
        (text(N_("公式")), text(N_("第 {n} 版"), n=told.formula.version)),
    )
    return paper_pdf(
        Paper(
            title=text(N_("得分说明")), subtitle=found.title, firm_name=ctx.tenant.name,
            date=today(), language=_language(ctx), facts=facts,
            sections=(_summary(ctx, told.parts), *_parts(ctx, told.parts, proofs)),
            footer=text(N_("内部资料，仅供本人和有权查看的同事使用")), landscape=True,
        )
    )  # fmt: skip


def _language(ctx: TenantContext) -> Literal["zh", "en"]:
    return "en" if ctx.translator.language == "en" else "zh"


def _value(ctx: TenantContext, told: appeals.Explained) -> str:
    """The score, or why there is none."""
    if told.score.value is None and (why := told.unscored) is not None:
        return ctx.text(why)
    return number(None if told.score.value is None else float(told.score.value))


def _interval(score: Any) -> str:
    return "--" if score.low is None else f"{score.low} – {score.high}"


def _summary(ctx: TenantContext, parts: Sequence[Part]) -> PaperSection:
    text = ctx.text
    heading = tuple(
        map(
            text,
            (N_("指标"), N_("数值"), N_("样本"), N_("收缩后"), N_("得点"), N_("权重"), N_("贡献")),
        )
    )
    rows = tuple(
        (
            text(p.title), in_unit(ctx, p, p.value), str(p.n), in_unit(ctx, p, p.shrunk),
            number(p.points), f"{p.weight:g}%",
            number(p.contribution) if not p.missing else why_missing(ctx, p),
        )
        for p in parts
    )  # fmt: skip
    table = PaperTable(
        heading=heading, rows=rows, widths=(4, 2, 1, 2, 1, 1, 2), right=frozenset(range(1, 7))
    )
    return PaperSection(heading=text(N_("得分构成")), table=table)


def _parts(
    ctx: TenantContext, parts: Sequence[Part], proofs: Mapping[str, Sequence[Shown]]
) -> Iterator[PaperSection]:
    for part in parts:
        listed = list(proofs.get(part.figure, ()))
        rows = tuple((ctx.text(p.title), f"{p.counted:g}") for p in listed[:MOST_PROOFS])
        table = PaperTable(
            heading=(ctx.text(N_("事项")), ctx.text(N_("计入"))), rows=rows, widths=(8, 1),
            right=frozenset({1}),
        )  # fmt: skip
        more = len(listed) - len(rows)
        yield PaperSection(
            heading=ctx.text(part.title),
            paragraphs=(ctx.text(part.definition), *_corrected(ctx, part)),
            table=table if rows else None,
            note=ctx.text(N_("另有 {n} 项，见系统页面"), n=more) if more else "",
        )  # fmt: skip


def _corrected(ctx: TenantContext, part: Part) -> Iterator[str]:
    if part.corrected:
        was = in_unit(ctx, part, part.was)
        yield ctx.text(N_("经申诉决定更正，原为 {was}（样本 {k}）"), was=was, k=part.was_n)


# -- one person --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonFile:
    """What a promotion may look at: published scores, awards, thanks, appeals."""

    person: Colleague
    scores: Sequence[AnyRow]
    awards: Sequence[Award]
    credits: Sequence[AnyRow]
    appeals: Sequence[Appeal]


def person_file(ctx: TenantContext, person: uuid.UUID) -> PersonFile:
    """Everything of one person, for that person and those who may see all; else ``NotFound``."""
    if person != ctx.actor.id and not ctx.actor.can(SEE):
        raise NotFound
    known = {c.id: c for c in colleagues(ctx.session, former=True)}
    if person not in known:
        raise NotFound
    scored = ctx.session.execute(
        select(
            Round.title, Round.since, Round.until, Score.id, Score.value, Score.low, Score.high,
            Score.revision,
        )
        .join(Round, Round.id == Score.round_id)
        .where(Score.subject_id == person, Round.state == "published")
        .order_by(Round.until.desc(), Score.revision.desc())
        .limit(MOST)
    ).all()  # fmt: skip
    thanked = ctx.session.execute(
        select(Credit.kind, Credit.case_number, Credit.by_name, Credit.what, Credit.at)
        .join(Case, Case.id == Credit.case_id)
        .where(
            Credit.doer_id == person,
            Credit.state == "confirmed",
            ~(Case.walled.any_() == ctx.actor.id),
        )
        .order_by(Credit.id.desc())
        .limit(MOST)
    ).all()
    asked = ctx.session.scalars(
        select(Appeal).where(Appeal.subject_id == person, Appeal.state == "decided")
        .order_by(Appeal.id.desc()).limit(MOST)
    ).all()  # fmt: skip
    granted = awards.mine(ctx, person, MOST)
    return PersonFile(known[person], scored, granted, thanked, asked)


def record_export(ctx: TenantContext, person: uuid.UUID, how: str) -> None:
    """A promotion file left the house: that stands in the ledger."""
    ctx.record("person_exported", person, {"format": how})


def _heads(ctx: TenantContext, *words: str) -> tuple[str, ...]:
    return tuple(ctx.text(word) for word in words)


Table = tuple[str, tuple[str, ...], list[tuple[Cell, ...]]]


def _tables(ctx: TenantContext, file: PersonFile) -> list[Table]:
    text = ctx.text
    return [
        (
            text(N_("已公布得分")),
            _heads(ctx, N_("评分"), N_("起始日"), N_("截止日"), N_("得分"), N_("区间"), N_("版次")),
            [
                (s.title, s.since, s.until, None if s.value is None else float(s.value),
                 _interval(s), text(N_("更正")) if s.revision > 1 else text(N_("首次")))
                for s in file.scores
            ],
        ),
        (
            text(N_("奖励记录")),
            _heads(ctx, N_("年度"), N_("奖项"), N_("提名理由"), N_("提名人"), N_("授予日")),
            [
                (a.year, a.honour, a.grounds, a.nominator_name,
                 local_date(a.granted_at) if a.granted_at else None)
                for a in file.awards
            ],
        ),
        (
            text(N_("致谢与采纳")),
            _heads(ctx, N_("类型"), N_("案件编号"), N_("登记人"), N_("具体事项"), N_("日期")),
            [
                (text(thanks.KIND_TITLES[c.kind]), c.case_number, c.by_name, c.what,
                 local_date(c.at))
                for c in file.credits
            ],
        ),
        (
            text(N_("申诉")),
            _heads(ctx, N_("申诉理由"), N_("决定"), N_("理由"), N_("决定人"), N_("决定日")),
            [
                (a.grounds, text(appeals.OUTCOME_TITLES[a.outcome]), a.reason, a.decider_name,
                 local_date(a.decided_at) if a.decided_at else None)
                for a in file.appeals
            ],
        ),
    ]  # fmt: skip


def person_xlsx(ctx: TenantContext, file: PersonFile) -> bytes:
    """One sheet for each kind of record."""
    return write_xlsx({title: (heading, rows) for title, heading, rows in _tables(ctx, file)})


def person_pdf(ctx: TenantContext, file: PersonFile) -> bytes:
    sections = tuple(
        PaperSection(
            heading=title,
            table=PaperTable(heading=head, rows=tuple(tuple(_word(c) for c in r) for r in rows))
            if rows
            else None,
            paragraphs=() if rows else (ctx.text(N_("没有记录")),),
        )
        for title, head, rows in _tables(ctx, file)
    )
    facts = (
        (ctx.text(N_("姓名")), file.person.name),
        (ctx.text(N_("部门")), file.person.department or "--"),
    )
    return paper_pdf(
        Paper(
            title=ctx.text(N_("晋升参考材料")), firm_name=ctx.tenant.name, date=today(),
            language=_language(ctx), facts=facts, sections=sections, landscape=True,
            footer=ctx.text(N_("导出已记入账本，仅用于本人的晋升评议")),
        )
    )  # fmt: skip


def _word(cell: Cell) -> str:
    return "--" if cell is None or cell == "" else str(cell)


def rows_of(ctx: TenantContext, score: Score) -> list[RoundInput]:
    return rounds.inputs_of(ctx, score.round_id, score.subject_id)
