"""Single answers, for those who may read them; texts with their themes; rows for export."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select

from huiyin.sdk import N_, Case, Cell, NotFound, TenantContext
from huiyin_survey_satisfaction import designs, hiding
from huiyin_survey_satisfaction.designs import Design, Question
from huiyin_survey_satisfaction.models import Answer, Campaign, Response, Version
from huiyin_survey_satisfaction.shown import csat_word
from huiyin_survey_satisfaction.themes import THEMES
from huiyin_survey_satisfaction.wording import QuestionKind

PAGE: Final = 50
MOST_EXPORTED: Final = 50_000
_HEADING: Final = (N_("日期"), N_("产品"), N_("得分"), N_("是否记名"), N_("案件编号"))


def whole(
    ctx: TenantContext, response_id: uuid.UUID
) -> tuple[Response, Campaign, Design, Mapping[str, Any]]:
    """A response with its questionnaire and answers: code → value, values, lines or words."""
    response = ctx.session.get(Response, (ctx.tenant.id, response_id))
    if response is None:
        raise NotFound
    campaign = ctx.session.get_one(Campaign, (ctx.tenant.id, response.campaign_id))
    version = ctx.session.get_one(Version, (ctx.tenant.id, response.version_id))
    rows = ctx.session.scalars(select(Answer).where(Answer.response_id == response.id))
    return response, campaign, designs.read(version.design), _joined(rows)


def _joined(rows: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row.item == "_n":
            continue
        if row.blob_key:
            found[row.question] = {"file": str(row.id), "name": row.words}
        elif row.item:
            found.setdefault(row.question, {})[row.item] = row.value
        elif row.words:
            found[row.question] = row.words
        elif row.question in found:
            kept = found[row.question]
            found[row.question] = [*(kept if isinstance(kept, list) else [kept]), row.value]
        else:
            found[row.question] = row.value
    return found


def shown(question: Question, value: Any, ctx: TenantContext) -> str:
    """An answer in words; what does not fit the question is shown as it was kept."""
    language = ctx.translator.language
    if value in (None, "", [], {}):
        return "--"
    titles = {option.code: option.words.say(language) for option in question.options}
    if question.kind is QuestionKind.CSAT and value in question.values():
        return csat_word(ctx, int(value))
    if isinstance(value, dict) and "file" in value:
        return str(value["name"])
    if isinstance(value, dict):
        return "；".join(f"{titles.get(code, code)} {n}" for code, n in sorted(value.items()))
    if question.kind in {QuestionKind.CHOICE, QuestionKind.CHOICES}:
        chosen = value if isinstance(value, list) else [value]
        return "、".join(titles.get(str(code), str(code)) for code in chosen)
    return str(value)


def file_of(ctx: TenantContext, answer_id: uuid.UUID) -> tuple[str, bytes]:
    """Name and bytes of a file that was handed in.  Raises ``NotFound``."""
    answer = ctx.session.scalar(
        select(Answer)
        .join(Response, Response.id == Answer.response_id)
        .outerjoin(Case, Case.id == Response.case_id)
        .where(Answer.id == answer_id, Answer.blob_key != "", _seen(ctx))
    )
    if answer is None:
        raise NotFound
    with ctx.blobs.open(answer.blob_key) as stream:
        content: bytes = stream.read()
    ctx.record("file_read", answer.id, {"response": answer.response_id})
    return answer.words, content


# -- texts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    answer: Answer
    on_day: str
    segment: str
    score: float | None


def _seen(ctx: TenantContext) -> Any:
    """Not the answers about a case in which the reader is named."""
    return or_(Case.id.is_(None), ~(Case.walled.any_() == ctx.actor.id))


def texts(
    ctx: TenantContext, campaign: Campaign, *, theme: str = "", question: str = "",
    after: uuid.UUID | None = None,
) -> tuple[Sequence[Text], str]:  # fmt: skip
    """One page of what people wrote, in the order of random ids, and where the next begins."""
    hidden = hiding.unsigned_products(ctx, campaign)
    query = (
        select(Answer, Response)
        .join(Response, Response.id == Answer.response_id)
        .outerjoin(Case, Case.id == Response.case_id)
        .where(
            Answer.campaign_id == campaign.id, Answer.words != "", Answer.blob_key == "", _seen(ctx)
        )
    )
    if theme == "none":
        query = query.where(func.cardinality(Answer.themes) == 0)
    elif theme:
        query = query.where(Answer.themes.any_() == theme)
    if question:
        query = query.where(Answer.question == question)
    if after is not None:
        query = query.where(Answer.id > after)
    rows = ctx.session.execute(query.order_by(Answer.id).limit(PAGE + 1)).all()
    found = [
        Text(
            answer,
            of.on_day.isoformat(),
            _product(of, hidden),
            float(of.score) if of.score is not None else None,
        )
        for answer, of in rows
    ]
    return found[:PAGE], str(found[PAGE - 1].answer.id) if len(found) > PAGE else ""


def _product(response: Response, hidden: frozenset[str]) -> str:
    """The product of an answer, unless it would say whose an unsigned one is."""
    return "" if not response.signed and response.segment in hidden else response.segment


def themes(ctx: TenantContext, campaign: Campaign) -> Mapping[str, int]:
    """How often each theme was touched."""
    each = (
        select(func.unnest(Answer.themes).label("theme"))
        .where(Answer.campaign_id == campaign.id, Answer.words != "")
        .subquery()
    )
    rows = ctx.session.execute(select(each.c.theme, func.count()).group_by(each.c.theme))
    counted = {theme: int(n) for theme, n in rows}
    return {theme: counted[theme] for theme in THEMES if theme in counted}


def put_themes(ctx: TenantContext, answer_id: uuid.UUID, chosen: Sequence[str]) -> Answer:
    """Put the themes of a text right.  Raises ``NotFound``."""
    answer = ctx.session.get(Answer, (ctx.tenant.id, answer_id))
    if answer is None or not answer.words:
        raise NotFound
    answer.themes = [theme for theme in THEMES if theme in chosen]
    ctx.session.flush()
    ctx.record("themes_put", answer.id, {"themes": ".".join(answer.themes) or "none"})
    return answer


# -- export ------------------------------------------------------------------------------------


def export(ctx: TenantContext, campaign: Campaign) -> tuple[list[str], Iterator[list[Cell]]]:
    """A heading, and a row for each answer: the day, the product, the score, what was said.

    In the order of random ids, with no time, no name and, of unsigned ones, no case.
    """
    version = ctx.session.get_one(Version, (ctx.tenant.id, campaign.version_id))
    design = designs.read(version.design)
    questions = list(design.questions())
    language = ctx.translator.language
    heading = [
        ctx.text(title) for title in _HEADING
    ] + [question.title.say(language) for question in questions]  # fmt: skip
    return heading, _rows(ctx, campaign, questions)


def _rows(
    ctx: TenantContext, campaign: Campaign, questions: Sequence[Question]
) -> Iterator[list[Cell]]:
    rows = ctx.session.execute(
        select(Response, Case.number)
        .outerjoin(Case, Case.id == Response.case_id)
        .where(Response.campaign_id == campaign.id, _seen(ctx))
        .order_by(Response.id)
        .limit(MOST_EXPORTED)
    ).all()
    asked = _asked_by_version(ctx, campaign)
    hidden = hiding.unsigned_products(ctx, campaign)
    given: dict[uuid.UUID, list[Answer]] = defaultdict(list)
    for answer in ctx.session.scalars(select(Answer).where(Answer.campaign_id == campaign.id)):
        given[answer.response_id].append(answer)
    for response, number in rows:
        answers = _joined(given[response.id])
        yield [
            response.on_day, _product(response, hidden), response.score,
            ctx.text("记名" if response.signed else "不记名"), number or "",
            *(
                shown(was, answers.get(q.code), ctx).replace("--", "")
                if (was := asked[response.version_id].get(q.code)) and was.kind is q.kind
                else ""
                for q in questions
            ),
        ]  # fmt: skip


def _asked_by_version(
    ctx: TenantContext, campaign: Campaign
) -> Mapping[uuid.UUID, Mapping[str, Question]]:
    """The questions of each version by code: an answer is read as it was asked for."""
    rows = ctx.session.execute(
        select(Version.id, Version.design).where(
            Version.questionnaire_id == campaign.questionnaire_id
        )
    )
    return {id_: {q.code: q for q in designs.read(data).questions()} for id_, data in rows}
