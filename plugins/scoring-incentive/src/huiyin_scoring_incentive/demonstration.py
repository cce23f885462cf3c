"""A made-up firm's scores, thanks and awards, through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import msgspec

from huiyin.sdk import (
    Actor,
    CaseRecord,
    Colleague,
    Invalid,
    Period,
    Role,
    TenantContext,
    closed_cases,
    colleagues,
    local_date,
    today,
)
from huiyin_scoring_incentive import appeals, awards, formulas, rounds, tasks, thanks
from huiyin_scoring_incentive.lint import covered
from huiyin_scoring_incentive.models import Formula, Round
from huiyin_scoring_incentive.schemas import (
    AppealForm,
    Body,
    CreditForm,
    HeadForm,
    NominationForm,
    RoundForm,
)

HELP: Final = (
    "帮忙核对了三个季度的份额登记，找到了差额的来源",
    "陪同约谈投诉人，把费用计算过程逐项讲清楚",
    "连夜整理托管人的划款回单，补齐了证据目录",
)
LESSON: Final = "按这条经验教训，在赎回告知里加上了退回理由一栏"
_LOOK_BACK: Final = 360  # days of closed cases looked through


@dataclass(frozen=True, slots=True)
class Cast:
    """Those whom the play needs; a firm with too few of them has no play."""

    approvers: Sequence[Colleague]
    supervisor: Colleague
    executive: Colleague
    handlers: Sequence[Colleague]


def fill(ctx: TenantContext) -> None:
    """Formula, rounds, thanks, an appeal and a year's awards, as far as the firm has people."""
    cast = _cast(ctx)
    if cast is None or formulas.published(ctx) is not None:
        return
    _write_formula(ctx, cast)
    records = closed_cases(
        ctx.session, ctx.actor, Period(today() - timedelta(days=_LOOK_BACK), today())
    )
    _thank(ctx, cast, records)
    found = _score(ctx, cast, records)
    if found is not None:
        _appeal(ctx, found, cast)
    _reward(ctx, cast)
    _redraft(ctx, cast)


def _cast(ctx: TenantContext) -> Cast | None:
    people = colleagues(ctx.session)

    def of(role: Role) -> list[Colleague]:
        return [c for c in people if role in c.roles]

    approvers, supervisors = of(Role.APPROVER), of(Role.SUPERVISOR)
    executives = of(Role.EXECUTIVE_VIEWER)
    handlers = [*of(Role.COMPLAINT_OFFICER), *of(Role.INVESTIGATOR)]
    if len(approvers) < 2 or not supervisors or not executives or len(handlers) < 2:
        return None
    return Cast(approvers, supervisors[0], executives[0], handlers)


def _as(ctx: TenantContext, who: Colleague) -> TenantContext:
    """The context as one of the firm's people holds it."""
    actor = Actor(who.id, ctx.tenant.id, who.name, who.roles, who.department)
    return replace(ctx, actor=actor)


def _write_formula(ctx: TenantContext, cast: Cast) -> Formula:
    author, second = cast.approvers[0], cast.supervisor
    draft = formulas.begin(_as(ctx, author))
    why = "首次制定：奖励办得好、守时、有改进"
    head = HeadForm(title="处理质量评分公式", reason=why, rev=draft.rev)
    saved = formulas.save(_as(ctx, author), head, _gentle(formulas.body_of(draft)))
    return formulas.publish(_as(ctx, second), saved.hash)


def _gentle(body: Body) -> Body:
    """For a firm with few cases: two of a kind are enough to be counted."""
    terms = tuple(msgspec.structs.replace(t, minimum=min(2, t.minimum)) for t in body.terms)
    return msgspec.structs.replace(body, terms=terms)


def _thank(ctx: TenantContext, cast: Cast, records: Sequence[CaseRecord]) -> None:
    """Some thanks between those who had a case together; most are confirmed, one waits."""
    by_id = {c.id: c for c in cast.handlers}
    said = 0
    for record in records[-12:]:
        there = [by_id[who] for who in sorted(record.handlers & by_id.keys())]
        if len(there) < 2 or said >= len(HELP):
            continue
        thanked, doer = there[said % 2], there[1 - said % 2]
        form = CreditForm(kind="help", number=record.number, doer=str(doer.id), what=HELP[said])
        try:
            made = thanks.add(_as(ctx, thanked), form)
        except Invalid:
            continue
        made.at = record.closed_at  # it was said when the case was over, not today
        said += 1
        if said < len(HELP):
            thanks.judge(_as(ctx, cast.supervisor), made.id, agree=True)
    _adopt(ctx, cast, records)


