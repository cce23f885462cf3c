"""Campaigns: set up, begun, drawn, ended."""

from __future__ import annotations

import calendar
import hashlib
import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from huiyin.sdk import (
    N_,
    Case,
    Fund,
    Invalid,
    Investor,
    NotFound,
    Ready,
    TenantContext,
    today,
    uuid7,
)
from huiyin_survey_satisfaction import counting, invitations, telling, tokens
from huiyin_survey_satisfaction.errors import AlreadyStarted, NotRunning, Resettled
from huiyin_survey_satisfaction.models import Campaign, Invitation, Questionnaire, Version
from huiyin_survey_satisfaction.questionnaires import newest_published
from huiyin_survey_satisfaction.wording import PERIODIC, TRIGGERS, State

DRAW: Final = "draw"
MARK: Final = "mark"
_CHUNK: Final = 1_000


def _meta(title: str, **bounds: Any) -> msgspec.Meta:
    return msgspec.Meta(title=title, **bounds)


class CampaignForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, _meta(N_("调查名称"), max_length=60)] = ""
    questionnaire: Annotated[str, _meta(N_("问卷"), max_length=40)] = ""
    trigger: Annotated[str, _meta(N_("何时调查"), max_length=40)] = "case.closed"
    naming: Annotated[Literal["choice", "signed", "anonymous"], _meta(N_("是否记名"))] = "choice"
    source: Annotated[Literal["register", "list"], _meta(N_("调查对象"))] = "register"
    quota: Annotated[int, _meta(N_("每只产品人数"), ge=0, le=10_000)] = 0
    every_months: Annotated[int, _meta(N_("每隔几个月"), ge=0, le=24)] = 0
    wait_days: Annotated[int, _meta(N_("几天后发出"), ge=0, le=60)] = 0
    valid_days: Annotated[int, _meta(N_("链接有效天数"), ge=1, le=180)] = 30
    rest_days: Annotated[int, _meta(N_("间隔天数"), ge=0, le=730)] = 90
    reminders: Annotated[int, _meta(N_("提醒次数"), ge=0, le=3)] = 1
    remind_days: Annotated[int, _meta(N_("几天后提醒"), ge=1, le=60)] = 7


# What a campaign keeps as the form says it.
_SETTINGS: Final = tuple(
    field.name for field in msgspec.structs.fields(CampaignForm) if field.name != "questionnaire"
)


def listed(ctx: TenantContext) -> Sequence[Campaign]:
    """The firm's campaigns, the running ones first."""
    order = {"running": 0, "draft": 1, "ended": 2}
    found = ctx.session.scalars(
        select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id).limit(200)
    ).all()
    return sorted(found, key=lambda campaign: order[campaign.state])


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above every page of a campaign, and how many unsigned sheets wait."""

    id: uuid.UUID
    version_id: uuid.UUID
    title: str
    trigger: str
    naming: str
    state: str
    waiting: int


_HEAD: Final = Ready(
    select(
        Campaign.id, Campaign.version_id, Campaign.title, Campaign.trigger, Campaign.naming,
        Campaign.state, counting.WAITING.scalar_subquery(),
    ).where(Campaign.id == bindparam("campaign"))
)  # fmt: skip


def head(ctx: TenantContext, campaign_id: uuid.UUID) -> Head:
    """The head of a campaign, in one query.  Raises ``NotFound``."""
    row = _HEAD.run(ctx.session, campaign=campaign_id).one_or_none()
    if row is None:
        raise NotFound
    return Head(*row)


def find(ctx: TenantContext, campaign_id: uuid.UUID, *, lock: bool = False) -> Campaign:
    query = select(Campaign).where(Campaign.id == campaign_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def mark(campaign: Campaign) -> str:
    """Tells the settings of one moment from those of another, as a form's version does."""
    held = [campaign.questionnaire_id, *(getattr(campaign, name) for name in _SETTINGS)]
    return hashlib.sha256(repr(held).encode()).hexdigest()[:16]


