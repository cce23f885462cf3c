"""What must be true before a stage is left.  The page shows these as the next step.

A gate is judged on the case row alone: some read a column, the others read ``facts``, where a
verb wrote down when, by whom and with which words the thing was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from huiyin.cases.models import Case
from huiyin.cases.stages import HANDLING, ROUND, Part, Severity, Stage
from huiyin.identity.actor import Actor
from huiyin.kit.i18n import N_


class How(StrEnum):
    """How a gate comes to be met."""

    COLUMN = "column"  # by the state of the record
    ATTEST = "attest"  # somebody says so, with words
    VERB = "verb"  # another act of the product records it


@dataclass(frozen=True, slots=True)
class Gate:
    """``title`` names the thing done; ``hint`` says what to write or where to do it.

    Some are met by certain people only, and ``rule`` tells the others why not them.
    """

    name: str
    title: str
    how: How
    hint: str = ""
    action: str = ""  # where it is done: a path below the case
    met: Callable[[Case], bool] | None = None  # COLUMN gates
    applies: Callable[[Case], bool] = lambda _: True
    proven: str = ""  # the title once the fact says that it was delivered
    judge: bool = False  # a look from outside: whoever meets it takes no hand in the case by that
    bars: frozenset[Part] = frozenset()  # who ever had one of these parts does not meet it
    by_investigator: bool = False  # who is the case's investigator now meets it, nobody else
    executors: bool = True  # whether those who are to carry out a measure may meet it
    permission: str = ""  # what meeting it takes besides that of the act
    rule: str = ""

    def is_met(self, case: Case) -> bool:
        return self.met(case) if self.met else self.name in case.facts


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate as it stands in one case, with its evidence."""

    gate: Gate
    met: bool
    evidence: Mapping[str, Any]
    rule: str = ""  # why not this person; set for a viewer


def _serious(case: Case) -> bool:
    return case.severity in {Severity.S3, Severity.S4}


def _tasks_done(case: Case) -> bool:
    return int(case.counts.get("measures_open", 0)) == 0


_COLUMN, _ATTEST, _VERB = How.COLUMN, How.ATTEST, How.VERB

