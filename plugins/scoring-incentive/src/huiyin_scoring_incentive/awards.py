"""Awards of a year: nominated with grounds from the data, one list approved by two, and shown in
public only as long as the person agrees."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Colleague,
    Conflict,
    Invalid,
    Investor,
    Message,
    NotFound,
    Refused,
    Role,
    TenantContext,
    colleagues,
    now,
)
from huiyin_scoring_incentive import errors
from huiyin_scoring_incentive.models import Award, Reward, Round, Score
from huiyin_scoring_incentive.rights import AWARD, SEE
from huiyin_scoring_incentive.schemas import NominationForm
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings

STATE_TITLES: Final[Mapping[str, str]] = {
    "open": N_("提名中"),
    "listed": N_("待审批"),
    "granted": N_("已批准"),
}
AWARD_TITLES: Final[Mapping[str, str]] = {
    "nominated": N_("已提名"),
    "struck": N_("未列入"),
    "granted": N_("已授予"),
}
MOST: Final = 60  # nominations in one year
_TELLTALE: Final = (
    (
        re.compile(r"1[3-9]\d{9}|\d{3}[- ]\d{4}[- ]\d{4}|\d{15,}"),
        N_("表扬文字含有电话或证件号码，请删除"),
    ),
    (re.compile(r"[\w.+-]+@[\w-]+\.\w+"), N_("表扬文字含有电子邮箱，请删除")),
    (re.compile(r"[A-Z]{1,4}-?\d{4}-\d{2,}"), N_("表扬文字含有案件编号，请删除")),
)  # fmt: skip


# -- a year ------------------------------------------------------------------------------------


def open_year(ctx: TenantContext, year: int) -> Reward:
    """Begin to take nominations for a year.  Raises ``Invalid`` for one there is already."""
    if ctx.session.scalar(select(Reward.id).where(Reward.year == year)) is not None:
        raise Invalid({"year": Message(N_("这一年度的奖励已经开启"))})
    made = Reward(year=year, opened_by=ctx.actor.id, opener_name=ctx.actor.name)
    ctx.session.add(made)
    ctx.session.flush()
    ctx.record("reward_opened", made.id, {"year": year})
    return made


def years(ctx: TenantContext, *, before: int = 9999, limit: int = 10) -> Sequence[Reward]:
    return ctx.session.scalars(
        select(Reward).where(Reward.year < before).order_by(Reward.year.desc()).limit(limit)
    ).all()


def of_year(ctx: TenantContext, year: int, *, lock: bool = False) -> Reward:
    query = select(Reward).where(Reward.year == year)
    found = ctx.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound
    return found


def awards_of(ctx: TenantContext, reward: Reward) -> list[Award]:
    """All nominations for those who may see them; else the granted ones and what concerns one."""
    query = select(Award).where(Award.reward_id == reward.id)
    if not (ctx.actor.can(SEE) or ctx.actor.can(AWARD)):
        query = query.where((Award.state == "granted") | (Award.nominated_by == ctx.actor.id))
    return list(ctx.session.scalars(query.order_by(Award.honour, Award.nominee_name, Award.id)))


# -- nominating --------------------------------------------------------------------------------


def nominate(ctx: TenantContext, year: int, form: NominationForm) -> Award:
    """Propose a colleague, with the published scores of the year as they stand beside the words.

    Raises ``Refused`` for oneself, ``Invalid`` at the field, ``Conflict`` once the list is closed.
    """
    reward = of_year(ctx, year, lock=True)
    if reward.state != "open":
        raise Conflict(N_("名单已经封存，不再接受提名"))
    nominee = _nominee(ctx, form.nominee)
    if nominee.id == ctx.actor.id:
        raise Refused(errors.SELF_NOMINATION)
    check_citation(ctx, form.citation)
    same = select(Award.id).where(
        Award.reward_id == reward.id, Award.nominee_id == nominee.id, Award.honour == form.honour
    )
    if ctx.session.scalar(same) is not None:
        raise Invalid({"nominee": Message(N_("这位同事已获这一奖项的提名"))})
    count = select(func.count()).select_from(Award).where(Award.reward_id == reward.id)
    if (ctx.session.scalar(count) or 0) >= MOST:
        raise Conflict(Message(N_("一年最多 {n} 项提名"), {"n": MOST}))
    made = Award(
        reward_id=reward.id, year=year, honour=form.honour, nominee_id=nominee.id,
        nominee_name=nominee.name, department=nominee.department, grounds=form.grounds,
        data=grounds_from_data(ctx, nominee.id, year), citation=form.citation,
        nominated_by=ctx.actor.id, nominator_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    facts = {"year": year, "nominee": nominee.id, "rounds": len(made.data)}
    commits = {"grounds": form.grounds, "citation": form.citation}
    ctx.record("award_nominated", made.id, facts, commits)
    return made


def _nominee(ctx: TenantContext, given: str) -> Colleague:
    for colleague in colleagues(ctx.session):
        if str(colleague.id) == given:
            return colleague
    raise Invalid({"nominee": Message(N_("请选择一位在职同事"))})


def grounds_from_data(ctx: TenantContext, nominee: uuid.UUID, year: int) -> list[Any]:
    """The published scores of the year: what a nomination rests on."""
    rows = ctx.session.execute(
        select(Round.title, Round.until, Score.id, Score.value, Score.low, Score.high)
        .join(Round, Round.id == Score.round_id)
        .where(
            Score.subject_id == nominee, Round.state == "published",
            func.extract("year", Round.until) == year,
        )
        .order_by(Round.until, Score.revision)
    )  # fmt: skip
    latest = {(row.title, row.until): row for row in rows}
    return [
        {
            "round": row.title, "until": row.until.isoformat(), "score": str(row.id),
            "value": None if row.value is None else float(row.value),
            "low": None if row.low is None else float(row.low),
            "high": None if row.high is None else float(row.high),
        }
        for row in latest.values()
    ]  # fmt: skip


def check_citation(ctx: TenantContext, text: str) -> None:
    """Refuse words that would point to a complainant.  Raises ``Invalid`` at ``citation``."""
    for pattern, said in _TELLTALE:
        if pattern.search(text):
            raise Invalid({"citation": Message(said)})
    hit = ctx.session.scalar(
        select(Investor.id)
        .where(func.char_length(Investor.name) >= 2, func.strpos(text, Investor.name) > 0)
        .limit(1)
    )
    if hit is not None:
        raise Invalid({"citation": Message(N_("表扬文字含有投诉人的姓名或名称，请删除"))})


# -- two approve ---------------------------------------------------------------------------------


def strike(ctx: TenantContext, award_id: uuid.UUID, reason: str) -> Award:
    """Leave a nomination out, with a reason; whoever signed before has to sign anew."""
    found = _award(ctx, award_id)
    reward = of_year(ctx, found.year, lock=True)
    if reward.state == "granted" or found.state != "nominated":
        raise Conflict
    if ctx.actor.id in {found.nominee_id, found.nominated_by}:
        raise Refused(errors.OWN_LIST)
    found.state, found.struck_reason = "struck", reason
    found.struck_by, found.striker_name = ctx.actor.id, ctx.actor.name
    _unsign(reward)
    ctx.session.flush()
    ctx.record("award_struck", found.id, {"year": found.year}, {"reason": reason})
    return found


def close_list(ctx: TenantContext, year: int) -> Reward:
    """No more nominations: from here on the list is what is approved."""
    reward = of_year(ctx, year, lock=True)
    if reward.state != "open":
        raise Conflict
    listed = _listed(ctx, reward)
    if not listed:
        raise Conflict(N_("还没有提名，暂不能封存名单"))
    reward.state, reward.list_hash = "listed", list_hash(listed)
    ctx.session.flush()
    ctx.record("reward_listed", reward.id, {"year": year, "list": reward.list_hash})
    return reward


def approve(ctx: TenantContext, year: int, seen: str) -> Reward:
    """One of the two approvals, as approver or as executive; the second grants the awards.

    Raises ``Refused`` for whoever is on the list, nominated somebody on it or signed already.
    """
    reward = of_year(ctx, year, lock=True)
    if reward.state != "listed":
        raise Conflict
    listed = _listed(ctx, reward)
    current = list_hash(listed)
    if seen != current:
        raise Conflict
    _refuse_partial(ctx, reward, listed)
    _take_seat(ctx, reward)
    reward.list_hash = current
    if reward.approver_id and reward.executive_id:
        reward.state, reward.granted_at = "granted", now()
        for award in listed:
            award.state, award.granted_at = "granted", reward.granted_at
    ctx.session.flush()
    facts = {"year": year, "list": current, "granted": reward.state == "granted"}
    ctx.record("reward_approved", reward.id, facts)
    return reward


def _refuse_partial(ctx: TenantContext, reward: Reward, listed: Sequence[Award]) -> None:
    me = ctx.actor.id
    if any(award.nominee_id == me for award in listed):
        raise Refused(errors.OWN_LIST)
    if any(award.nominated_by == me for award in listed):
        raise Refused(errors.NOMINATED)
    if me in {reward.approver_id, reward.executive_id}:
        raise Refused(errors.SAME_SIGNER)


def _take_seat(ctx: TenantContext, reward: Reward) -> None:
    """The seat that this person's role has and that is still free."""
    if Role.APPROVER in ctx.actor.roles and reward.approver_id is None:
        reward.approver_id, reward.approver_name = ctx.actor.id, ctx.actor.name
        reward.approver_at = now()
    elif Role.EXECUTIVE_VIEWER in ctx.actor.roles and reward.executive_id is None:
        reward.executive_id, reward.executive_name = ctx.actor.id, ctx.actor.name
        reward.executive_at = now()
    else:
        raise Conflict(N_("这一道审批已经完成，请另一道审批的同事办理"))


