"""What complainants read, as tables: a state in plain words, a promise with its day."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_, Case, Outcome, PublicStage


@dataclass(frozen=True, slots=True)
class Plain:
    """A state: the heading and one sentence."""

    title: str
    says: str


OPEN: Final = MappingProxyType(
    {
        PublicStage.RECEIVED: Plain(
            N_("已收到您的投诉"), N_("您的投诉已登记编号，我们正在核对能否受理。")
        ),
        PublicStage.ACCEPTED: Plain(
            N_("您的投诉已受理"), N_("已安排专人核实您反映的情况，会与您联系。")
        ),
        PublicStage.INVESTIGATING: Plain(
            N_("正在调查"), N_("我们正在核实您反映的情况。需要您补充材料时，会在这里告诉您。")
        ),
        PublicStage.RESOLVING: Plain(
            N_("正在确定处理方案"), N_("调查所得正在用来确定处理方案并落实。结果会书面答复您。")
        ),
        PublicStage.ANSWERED: Plain(
            N_("正在准备书面答复"), N_("书面答复发出后，可以在本页查看和下载。")
        ),
    }
)
ANSWERED: Final = Plain(
    N_("已书面答复"),
    N_("书面答复已发出，可以在本页查看和下载。对结果不满意，可以要求由未参与处理的人员复核。"),
)
REGISTERED: Final = Plain(  # a withdrawal that the firm wrote down; the complainant did nothing
    N_("机构登记您已撤回"),
    N_("机构于 {day}登记您已撤回投诉，理由见沟通记录。如果您没有撤回，请在本页留言或要求复核。"),
)
SETTLED: Final = Plain(
    N_("已答复"),
    N_("处理结果写在沟通记录里。对结果不满意，可以要求由未参与处理的人员复核。"),
)
CLOSED: Final = MappingProxyType(
    {
        Outcome.ARCHIVED: Plain(
            N_("已办结"),
            N_("这件投诉已办结。对结果不满意，可以要求复核，或选择本页列出的其他途径。"),
        ),
        Outcome.SUMMARY: Plain(
            N_("已办结"),
            N_("这件投诉已办结。对结果不满意，可以要求复核，或选择本页列出的其他途径。"),
        ),
        Outcome.DECLINED: Plain(
            N_("未予受理"),
            N_("理由和其他途径写在告知书里，可以在本页下载。有异议的，请在本页留言或要求复核。"),
        ),
        Outcome.WITHDRAWN: Plain(
            N_("您已撤回投诉"), N_("处理已停止，记录按规定保留。需要时您可以重新提交。")
        ),
        Outcome.TRANSFERRED: Plain(
            N_("已转由其他单位处理"),
            N_("转往何处写在沟通记录里。有异议的，请在本页留言或要求复核。"),
        ),
        Outcome.MERGED: Plain(
            N_("已与同类投诉合并办理"),
            N_("您的投诉与反映同一情况的投诉一并办理。有异议的，请在本页留言或要求复核。"),
        ),
    }
)


def plain_state(case: Case) -> Plain:
    """Where a case stands, in words that a complainant uses."""
    if not case.is_open and case.outcome == Outcome.WITHDRAWN and case.ended_by_firm:
        return REGISTERED
    if not case.is_open:
        return CLOSED[Outcome(case.outcome or Outcome.ARCHIVED)]
    if case.public_stage is PublicStage.ANSWERED and case.answered_at:
        return SETTLED if case.settled_at_once else ANSWERED
    return OPEN[case.public_stage]


# What is promised by a day: while there is time, and when the day has gone by.
PROMISED: Final = MappingProxyType(
    {
        "acknowledge": N_("{day}前书面确认收到"),
        "accept": N_("{day}前告知您是否受理"),
        "progress": N_("{day}前再次告知您进展"),
        "reply": N_("{day}前书面答复您"),
        "review": N_("{day}前告知您复核结果"),
    }
)
MISSED: Final = MappingProxyType(
    {
        "acknowledge": N_("原定 {day}前书面确认收到，现已超过。可以留言或拨打投诉热线催办"),
        "accept": N_("原定 {day}前告知您是否受理，现已超过。可以留言或拨打投诉热线催办"),
        "progress": N_("原定 {day}前再次告知您进展，现已超过。可以留言或拨打投诉热线催办"),
        "reply": N_(
            "原定 {day}前书面答复您，现已超过。可以留言或拨打投诉热线催办，也可以选择其他途径"
        ),
        "review": N_(
            "原定 {day}前告知您复核结果，现已超过。可以留言或拨打投诉热线催办，也可以选择其他途径"
        ),
    }
)
# The same promises without a day, for those who have not filed yet.
PLEDGED: Final = MappingProxyType(
    {
        "acknowledge": N_("收到后 {within}内书面确认"),
        "accept": N_("{within}内告知是否受理"),
        "reply": N_("{within}内书面答复处理结果，情况复杂需要延长的会先告知您"),
    }
)
FORCES: Final = MappingProxyType(
    {
        "service_promise": N_("公司承诺"),
        "company_policy": N_("公司制度"),
        "transfer_letter": N_("转办函载明"),
        "self_regulation": N_("自律规则"),
        "law": N_("法律法规"),
    }
)