def _adopt(ctx: TenantContext, cast: Cast, records: Sequence[CaseRecord]) -> None:
    for record in reversed(records):
        author = str((record.facts.get(thanks.LESSON) or {}).get("by_id", ""))
        takers = [c for c in cast.handlers if str(c.id) != author and c.id not in record.walled]
        if not author or not takers:
            continue
        form = CreditForm(kind="lesson", number=record.number, what=LESSON)
        try:
            made = thanks.add(_as(ctx, takers[0]), form)
        except Invalid:
            continue
        made.at = record.closed_at
        thanks.judge(_as(ctx, cast.supervisor), made.id, agree=True)
        return


def _score(ctx: TenantContext, cast: Cast, records: Sequence[CaseRecord]) -> Round | None:
    """One round published, and one that waits for its first signature."""
    if not records:
        return None
    quarter = formulas.last_quarter()
    began = max(local_date(records[0].closed_at), today() - timedelta(days=_LOOK_BACK))
    until = today() - timedelta(days=1)
    if until < began:
        return None
    title = f"{began.year} 年度至今" if began.year == until.year else "近一年"
    first = _count(ctx, cast, RoundForm(title=title, since=began, until=until))
    if first is None:
        return None
    signer, publisher = cast.approvers[0], cast.supervisor
    rounds.sign(_as(ctx, signer), first.id, first.scores_hash)
    rounds.publish(_as(ctx, publisher), first.id, first.scores_hash)
    number = (quarter.since.month + 2) // 3
    if (quarter.since, quarter.until) != (began, until):
        name = f"{quarter.since.year} 年第 {number} 季度"
        _count(ctx, cast, RoundForm(title=name, since=quarter.since, until=quarter.until))
    return first


def _count(ctx: TenantContext, cast: Cast, form: RoundForm) -> Round | None:
    """A round counted here and now, without waiting for the worker's turns."""
    made = rounds.open_round(_as(ctx, cast.approvers[0]), form)
    while made.state == "counting":
        tasks.count(ctx, {"round": str(made.id), "step": made.steps_done})
    return made if made.state == "counted" else None


def _appeal(ctx: TenantContext, found: Round, cast: Cast) -> None:
    """Somebody does not agree; whoever had no hand in it will decide."""
    people = {c.id: c for c in cast.handlers}
    for score in rounds.scores_in(ctx, found.id):
        if score.value is not None and score.subject_id in people:
            form = AppealForm(
                grounds="有一件超时是因为等待托管人回函，已申请暂停计时，请核对这一件是否应当计入",
                figure="case:stages_in_time",
            )
            appeals.file(_as(ctx, people[score.subject_id]), score.id, form)
            return


def _reward(ctx: TenantContext, cast: Cast) -> None:
    """Last year's awards are granted and one is public; this year's are being nominated."""
    lead, other = cast.handlers[0], cast.handlers[1]
    year = today().year
    awards.open_year(_as(ctx, cast.executive), year - 1)
    for who, honour, why, words in (
        (lead, "复盘之星", "全年六份经验教训中有四份被其他同事采用，费用类投诉因此少走弯路",
         "把每一次投诉都当作改进流程的机会，写下的经验教训帮助了整个团队。"),
        (other, "首接负责奖", "三件重大投诉从首接到归档一跟到底，方案均一次通过",
         "首接负责，有始有终，让每一位投资者都能得到清楚的答复。"),
    ):  # fmt: skip
        form = NominationForm(nominee=str(who.id), honour=honour, grounds=why, citation=words)
        awards.nominate(_as(ctx, cast.supervisor), year - 1, form)
    listed = awards.close_list(_as(ctx, cast.executive), year - 1)
    awards.approve(_as(ctx, cast.approvers[0]), year - 1, listed.list_hash)
    awards.approve(_as(ctx, cast.executive), year - 1, listed.list_hash)
    for award in awards.mine(ctx, lead.id):
        awards.consent(_as(ctx, lead), award.id, awards.words(award), agree=True)
    awards.open_year(_as(ctx, cast.executive), year)
    form = NominationForm(
        nominee=str(other.id), honour="同心协力奖", grounds="多次协助同事核对资料，均有第三人确认",
        citation="乐于伸手相助，让复杂的事情变得清楚。",
    )  # fmt: skip
    awards.nominate(_as(ctx, lead), year, form)


def _redraft(ctx: TenantContext, cast: Cast) -> None:
    """A second version in the making, for the other approver to look at."""
    author = _as(ctx, cast.approvers[0])
    draft = formulas.begin(author)
    body = formulas.body_of(draft)
    first, second, *rest = body.terms
    moved = (
        msgspec.structs.replace(first, weight=first.weight + 5),
        msgspec.structs.replace(second, weight=second.weight - 5),
        *rest,
    )
    head = HeadForm(title=draft.title, reason="重启更能说明办得好不好，加重其权重", rev=draft.rev)
    formulas.save(author, head, covered(moved, ctx.figures()))
