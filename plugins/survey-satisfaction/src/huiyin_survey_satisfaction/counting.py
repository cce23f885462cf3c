"""From finished sheets to responses, their answers, and the tallies that results are read from.

Signed sheets are counted at once.  Unsigned ones wait for company: they are counted together, in
random order, under new random ids and the day of the counting, so that neither the order nor the
transaction nor the day of a row says whose it is.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import Case, TenantContext, today
from huiyin_survey_satisfaction import designs, reviews, tokens
from huiyin_survey_satisfaction.designs import Design
from huiyin_survey_satisfaction.models import (
    Answer,
    Campaign,
    Invitation,
    Response,
    Sheet,
    Spent,
    Tally,
    Version,
)
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.themes import themes_of
from huiyin_survey_satisfaction.wording import OPEN, QuestionKind, State

# Questions of our own in the tally: how many, the score, and how many were low.
ALL: Final = "_all"
SCORE: Final = "_score"
LOW: Final = "_low"
_CHUNK: Final = 500
_SHUFFLE: Final = random.SystemRandom()

# Ways to cut a survey; a month keeps how many and the scores, the others everything.
WHOLE: Final = "all"
MONTH: Final = "month"
SEGMENT: Final = "segment"
OWN: Final = (ALL, SCORE, LOW)

Key = tuple[uuid.UUID, str, str, str, str, str]


def count_signed(
    ctx: TenantContext, sheet: Sheet, invitation: Invitation, case: Case | None
) -> Response:
    """Count a signed sheet now; it is gone afterwards.  A low one opens a review."""
    response = _respond(ctx, sheet, signed=True, case=case)
    sheet_answers, design = sheet.answers, _design(ctx, sheet.version_id)
    invitation.state = State.ANSWERED
    ctx.session.delete(sheet)
    ctx.session.add(response)
    ctx.session.flush()
    tally = _write(ctx, response, design, sheet_answers)
    _raise(ctx, tally)
    if response.low:
        reviews.open_for(ctx, response, case)
    return response


def count_unsigned(ctx: TenantContext, campaign: Campaign, *, final: bool = False) -> int:
    """Count the unsigned sheets that wait, if they are enough to hide one another.

    ``final`` counts whatever there is, because nobody will join them any more.
    """
    least = 1 if final else ctx.settings(SurveySatisfactionSettings).batch
    done = (
        select(Sheet)
        .where(Sheet.campaign_id == campaign.id, Sheet.state == "done")
        .with_for_update()
    )
    sheets = list(ctx.session.scalars(done))
    if len(sheets) < least:
        return 0
    _SHUFFLE.shuffle(sheets)
    responses: list[tuple[Response, Mapping[str, Any], Design]] = []
    for sheet in sheets:
        response = _respond(ctx, sheet, signed=False, case=None)
        responses.append((response, sheet.answers, _design(ctx, sheet.version_id)))
        ctx.session.add(response)
    ctx.session.flush()
    tally: Counter[Key] = Counter()
    for response, answers, design in responses:
        tally += _write(ctx, response, design, answers)
    _raise(ctx, tally)
    ctx.session.execute(
        update(Sheet)
        .where(Sheet.id.in_([sheet.id for sheet in sheets]))
        .values(state="counted", answers={}, segment="")
        .execution_options(synchronize_session=False)
    )
    for response, _, _ in responses:
        if response.low:
            reviews.open_for(ctx, response, None)
    return len(sheets)


def mark_turned_in(ctx: TenantContext, campaign: Campaign, *, final: bool = False) -> int:
    """Mark the invitations whose tokens were turned in, many at once; answers how many.

    Too few at the end are let go unmarked: a single mark would say whose answer came last.
    """
    seals = set(ctx.session.scalars(select(Spent.seal).where(Spent.campaign_id == campaign.id)))
    enough = len(seals) >= ctx.settings(SurveySatisfactionSettings).batch
    if not seals or not (enough or final):
        return 0
    marked = 0
    if enough:
        whose = spent_among(ctx, campaign, seals)
        for at in range(0, len(whose), _CHUNK):
            ctx.session.execute(
                update(Invitation)
                .where(Invitation.id.in_(whose[at : at + _CHUNK]))
                .values(state=State.TURNED_IN.value)
                .execution_options(synchronize_session=False)
            )
        marked = len(whose)
    ctx.session.execute(
        delete(Spent)
        .where(Spent.campaign_id == campaign.id, Spent.seal.in_(seals))
        .execution_options(synchronize_session=False)
    )
    return marked


def spent_among(
    ctx: TenantContext, campaign: Campaign, seals: Iterable[bytes] | None = None
) -> list[uuid.UUID]:
    """Invitations whose tokens were turned in and not yet marked, by working out each seal."""
    known = (
        set(seals)
        if seals is not None
        else set(ctx.session.scalars(select(Spent.seal).where(Spent.campaign_id == campaign.id)))
    )
    if not known:
        return []
    open_ids = ctx.session.scalars(
        select(Invitation.id).where(
            Invitation.campaign_id == campaign.id,
            Invitation.state.in_([s.value for s in (*OPEN, State.EXPIRED)]),
        )
    )
    tenant = ctx.tenant.id
    return [one for one in open_ids if tokens.spent_seal(tenant, one) in known]


# How many unsigned sheets are finished and not yet counted.
WAITING: Final = (
    select(func.count())
    .select_from(Sheet)
    .where(Sheet.campaign_id == bindparam("campaign"), Sheet.state == "done")
)


def waiting(ctx: TenantContext, campaign_id: uuid.UUID) -> int:
    return ctx.session.scalar(WAITING, {"campaign": campaign_id}) or 0


# -- one response ------------------------------------------------------------------------------


def _design(ctx: TenantContext, version_id: uuid.UUID) -> Design:
    version = ctx.session.get_one(Version, (ctx.tenant.id, version_id))
    return designs.read(version.design)


def _respond(ctx: TenantContext, sheet: Sheet, *, signed: bool, case: Case | None) -> Response:
    design = _design(ctx, sheet.version_id)
    score = designs.score(design, sheet.answers)
    line = ctx.settings(SurveySatisfactionSettings).low_score
    low = (score is not None and score <= line) or designs.asks_for_review(design, sheet.answers)
    return Response(
        id=uuid.uuid4(), campaign_id=sheet.campaign_id, version_id=sheet.version_id, signed=signed,
        invitation_id=sheet.invitation_id if signed else None,
        case_id=case.id if signed and case else None, on_day=today(), segment=sheet.segment,
        score=Decimal(str(score)) if score is not None else None, low=low,
    )  # fmt: skip


def _write(
    ctx: TenantContext, response: Response, design: Design, answers: Mapping[str, Any]
) -> Counter[Key]:
    cuts = [(WHOLE, ""), (SEGMENT, response.segment)]
    month = (MONTH, f"{response.on_day:%Y-%m}")
    tally: Counter[Key] = Counter()

    def tick(question: str, item: str, value: str) -> None:
        for cut, key in (*cuts, *((month,) if question in OWN else ())):
            tally[(response.campaign_id, cut, key, question, item, value)] += 1

    tick(ALL, "", "")
    if response.score is not None:
        tick(SCORE, "", f"{response.score.normalize():f}")
    if response.low:
        tick(LOW, "", "")
    for answer in _answers(design, answers):
        answer.response_id, answer.campaign_id = response.id, response.campaign_id
        ctx.session.add(answer)
        if not answer.words or answer.value:
            tick(answer.question, answer.item, answer.value)
    ctx.session.flush()
    return tally


def _answers(design: Design, answers: Mapping[str, Any]) -> Iterator[Answer]:
    for question in design.questions():
        value = answers.get(question.code)
        if value in (None, "", [], {}):
            continue
        yield from _answer(question.kind, question.code, value)


def _answer(kind: QuestionKind, code: str, value: Any) -> Iterator[Answer]:
    if kind is QuestionKind.MATRIX:
        for item, given in value.items():
            yield _made(code, item=item, value=given)
    elif kind is QuestionKind.CHOICES:
        for given in value:
            yield _made(code, value=given)
        # How many answered at all: the base of the shares of a question with several answers.
        yield _made(code, item="_n", value="1")
    elif kind is QuestionKind.TEXT:
        yield _made(code, words=value, themes=themes_of(value))
    elif kind is QuestionKind.FILE:
        yield _made(code, words=value["name"], blob_key=value["key"], blob_sha256=value["sha256"])
    else:
        yield _made(code, value=str(value))


def _made(code: str, **given: Any) -> Answer:
    blank: dict[str, Any] = {"item": "", "value": "", "words": "", "themes": []}
    return Answer(id=uuid.uuid4(), question=code, **{**blank, **given})


def _raise(ctx: TenantContext, tally: Mapping[Key, int]) -> None:
    """Add to the tallies, always in the same order, so that two countings never lock each other."""
    rows = [
        {
            "tenant_id": ctx.tenant.id, "id": uuid.uuid4(), "campaign_id": campaign,
            "cut": cut, "key": key, "question": question, "item": item, "value": value, "n": n,
        }
        for (campaign, cut, key, question, item, value), n in sorted(tally.items())
    ]  # fmt: skip
    for at in range(0, len(rows), _CHUNK):
        _upsert(ctx, rows[at : at + _CHUNK])


def _upsert(ctx: TenantContext, rows: Sequence[Mapping[str, Any]]) -> None:
    statement = insert(Tally).values(list(rows))
    ctx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "campaign_id", "cut", "key", "question", "item", "value"],
            set_={"n": Tally.n + statement.excluded.n},
        )
    )  # fmt: skip