# fmt: off
_ALL: Final = (
    # 受理
    Gate("identity_settled", N_("身份或匿名已定"), _COLUMN, N_("补充投诉人姓名与联系方式，或标为匿名"),
         "edit", lambda c: c.anonymous or c.complainant_id is not None),
    Gate("elements_whole", N_("要素齐全"), _COLUMN, N_("补充事由与诉求"), "edit",
         lambda c: bool(c.title and c.story)),
    Gate("classified", N_("分类定级"), _COLUMN, N_("选择投诉类别与级别"), "edit",
         lambda c: bool(c.category and c.severity)),
    Gate("owner_named", N_("首接负责人已定"), _COLUMN, N_("分派首接负责人"), "assign",
         lambda c: c.owner_id is not None),
    Gate("recusal_checked", N_("回避检查"), _ATTEST,
         N_("写明被投诉的部门或人员，以及经办人与其有无利害关系")),
    # 初步调查
    Gate("statement_confirmed", N_("投诉人陈述已确认"), _ATTEST, N_("写明何时、以何种方式与投诉人核实")),
    Gate("papers_collected", N_("产品与合同已调取"), _ATTEST, N_("列出已调取的合同、公告、双录等")),
    Gate("third_party_checked", N_("是否涉及第三方"), _ATTEST, N_("写明是否涉及托管人、代销机构等")),
    Gate("group_checked", N_("是否疑似群体投诉"), _ATTEST, N_("写明同产品近 30 天投诉情况")),
    # 深入调查
    Gate("investigator_named", N_("调查员已定"), _COLUMN,
         N_("复核和重启的案件，由未参与上一轮办理的人员调查"), "assign",
         lambda c: c.investigator_id is not None, applies=lambda c: ROUND in c.facts),
    Gate("evidence_complete", N_("取证清单已齐"), _ATTEST, N_("列出证据，缺项写明原因")),
    Gate("statements_heard", N_("各方陈述已听取"), _ATTEST, N_("写明听取了谁的陈述")),
    Gate("evidence_verified", N_("证据已核验"), _ATTEST, N_("写明如何核验来源与完整性")),
    Gate("finding_recorded", N_("调查结论"), _COLUMN, N_("选择成立、部分成立、不成立或无法核实"),
         "edit", lambda c: c.finding is not None),
    Gate("cause_recorded", N_("根因"), _COLUMN, N_("选择主要根因"), "edit",
         lambda c: c.cause is not None),
    Gate("independence_declared", N_("调查独立性声明"), _ATTEST, N_("声明与投诉双方无利害关系"),
         by_investigator=True, rule=N_("独立性声明须由本案调查员本人作出，尚未分派的请先分派调查员")),
    # 方案制定
    Gate("plan_drafted", N_("处理方案已拟定"), _VERB, N_("填写目标、措施、金额与依据"), "plan"),
    Gate("precedents_compared", N_("先例比对"), _ATTEST, N_("写明同类案件的处理，或无同类案件")),
    Gate("wish_recorded", N_("投诉人意向"), _ATTEST, N_("写明投诉人对方案的意见")),
    # 审批
    Gate("compliance_opinion", N_("合规意见"), _ATTEST, N_("写明合规意见"), applies=_serious,
         judge=True, bars=HANDLING, permission="case.approve",
         rule=N_("合规意见须由未参与本案办理的审批人出具")),
    Gate("plan_approved", N_("有权审批人通过"), _VERB, N_("由未参与办理的审批人通过"), "approve"),
    # 实施
    Gate("measures_done", N_("各项措施已完成并有凭证"), _COLUMN, N_("逐项登记完成情况与凭证"),
         "tasks", _tasks_done),
    Gate("execution_checked", N_("执行情况已复查"), _ATTEST, N_("由非执行人复查并写明结果"),
         judge=True, bars=HANDLING, executors=False,
         rule=N_("执行情况须由未参与办理、也未承担措施的人员复查")),
    # 反馈
    # Given with its release, when the portal shows it; delivered only with proof.
    Gate("reply_sent", N_("书面答复已签发"), _VERB, N_("拟定、签发并发送答复书"), "letters/answer",
         proven=N_("书面答复已送达")),
    Gate("answer_redelivered", N_("未送达的书面答复已重新送达"), _COLUMN,
         N_("邮件被退回：更正地址后重新发送，或改用邮寄等方式并登记送达"), "letters/answer",
         met=lambda c: "answer_returned" not in c.facts,
         applies=lambda c: "answer_returned" in c.facts),
    Gate("reply_talked", N_("已电话沟通"), _ATTEST, N_("写明通话时间与投诉人反应")),
    # 回访
    Gate("visit_made", N_("回访已完成"), _ATTEST, N_("写明回访时间、方式与满意度")),
    Gate("resolved_or_explained", N_("问题已解决或已说明"), _ATTEST,
         N_("投诉人表示没有解决的，写明重启调查或说明的理由")),
    # 归档
    Gate("dossier_whole", N_("卷宗目录完整"), _ATTEST, N_("核对卷宗目录，缺项写明原因")),
    Gate("lessons_written", N_("经验教训"), _ATTEST, N_("写明经验教训，以及是否立整改项")),
    Gate("retention_set", N_("保存期限"), _ATTEST, N_("写明保存期限与依据，由合规确认"),
         judge=True, bars=HANDLING, permission="case.approve",
         rule=N_("保存期限须由未参与本案办理的审批人确认")),
    Gate("review_settled", N_("复核要求已答复"), _COLUMN,
         N_("投诉人要求复核，先由审批人或监督启动复核，或答复不复核"),
         met=lambda c: "review_asked" not in c.facts, applies=lambda c: "review_asked" in c.facts),
    Gate("merged_answered", N_("并入各案已答复"), _COLUMN,
         N_("主案答复签发后自动答复并入各案的投诉人；未能自动发出的，请打开该案核对草稿后签发"),
         met=lambda c: not c.counts.get("merged_owed"),
         applies=lambda c: bool(c.counts.get("merged_owed"))),
    # 简易办结
    Gate("summary_agreed", N_("投诉人同意简易办结"), _ATTEST,
         N_("写明当场如何解决，以及投诉人的确认")),
)
# fmt: on
GATES: Final[Mapping[str, Gate]] = MappingProxyType({gate.name: gate for gate in _ALL})