def _unsign(reward: Reward) -> None:
    reward.approver_id = reward.executive_id = None
    reward.approver_name = reward.executive_name = ""
    reward.approver_at = reward.executive_at = None


def _listed(ctx: TenantContext, reward: Reward) -> list[Award]:
    query = select(Award).where(Award.reward_id == reward.id, Award.state == "nominated")
    return list(ctx.session.scalars(query.order_by(Award.id)))


def list_hash(listed: Sequence[Award]) -> str:
    """The list as it is approved: who, for what, in which words."""
    content = sorted([str(a.nominee_id), a.honour, a.grounds, a.citation] for a in listed)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


# -- in public -----------------------------------------------------------------------------------


def consent(ctx: TenantContext, award_id: uuid.UUID, seen: str, *, agree: bool) -> Award:
    """The person agrees to these very words being public, or no longer does: at once, both ways.

    Those who approve awards can take a page down too, for somebody who has left and asks for it;
    nobody agrees for another.
    """
    found = _award(ctx, award_id)
    if found.nominee_id != ctx.actor.id and (agree or not ctx.actor.can(AWARD)):
        raise NotFound
    if found.state != "granted" or (agree and seen != words(found)):
        raise Conflict
    found.consented_at = now() if agree else None
    ctx.session.flush()
    ctx.record("award_consent", found.id, {"agreed": agree, "words": words(found)})
    return found


def words(award: Award) -> str:
    """The seal of what the public would read."""
    read = [award.nominee_name, award.department, award.honour, award.citation]
    return hashlib.sha256(msgspec.json.encode(read)).hexdigest()


def _award(ctx: TenantContext, award_id: uuid.UUID) -> Award:
    found = ctx.session.scalars(
        select(Award).where(Award.id == award_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def public(
    ctx: TenantContext, *, after: uuid.UUID | None = None, limit: int = 30
) -> tuple[Sequence[Award], uuid.UUID | None]:
    """What may be read by anybody: granted, agreed to, newest first."""
    if not ctx.settings(ScoringIncentiveSettings).commendations:
        return [], None
    query = select(Award).where(Award.state == "granted", Award.consented_at.is_not(None))
    if after is not None:
        query = query.where(Award.id < after)
    rows = ctx.session.scalars(query.order_by(Award.id.desc()).limit(limit + 1)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def mine(ctx: TenantContext, person: uuid.UUID, limit: int = 20) -> Sequence[Award]:
    """What somebody was granted, newest first."""
    return ctx.session.scalars(
        select(Award)
        .where(Award.nominee_id == person, Award.state == "granted")
        .order_by(Award.id.desc())
        .limit(limit)
    ).all()
