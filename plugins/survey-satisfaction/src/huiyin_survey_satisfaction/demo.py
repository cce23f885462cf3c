"""A made-up firm's surveys, filled through the same services that real ones use."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import select

from huiyin.sdk import (
    Actor,
    Case,
    CaseState,
    Fund,
    Role,
    TenantContext,
    barred_from_judging,
    colleagues,
)
from huiyin_survey_satisfaction import (
    campaigns,
    counting,
    designs,
    invitations,
    questionnaires,
    reviews,
    sheets,
    tokens,
)
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.models import Campaign, Invitation, Review
from huiyin_survey_satisfaction.reviews import ReviewForm
from huiyin_survey_satisfaction.wording import State

ASKED: Final = 160
_SEED: Final = 20261124
_WORDS: Final = (
    "客服很耐心，把净值的计算方法讲清楚了，谢谢。",
    "等了两个星期才有答复，太慢了。",
    "答复书里的术语看不懂，希望用白话解释。",
    "告知产品经理变更的邮件进了垃圾箱，建议同时发短信。",
    "业绩报酬怎么算的，打电话问了三次，每次说法都不一样。",
    "季报披露及时，希望增加风险部分的说明。",
    "赎回到账比约定晚了两天，没有人提前通知。",
    "处理结果公平，没有推诿。",
)
_FINDING: Final = "回访没有按约定的时间进行，答复书也没有写明赎回款的到账日期。"


def fill(ctx: TenantContext) -> None:
    """Two campaigns after cases and one of all investors, with answers, reviews and texts."""
    judges = [c for c in colleagues(ctx.session) if {Role.SUPERVISOR, Role.APPROVER} & c.roles]
    if not judges:
        return
    first = judges[-1]
    person = Actor(first.id, ctx.tenant.id, first.name, first.roles, first.department)
    mine = replace(ctx, actor=person)
    dice = random.Random(_SEED)  # noqa: S311 - made-up answers that are the same each time
    after = _begun(mine, "after_case", "投诉处理满意度", trigger="case.closed", naming="choice")
    _begun(mine, "after_answer", "书面答复是否清楚", trigger="case.answered", naming="signed",
           wait_days=2, rest_days=0)  # fmt: skip
    yearly = _begun(mine, "yearly", f"{ctx.now().year} 年度投资者调查", trigger="periodic",
                    naming="anonymous", source="list")  # fmt: skip
    _cases(mine, after, dice)
    _investors(mine, yearly, dice)
    _concluded(ctx, judges)
    questionnaires.take(mine, "after_visit")


def _begun(ctx: TenantContext, code: str, title: str, **given: Any) -> Campaign:
    made = questionnaires.take(ctx, code)
    questionnaires.publish(ctx, made, "1")
    form = CampaignForm(title=title, questionnaire=str(made.id))
    campaign = campaigns.save(ctx, msgspec.structs.replace(form, **given))
    if given.get("source") == "list":
        for one in _people(ctx, campaign):
            ctx.session.add(one)
        ctx.session.flush()
    return campaigns.start(ctx, campaign.id)


def _people(ctx: TenantContext, campaign: Campaign) -> Sequence[Invitation]:
    funds = [f.short_name for f in ctx.session.scalars(select(Fund).order_by(Fund.short_name))]
    products = funds[:4] or ["稳进一号", "稳进二号"]
    return [
        invitations.made(
            ctx, campaign, address=f"investor{n}@example.com", name=f"投资者{n:03}",
            email=f"investor{n}@example.com", segment=products[n % len(products)],
            state=State.PLANNED,
        )
        for n in range(1, ASKED + 1)
    ]  # fmt: skip


def _cases(ctx: TenantContext, campaign: Campaign, dice: random.Random) -> None:
    """Every closed complaint is asked about; two in three answer, most of them signed."""
    closed = ctx.session.scalars(
        select(Case)
        .where(Case.state == CaseState.CLOSED.value)
        .order_by(Case.closed_at.desc())
        .limit(60)
    ).all()
    rested = campaign.rest_days
    campaign.rest_days = 0  # a year of cases at once
    for case in closed:
        invitation = invitations.invite_case(ctx, campaign, case)
        if invitation is None:
            continue
        if invitation.state == State.WAITING:
            invitation.state, invitation.sent_on = State.SENT, invitation.made_on
        if dice.random() < 0.7:
            _answer(ctx, campaign, invitation, _said(dice), signed=dice.random() < 0.8)
    campaign.rest_days = rested
    counting.count_unsigned(ctx, campaign)
    counting.mark_turned_in(ctx, campaign)


def _said(dice: random.Random) -> Mapping[str, Any]:
    overall = dice.choices("54321", (34, 38, 14, 9, 5))[0]
    near = [max(1, min(5, int(overall) + dice.choice((-1, 0, 0, 1)))) for _ in range(4)]
    lines = ("timely", "clear", "fair", "solved")
    answers: dict[str, Any] = {
        "overall": overall,
        "aspects": {line: str(n) for line, n in zip(lines, near, strict=True)},
        "solved": "yes" if overall in "54" else dice.choice(("partly", "partly", "no")),
    }
    if answers["solved"] != "yes":
        answers["why"] = dice.sample(["slow", "unclear", "attitude", "result", "promise"], 2)
    if dice.random() < 0.5:
        answers["words"] = dice.choice(_WORDS)
    return answers


def _investors(ctx: TenantContext, campaign: Campaign, dice: random.Random) -> None:
    """A year's census without names: about two thirds answer."""
    campaigns.draw(ctx, campaign)
    for invitation in ctx.session.scalars(
        select(Invitation)
        .where(Invitation.campaign_id == campaign.id, Invitation.state == State.WAITING.value)
        .order_by(Invitation.id)
    ).all():
        invitation.state, invitation.road, invitation.sent_on = (
            State.SENT, "mail", invitation.made_on,
        )  # fmt: skip
        if dice.random() < 0.62:
            _answer(ctx, campaign, invitation, _yearly(dice), signed=False)
    counting.count_unsigned(ctx, campaign)
    counting.mark_turned_in(ctx, campaign)