def save(
    ctx: TenantContext,
    form: CampaignForm,
    known: Campaign | None = None,
    *,
    seen: str | None = None,
) -> Campaign:
    """A new campaign, or one not begun yet with other settings, which stood as ``seen``.

    Raises ``Invalid``, ``AlreadyStarted``, and ``Resettled`` when somebody was faster.
    """
    if known is not None and known.state != "draft":
        raise AlreadyStarted
    if known is not None and seen is not None and seen != mark(known):
        raise Resettled
    faults: dict[str, Any] = {}
    if not form.title:
        faults["title"] = N_("请写一个名称，例如「2026 年度投资者调查」")
    if form.trigger not in TRIGGERS:
        faults["trigger"] = N_("请从给出的选项中选择")
    version = _version(ctx, form.questionnaire)
    if version is None:
        faults["questionnaire"] = N_("请选择一份已发布的问卷")
    if faults or version is None:
        raise Invalid(faults)
    campaign = known or Campaign(id=uuid7(), created_by=ctx.actor.id, state="draft")
    campaign.questionnaire_id, campaign.version_id = version.questionnaire_id, version.id
    for name in _SETTINGS:
        setattr(campaign, name, getattr(form, name))
    _suit(campaign)
    if known is None:
        campaign.seed = random.SystemRandom().randrange(2**31)
        ctx.session.add(campaign)
    ctx.session.flush()
    ctx.record("campaign_saved", campaign.id, {"trigger": form.trigger, "naming": form.naming})
    return campaign


def _suit(campaign: Campaign) -> None:
    """What says nothing for this trigger or source is left at nothing."""
    if campaign.trigger != PERIODIC:
        campaign.source, campaign.quota, campaign.every_months = "register", 0, 0
    if campaign.source == "list":
        campaign.every_months = 0


def _version(ctx: TenantContext, questionnaire: str) -> Any:
    try:
        return newest_published(ctx, uuid.UUID(questionnaire))
    except ValueError:
        return None


def choices(ctx: TenantContext) -> Sequence[tuple[str, str]]:
    """Questionnaires that have a published version, for a form."""
    rows = ctx.session.execute(
        select(Questionnaire.id, Questionnaire.title)
        .where(
            Questionnaire.id.in_(
                select(Version.questionnaire_id).where(Version.state == "published")
            )
        )
        .order_by(Questionnaire.title)
    )
    return [(str(id_), title) for id_, title in rows]


def start(ctx: TenantContext, campaign_id: uuid.UUID) -> Campaign:
    """Begin.  After cases it waits for them; a periodic one draws its people by a job."""
    campaign = find(ctx, campaign_id, lock=True)
    if campaign.state != "draft":
        raise AlreadyStarted
    if campaign.source == "list" and not _planned(ctx, campaign):
        raise Invalid({"file": N_("请先导入名单，再启动调查")})
    campaign.state, campaign.started_at = "running", ctx.now()
    ctx.session.flush()
    if campaign.trigger == PERIODIC:
        ctx.enqueue(DRAW, {"campaign": campaign.id}, key=f"{DRAW}:{campaign.id}:1")
        campaign.next_on = months_after(today(), campaign.every_months)
    ctx.record("campaign_started", campaign.id, {"trigger": campaign.trigger})
    return campaign


def months_after(day: date, months: int) -> date | None:
    """The same day so many months later, or the last of that month."""
    if not months:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end(ctx: TenantContext, campaign_id: uuid.UUID) -> Campaign:
    """End: nobody else can answer, and what waits to be counted is counted."""
    campaign = find(ctx, campaign_id, lock=True)
    if campaign.state != "running":
        raise NotRunning
    campaign.state, campaign.ended_at, campaign.next_on = "ended", ctx.now(), None
    ctx.session.flush()
    counted = counting.count_unsigned(ctx, campaign, final=True)
    ctx.enqueue(MARK, {"campaign": campaign.id, "final": True})
    ctx.record("campaign_ended", campaign.id, {"counted": counted})
    return campaign


def _planned(ctx: TenantContext, campaign: Campaign) -> int:
    return ctx.session.scalar(
        select(func.count()).select_from(Invitation).where(
            Invitation.campaign_id == campaign.id, Invitation.state == State.PLANNED.value
        )
    ) or 0  # fmt: skip


def states(ctx: TenantContext, campaign: Campaign) -> dict[str, int]:
    """How many invitations stand where, as far as it is told."""
    told = telling.told_in_database(campaign).label("told")
    each = select(told).where(Invitation.campaign_id == campaign.id).subquery()
    rows = ctx.session.execute(select(each.c.told, func.count()).group_by(each.c.told))
    return {state: int(n) for state, n in rows}