# What each stage asks before it is left by its ordinary way.
EXIT: Final[Mapping[Stage, tuple[str, ...]]] = MappingProxyType(
    {
        Stage.INTAKE: (
            "identity_settled",
            "elements_whole",
            "classified",
            "owner_named",
            "recusal_checked",
        ),
        Stage.PRELIMINARY: (
            "statement_confirmed",
            "papers_collected",
            "third_party_checked",
            "group_checked",
        ),
        Stage.INVESTIGATION: (
            "investigator_named",
            "evidence_complete",
            "statements_heard",
            "evidence_verified",
            "finding_recorded",
            "cause_recorded",
            "independence_declared",
        ),
        Stage.PLAN: ("plan_drafted", "precedents_compared", "wish_recorded"),
        Stage.APPROVAL: ("compliance_opinion", "plan_approved"),
        Stage.IMPLEMENTATION: ("measures_done", "execution_checked"),
        Stage.RESPONSE: ("reply_sent", "answer_redelivered", "reply_talked"),
        Stage.FOLLOWUP: ("answer_redelivered", "visit_made", "resolved_or_explained"),
        Stage.ARCHIVE: (
            "finding_recorded",
            "cause_recorded",
            "dossier_whole",
            "lessons_written",
            "retention_set",
            "review_settled",
            "answer_redelivered",
            "merged_answered",
        ),
    }
)


def states(case: Case, names: tuple[str, ...]) -> tuple[GateState, ...]:
    """The named gates as they stand in this case, those that do not apply left out."""
    found = (_as_it_is(GATES[name], case) for name in names)
    return tuple(
        GateState(gate, gate.is_met(case), case.facts.get(gate.name, {}))
        for gate in found
        if gate.applies(case)
    )


def _as_it_is(gate: Gate, case: Case) -> Gate:
    if gate.proven and "delivered" in case.facts.get(gate.name, {}):
        return replace(gate, title=gate.proven)
    return gate


def rule_against(
    gate: Gate, actor: Actor, parts: frozenset[Part], *, investigates: bool, executes: bool
) -> str:
    """The rule that keeps a person from meeting the gate, or ``""``.

    ``parts`` the person ever had; ``executes`` if a measure of the plan is theirs.
    """
    refused = (
        bool(gate.bars & parts)
        or bool(gate.permission and not actor.can(gate.permission))
        or (gate.by_investigator and not investigates)
        or (executes and not gate.executors)
    )
    return gate.rule if refused else ""


def unmet(case: Case, names: tuple[str, ...]) -> tuple[Gate, ...]:
    return tuple(state.gate for state in states(case, names) if not state.met)


_LATER: Final = frozenset(
    name
    for stage in Stage
    if stage not in {Stage.INTAKE, Stage.PRELIMINARY}
    for name in EXIT[stage]
) | {
    "review_asked",
    "answer_returned",
    "merged_owed",
    "summary_agreed",
    "summary_closed",
    "end_confirmed",
}

# Facts that belong to one round of the work; going back makes them be done again.
ROUND_FACTS: Final[Mapping[Stage, frozenset[str]]] = MappingProxyType(
    {
        Stage.INTAKE: frozenset({*EXIT[Stage.INTAKE], *EXIT[Stage.PRELIMINARY]}) | _LATER,
        Stage.INVESTIGATION: _LATER,
        Stage.PLAN: frozenset(
            {"plan_drafted", "plan_approved", "compliance_opinion", "execution_checked"}
        ),
    }
)