def _yearly(dice: random.Random) -> Mapping[str, Any]:
    nps = dice.choices(range(11), (2, 1, 1, 2, 3, 6, 8, 14, 22, 21, 20))[0]
    lines = ("disclosure", "risk", "fees", "redeem", "answer")
    complained = dice.choices(("yes", "wanted", "no"), (12, 8, 80))[0]
    answers: dict[str, Any] = {
        "nps": str(nps),
        "service": {line: dice.choices("54321", (30, 40, 18, 8, 4))[0] for line in lines},
        "complained": complained,
    }
    if complained == "yes":
        answers["handled"] = dice.choices("54321", (20, 40, 20, 12, 8))[0]
    if complained == "wanted":
        answers["barrier"] = [dice.choice(("how", "useless", "afraid", "time"))]
    if dice.random() < 0.35:
        answers["words"] = dice.choice(_WORDS)
    return answers


def _answer(
    ctx: TenantContext, campaign: Campaign, invitation: Invitation, said: Mapping[str, Any],
    *, signed: bool,
) -> None:  # fmt: skip
    """Answer by the link, as the investor would."""
    asked = sheets.by_token(ctx, tokens.token_of(ctx.tenant.id, invitation.id))
    if signed:
        sheets.begin_signed(ctx, asked, "zh")
        filling = sheets.signed(ctx, asked)
        assert filling is not None  # noqa: S101 - it was just begun
    else:
        ballot = sheets.turn_in(ctx, asked, "zh")
        filling = sheets.unsigned(ctx, ballot, make=True)
    for code, value in said.items():
        if filling.design.question(code) is not None:
            sheets.save(filling, [code], {code: value})
    assert designs.kept(filling.design, filling.answers)  # noqa: S101 - the library's questions
    sheets.finish(ctx, filling)
    assert campaign.id == filling.campaign.id  # noqa: S101 - the link led here


def _concluded(ctx: TenantContext, judges: Sequence[Any]) -> None:
    """Half of the reviews have ended, each by somebody who never handled the case."""
    opened = ctx.session.scalars(
        select(Review).where(Review.state == "open").order_by(Review.id)
    ).all()
    for review in opened[::2]:
        case = ctx.session.get(Case, (ctx.tenant.id, review.case_id)) if review.case_id else None
        barred = barred_from_judging(ctx.session, case) if case else frozenset()
        free = [judge for judge in judges if judge.id not in barred]
        if not free:
            continue
        actor = Actor(free[0].id, ctx.tenant.id, free[0].name, free[0].roles, free[0].department)
        reviews.conclude(
            replace(ctx, actor=actor), review.id,
            ReviewForm(finding=_FINDING, cause="RC3-2", training=True),
        )  # fmt: skip