def use_newer(ctx: TenantContext, campaign: Campaign) -> None:
    """Ask with the newest published version from now on; what was begun keeps its own."""
    newest = newest_published(ctx, campaign.questionnaire_id)
    if campaign.state == "ended" or newest is None or newest.id == campaign.version_id:
        raise NotRunning
    campaign.version_id = newest.id
    ctx.session.flush()
    ctx.record("version_changed", campaign.id, {"number": newest.number})


# -- drawing -----------------------------------------------------------------------------------


def draw(ctx: TenantContext, campaign: Campaign) -> int:
    """Choose whom to ask, and have them asked; answers how many.

    Census or quota by product; who was asked lately rests.  The draw follows the campaign's seed,
    so that it can be repeated by whoever checks it.  Links are good from the day of the draw,
    however long ago the list was imported.
    """
    invitations.hold_asking(ctx)
    if campaign.source == "register":
        _from_register(ctx, campaign)
    people = list(
        ctx.session.scalars(
            select(Invitation)
            .where(Invitation.campaign_id == campaign.id, Invitation.state == State.PLANNED.value)
            .order_by(Invitation.person, Invitation.id)
        )
    )
    resting = invitations.asked_lately(ctx, campaign, {one.person for one in people})
    chosen = _chosen(campaign, [one for one in people if one.person not in resting])
    for one in people:
        if one.person in resting:
            one.state = State.RESTING
        elif one.id not in chosen:
            one.state = State.SPARED
        else:
            one.state, one.made_on = State.WAITING, today()
            one.expires_on = one.made_on + timedelta(days=campaign.valid_days)
            invitations.send_later(ctx, one)
    ctx.session.flush()
    ctx.record(
        "drawn", campaign.id,
        {"people": len(people), "chosen": len(chosen), "seed": campaign.seed},
    )  # fmt: skip
    return len(chosen)


def _chosen(campaign: Campaign, people: Sequence[Invitation]) -> set[uuid.UUID]:
    groups: dict[str, list[Invitation]] = defaultdict(list)
    for one in people:
        groups[one.segment].append(one)
    chosen: set[uuid.UUID] = set()
    for segment in sorted(groups):
        group = groups[segment]
        if campaign.quota and len(group) > campaign.quota:
            dice = random.Random(f"{campaign.seed}:{segment}")  # noqa: S311 - a draw to be repeated
            group = dice.sample(group, campaign.quota)
        chosen |= {one.id for one in group}
    return chosen


def _from_register(ctx: TenantContext, campaign: Campaign) -> None:
    """Everybody of the register with a mailbox, once, with the product of their newest case."""
    newest = (
        select(Case.complainant_id, Fund.short_name)
        .join(Fund, Fund.id == Case.fund_id)
        .ext(distinct_on(Case.complainant_id))
        .order_by(Case.complainant_id, Case.received_at.desc())
    )
    products = {person: str(name) for person, name in ctx.session.execute(newest)}
    known = set(
        ctx.session.scalars(
            select(Invitation.person).where(
                Invitation.campaign_id == campaign.id,
                Invitation.state.in_([State.PLANNED.value, State.WAITING.value]),
            )
        )
    )
    rows = ctx.session.execute(
        select(Investor.id, Investor.name, Investor.email)
        .where(Investor.email != "")
        .order_by(Investor.id)
    )
    for id_, name, email in rows:
        seal = tokens.person_seal(ctx.tenant.id, email)
        if seal in known:
            continue
        known.add(seal)
        ctx.session.add(
            invitations.made(
                ctx, campaign, address=email, name=name, email=email,
                segment=products.get(id_, ""), state=State.PLANNED,
            )
        )  # fmt: skip
    ctx.session.flush()


# -- returning ---------------------------------------------------------------------------------


def next_round(ctx: TenantContext, campaign: Campaign) -> None:
    """The next draw of a campaign that returns, if its day has come."""
    if campaign.next_on is None or campaign.next_on > today():
        return
    ctx.enqueue(
        DRAW, {"campaign": campaign.id}, key=f"{DRAW}:{campaign.id}:{campaign.next_on.isoformat()}"
    )
    campaign.seed += 1
    campaign.next_on = months_after(campaign.next_on, campaign.every_months)


def expire(ctx: TenantContext, campaign: Campaign) -> None:
    """Let go of links past their day."""
    ctx.session.execute(
        update(Invitation)
        .where(
            Invitation.campaign_id == campaign.id,
            Invitation.state == State.SENT.value,
            Invitation.expires_on < today(),
        )
        .values(state=State.EXPIRED.value)
        .execution_options(synchronize_session=False)
    )
