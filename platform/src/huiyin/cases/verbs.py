"""Everything that can be done to a case, as one table.

The page offers what this table allows, the tests walk it, the help prints it, and ``change``
obeys it.  A verb with ``to`` is a move between stages; without, it works within the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from huiyin.cases.gates import EXIT
from huiyin.cases.models import Case
from huiyin.cases.stages import HANDLING, Outcome, Part, Severity, Stage
from huiyin.kit.i18n import N_


@dataclass(frozen=True, slots=True)
class Verb:
    """One act.  ``bars`` are parts that, held at any time, keep a person from it."""

    name: str
    title: str  # on the button: what it does
    done: str  # in the timeline: what was done
    permission: str
    stages: frozenset[Stage]
    to: Stage | None = None
    closes: Outcome | None = None
    gates: tuple[str, ...] = ()
    bars: frozenset[Part] = frozenset()
    fresh: frozenset[Part] = frozenset()  # parts that bar when held in an earlier round
    part: Part | None = None  # what doing it makes of the person
    handles: bool = False  # doing it makes a handler of whoever has no such part yet
    reason: bool = False  # words are required
    clock_event: str = ""  # what the clocks hear
    clock_data: Mapping[str, object] = field(default_factory=dict)  # and with which data
    outbox: str = ""  # what subscribers hear
    back: bool = False  # a way back: the facts of that round fall
    anew: bool = False  # a new round begins, with other people
    direct: bool = True  # offered as a button of its own on the page
    proposes: str = ""  # the verb somebody else confirms
    seconded: bool = False  # staff do it only when it was proposed
    settles_end: bool = False  # answers a proposal without doing what it asks
    complainant: bool = False  # the complainant may do it with the code
    closed: bool = False  # for closed cases
    effect: str = ""  # one sentence on the confirm page
    when: Callable[[Case], bool] | None = None  # a condition of the record beside its stage


SUMMARY_SEVERITIES: Final = frozenset({Severity.S1, Severity.S2})
REVIEW_ASKED: Final = "review_asked"  # in the facts of a case until it is decided
# In the facts of a case, each while it waits for its answer.
END_ASKED: Final = "end_asked"
RETYPE_ASKED: Final = "retype_asked"
ANSWER_WAITS: Final = "answer_waits"  # a written answer is drafted, and to be signed
EXTENSION_ASKED: Final = "extension_asked"
END_CONFIRMED: Final = "end_confirmed"  # and once it was confirmed
SETTLED: Final = "summary_closed"  # in the facts of a case that was settled at once
MERGED_OWED: Final = "merged_owed"  # in the facts of a merged case until it is answered


def _small(case: Case) -> bool:
    return case.severity in SUMMARY_SEVERITIES


def _review_asked(case: Case) -> bool:
    return REVIEW_ASKED in case.facts


def _no_review_asked(case: Case) -> bool:
    return REVIEW_ASKED not in case.facts


def _owes_the_sender(case: Case) -> bool:
    return bool(case.letters_owed)


def _end_asked(case: Case) -> bool:
    return END_ASKED in case.facts


def _no_end_asked(case: Case) -> bool:
    return END_ASKED not in case.facts


def _hears(case: Case) -> bool:
    return case.is_open or case.ended_by_firm


def _ended(case: Case) -> bool:
    return not case.is_open


def _owed_beside(case: Case) -> bool:
    return MERGED_OWED in case.facts


ALL: Final = frozenset(Stage)
_JUDGED: Final = HANDLING | {Part.APPROVER}  # whose decision a review is about
_APPROVED: Final = frozenset({Part.APPROVER})
_HANDLED: Final = ALL - {Stage.INTAKE}  # accepted: what ended at intake never was


def _at(*stages: Stage) -> frozenset[Stage]:
    return frozenset(stages)


_S = Stage
_WITHDRAWN: Final = ALL - {_S.ARCHIVE}
_ENDS_EARLY: Final = _at(_S.INTAKE, _S.PRELIMINARY)
_MERGES: Final = _ENDS_EARLY | {_S.INVESTIGATION}
# fmt: off
_TABLE: Final = (
    # -- the nine stages -----------------------------------------------------------------------
    Verb("accept", N_("受理并告知投诉人"), N_("受理"), "case.accept", _at(_S.INTAKE), _S.PRELIMINARY,
         gates=EXIT[_S.INTAKE], clock_event="accepted", outbox="case.accepted",
         effect=N_("案件转入初步调查，并向投诉人发出受理告知书"), handles=True),
    Verb("investigate", N_("转入深入调查"), N_("转入深入调查"), "case.handle", _at(_S.PRELIMINARY),
         _S.INVESTIGATION, gates=EXIT[_S.PRELIMINARY], outbox="case.moved",
         effect=N_("案件转入深入调查，由调查员取证"), handles=True),
    Verb("skip_to_plan", N_("直接转方案"), N_("事实清楚，直接转方案制定"), "case.handle",
         _at(_S.PRELIMINARY), _S.PLAN, gates=EXIT[_S.PRELIMINARY], reason=True, outbox="case.moved",
         effect=N_("跳过深入调查，须写明事实清楚的依据"), handles=True),
    Verb("conclude", N_("提交调查结论"), N_("提交调查结论"), "case.handle", _at(_S.INVESTIGATION),
         _S.PLAN, gates=EXIT[_S.INVESTIGATION], fresh=HANDLING, part=Part.INVESTIGATOR,
         outbox="case.moved",
         effect=N_("案件转入方案制定")),
    Verb("submit_plan", N_("提交审批"), N_("提交审批"), "case.draft", _at(_S.PLAN), _S.APPROVAL,
         gates=EXIT[_S.PLAN], part=Part.DRAFTER, outbox="case.moved",
         effect=N_("方案提交给未参与办理的审批人，提交后修改须撤回")),
    Verb("approve", N_("通过并生成任务"), N_("审批通过"), "case.approve", _at(_S.APPROVAL),
         _S.IMPLEMENTATION, gates=("compliance_opinion",), bars=HANDLING, fresh=_APPROVED,
         part=Part.APPROVER, direct=False, outbox="case.approved", effect=N_("方案生效，各项措施生成任务")),
    Verb("approve_first", N_("通过，交第二人审批"), N_("第一人审批通过"), "case.approve",
         _at(_S.APPROVAL), bars=HANDLING, fresh=_APPROVED, part=Part.APPROVER, direct=False,
         outbox="case.moved", effect=N_("金额超过单人审批额度，由另一位审批人再次审批后生效")),
    Verb("return_plan", N_("驳回"), N_("驳回方案"), "case.approve", _at(_S.APPROVAL), _S.PLAN,
         bars=HANDLING, fresh=_APPROVED, part=Part.APPROVER, reason=True, back=True, direct=False,
         outbox="case.moved", effect=N_("方案退回修改，须写明缺什么")),
    Verb("withdraw_plan", N_("撤回修改"), N_("撤回方案修改"), "case.draft", _at(_S.APPROVAL), _S.PLAN,
         reason=True, back=True, direct=False, outbox="case.moved", effect=N_("方案退回修改"), handles=True),
    Verb("change_plan", N_("变更计划"), N_("变更计划，回到方案制定"), "case.draft",
         _at(_S.IMPLEMENTATION), _S.PLAN, reason=True, back=True, outbox="case.moved",
         effect=N_("修改后的方案须重新审批"), handles=True),
    Verb("implemented", N_("实施完成"), N_("实施完成"), "case.handle", _at(_S.IMPLEMENTATION),
         _S.RESPONSE, gates=EXIT[_S.IMPLEMENTATION], outbox="case.moved",
         effect=N_("案件转入反馈，准备书面答复"), handles=True),
    Verb("answered", N_("完成反馈"), N_("完成反馈"), "case.handle", _at(_S.RESPONSE), _S.FOLLOWUP,
         gates=EXIT[_S.RESPONSE], outbox="case.answered", effect=N_("案件转入回访"), handles=True),
    Verb("followed_up", N_("完成回访"), N_("完成回访"), "case.handle", _at(_S.FOLLOWUP), _S.ARCHIVE,
         gates=EXIT[_S.FOLLOWUP], clock_event="followed_up", outbox="case.followed_up",
         effect=N_("案件提交归档，由审批人确认"), handles=True),
    Verb("archive", N_("归档并封存"), N_("归档并封存"), "case.archive", _at(_S.ARCHIVE),
         closes=Outcome.ARCHIVED, gates=EXIT[_S.ARCHIVE], bars=HANDLING, part=Part.APPROVER,
         clock_event="closed", outbox="case.closed", effect=N_("案件封存，此后只能由审批人或监督重启")),
    # -- side exits ----------------------------------------------------------------------------
    # Staff propose them, an approver who did not handle the case confirms; see cases/closing.py.
    Verb("propose_decline", N_("提请不予受理"), N_("提请不予受理"), "case.accept", _at(_S.INTAKE),
         gates=("identity_settled", "classified"), reason=True, proposes="decline", when=_no_end_asked,
         effect=N_("由未参与办理的审批人确认，时限照常计算；确认后理由书面告知投诉人"), handles=True),
    Verb("decline", N_("确认不予受理"), N_("不予受理"), "case.archive", _at(_S.INTAKE),
         closes=Outcome.DECLINED, gates=("identity_settled", "classified"), bars=HANDLING,
         part=Part.APPROVER, seconded=True, clock_event="declined", outbox="case.declined",
         effect=N_("案件办结，向投诉人书面说明理由与其他途径")),
    Verb("propose_transfer", N_("提请转出"), N_("提请转出"), "case.accept", _ENDS_EARLY, reason=True,
         proposes="transfer", when=_no_end_asked,
         effect=N_("写明转往何处。由未参与办理的审批人确认，时限照常计算；确认后理由告知投诉人"), handles=True),
    Verb("transfer", N_("确认转出"), N_("转出"), "case.archive", _ENDS_EARLY,
         closes=Outcome.TRANSFERRED, bars=HANDLING, part=Part.APPROVER, seconded=True,
         clock_event="closed", outbox="case.closed", effect=N_("案件办结，转往何处告知投诉人")),
    Verb("propose_merge", N_("提请并案"), N_("提请并案"), "case.accept", _MERGES, reason=True,
         proposes="merge", direct=False, when=_no_end_asked,
         effect=N_("由未参与办理的审批人确认，时限照常计算；确认后理由告知投诉人"), handles=True),
    Verb("merge", N_("确认并案"), N_("并入主案"), "case.archive", _MERGES, closes=Outcome.MERGED,
         bars=HANDLING, part=Part.APPROVER, seconded=True, clock_event="merged",
         outbox="case.merged", effect=N_("本案并入主案办理，主案答复时一并答复本案投诉人")),
    Verb("propose_withdraw", N_("提请登记撤回"), N_("提请登记撤回"), "case.accept", _WITHDRAWN,
         reason=True, proposes="withdraw", when=_no_end_asked,
         effect=N_("写明投诉人何时、以何种方式撤回。由未参与办理的审批人确认，时限照常计算"), handles=True),
    Verb("withdraw", N_("确认登记撤回"), N_("投诉人撤回"), "case.archive", _WITHDRAWN,
         closes=Outcome.WITHDRAWN, bars=HANDLING, part=Part.APPROVER, seconded=True,
         complainant=True, clock_event="withdrawn", outbox="case.closed",
         effect=N_("停止计时，记录保留，并告知投诉人如何提出异议")),
    Verb("return_end", N_("退回提请"), N_("退回提请"), "case.archive", ALL, bars=HANDLING,
         reason=True, settles_end=True, when=_end_asked, effect=N_("案件继续办理")),
    Verb("take_back_end", N_("收回提请"), N_("收回提请"), "case.accept", ALL, settles_end=True,
         when=_end_asked, effect=N_("案件继续办理")),
    Verb("summary_close", N_("简易办结"), N_("简易办结"), "case.handle", _at(_S.PRELIMINARY),
         _S.ARCHIVE, gates=("summary_agreed", "finding_recorded"), reason=True,
         outbox="message.sent", clock_event="settled", when=_small,
         effect=N_("限一般、较重级别。所写内容即时发给投诉人，作为书面答复；仍须审批人确认归档"), handles=True),
    # -- ways back -----------------------------------------------------------------------------
    Verb("review", N_("复核"), N_("启动复核"), "case.reopen", _at(_S.FOLLOWUP, _S.ARCHIVE),
         _S.INVESTIGATION, bars=_JUDGED, reason=True, back=True, anew=True,
         clock_event="review_started", outbox="case.reopened", effect=N_("由未参与办理的人员重新调查")),
    Verb("reopen", N_("重启"), N_("重启"), "case.reopen", _HANDLED, _S.INVESTIGATION, bars=_JUDGED,
         reason=True, back=True, anew=True, closed=True, clock_event="reopened",
         outbox="case.reopened", when=_ended,
         effect=N_("已办结案件由未参与办理的人员重新调查")),
    Verb("reopen_intake", N_("重启"), N_("重启，重新决定是否受理"), "case.reopen", _at(_S.INTAKE),
         _S.INTAKE, bars=_JUDGED, reason=True, back=True, anew=True, closed=True,
         clock_event="reopened", clock_data={"undecided": True}, outbox="case.reopened", when=_ended,
         effect=N_("案件回到受理阶段，重新决定是否受理并告知投诉人")),
    Verb("refuse_review", N_("答复不复核"), N_("答复不启动复核"), "case.reopen", ALL, bars=_JUDGED,
         reason=True, closed=True, clock_event="review_done", outbox="message.sent",
         when=_review_asked, effect=N_("理由即时发给投诉人，请一并告知其他途径")),
    # -- beside the stages ---------------------------------------------------------------------
    Verb("answer_transfer", N_("登记转办回复"), N_("登记转办回复"), "case.letter", ALL, reason=True,
         closed=True, clock_event="transfer_answered", outbox="case.transfer_answered",
         when=_owes_the_sender,
         effect=N_("本案待回复的转办函全部登记为已回复，各自停止计时；对投诉人的时限不受影响。请写明回复文号、日期与送达方式")),
    Verb("receive_transfer", N_("登记转办函"), N_("登记转办函"), "case.file", ALL, direct=False,
         closed=True, clock_event="transfer_received", outbox="case.transfer_received", handles=True),
    Verb("extend_transfer", N_("登记来函延期"), N_("转办单位延长回复期限"), "case.file", ALL,
         direct=False, closed=True, reason=True, clock_event="extended",
         clock_data={"kind": "transfer"}, outbox="case.transfer_extended", handles=True),
    Verb("unmerge", N_("解除并案"), N_("解除并案"), "case.reopen", ALL, bars=HANDLING, reason=True,
         closed=True, clock_event="unmerged", outbox="case.unmerged", when=_owed_beside,
         effect=N_("本案恢复到并案前的阶段和期限，由原来的人员继续办理，并告知投诉人；并案期间的记录和回避登记保留")),
    # -- within a stage ------------------------------------------------------------------------
    Verb("note", N_("保存"), N_("内部记录"), "case.note", ALL, direct=False),
    Verb("message", N_("发送"), N_("回复投诉人"), "case.talk", ALL, direct=False,
         clock_event="contacted", outbox="message.sent", handles=True),
    Verb("call", N_("登记通话"), N_("与投诉人通话"), "case.talk", ALL, direct=False,
         clock_event="contacted", handles=True),
    Verb("say", N_("留言"), N_("投诉人留言"), "case.talk", ALL, direct=False, complainant=True,
         closed=True, outbox="message.received", when=_hears),
    Verb("hand_in", N_("补充材料"), N_("投诉人补充材料"), "case.talk", ALL, direct=False,
         complainant=True, outbox="message.received"),
    Verb("ask_review", N_("要求复核"), N_("投诉人要求复核"), "case.talk", ALL, direct=False,
         complainant=True, closed=True, clock_event="review_asked", outbox="review.asked",
         when=_no_review_asked),
    Verb("attest", N_("记录"), N_("完成核对"), "case.note", ALL, direct=False, handles=True),
    Verb("edit", N_("编辑要素"), N_("更新要素"), "case.classify", ALL, direct=False, handles=True),
    Verb("retype", N_("改类"), N_("更改登记类型"), "case.classify", ALL, reason=True, direct=False, handles=True),
    Verb("ask_retype", N_("申请改类"), N_("申请更改登记类型"), "case.classify", ALL, reason=True,
         direct=False, handles=True, outbox="case.retype_asked"),
    Verb("grant_retype", N_("同意改类"), N_("同意更改登记类型"), "retype.approve", ALL,
         bars=HANDLING, direct=False, outbox="case.retyped"),
    Verb("refuse_retype", N_("不同意改类"), N_("不同意更改登记类型"), "retype.approve", ALL,
         bars=HANDLING, reason=True, direct=False),
    Verb("withdraw_retype", N_("撤回申请"), N_("撤回改类或降级申请"), "case.classify", ALL,
         direct=False, handles=True),
    Verb("ask_lowering", N_("申请降级"), N_("申请降低级别"), "case.classify", ALL, reason=True,
         direct=False, handles=True, outbox="case.lowering_asked"),
    Verb("grant_lowering", N_("同意降级"), N_("同意降低级别"), "retype.approve", ALL,
         bars=HANDLING, direct=False, outbox="case.lowered"),
    Verb("refuse_lowering", N_("不同意降级"), N_("不同意降低级别"), "retype.approve", ALL,
         bars=HANDLING, reason=True, direct=False),
    Verb("assign", N_("转交"), N_("分派"), "case.assign", ALL, direct=False, outbox="case.assigned"),
    Verb("unassigned", N_("自动分派"), N_("没有找到合适的经办人"), "case.assign", ALL, direct=False),
    Verb("assist", N_("加人协办"), N_("加人协办"), "case.assign", ALL, direct=False,
         outbox="case.assigned"),
    Verb("name_subject", N_("登记被投诉人"), N_("登记被投诉人"), "case.assign", ALL, reason=True,
         direct=False, closed=True, outbox="case.subject_named"),
    Verb("lift_subject", N_("撤销登记"), N_("撤销被投诉人登记"), "case.lift", ALL, reason=True,
         direct=False, closed=True, outbox="case.subject_lifted"),
    Verb("add_task", N_("新建任务"), N_("新建任务"), "case.handle", _HANDLED, direct=False, handles=True),
    Verb("finish_task", N_("完成任务"), N_("完成任务"), "case.handle", _HANDLED, direct=False, handles=True),
    Verb("add_evidence", N_("上传证据"), N_("添加证据"), "case.note", ALL, direct=False, handles=True),
    # Letters that passed it on, their answers, papers of agents: they come after the end too.
    Verb("file_paper", N_("存入函件"), N_("存入函件与凭证"), "case.note", ALL, direct=False, closed=True),
    Verb("verify_evidence", N_("核验"), N_("核验证据"), "case.note", ALL, direct=False, handles=True),
    Verb("draft_plan", N_("保存方案"), N_("拟定方案"), "case.draft", _at(_S.PLAN), part=Part.DRAFTER,
         direct=False),
    Verb("draft_letter", N_("拟定文书"), N_("拟定文书"), "case.handle", ALL, part=Part.DRAFTER,
         direct=False, closed=True),
    Verb("send_letter", N_("签发并发送"), N_("签发文书"), "case.letter", ALL, direct=False,
         closed=True, outbox="letter.sent"),
    Verb("release_answer", N_("签发并发送"), N_("签发书面答复"), "answer.release", _at(_S.RESPONSE),
         bars=HANDLING, direct=False, clock_event="answered", outbox="letter.sent"),
    Verb("tell_merged", N_("并案告知"), N_("并案告知"), "case.talk", ALL, direct=False, closed=True,
         outbox="message.sent", when=_owed_beside),
    Verb("tell_parted", N_("解除并案告知"), N_("解除并案告知"), "case.talk", ALL, direct=False,
         outbox="message.sent"),
    Verb("answer_merged", N_("签发并发送"), N_("签发书面答复"), "answer.release", ALL, bars=HANDLING,
         direct=False, closed=True, clock_event="answered", outbox="letter.sent", when=_owed_beside),
    # By the system alone, in the words that were signed for the master.
    Verb("answer_along", N_("随主案答复"), N_("随主案书面答复"), "answer.release", ALL, direct=False,
         closed=True, clock_event="answered", outbox="letter.sent", when=_owed_beside),
    Verb("withdraw_letter", N_("作废"), N_("作废文书"), "case.handle", ALL, reason=True,
         direct=False, closed=True, handles=True),
    Verb("letter_delivery", N_("登记送达"), N_("文书送达情况"), "case.letter", ALL, direct=False,
         closed=True),
    Verb("read_letter", N_("查看答复"), N_("投诉人查看书面答复"), "case.letter", ALL, direct=False,
         complainant=True, closed=True),
    Verb("extend", N_("申请延期"), N_("申请延期"), "case.handle", _HANDLED, reason=True, direct=False,
         handles=True, outbox="case.extension_asked"),
    Verb("withdraw_extension", N_("撤回申请"), N_("撤回延期申请"), "case.handle", _HANDLED,
         direct=False, handles=True),
    Verb("grant_extension", N_("批准延期"), N_("批准延期"), "extension.approve", _HANDLED,
         bars=HANDLING, direct=False, clock_event="extended", outbox="case.extended"),
    Verb("refuse_extension", N_("不批准"), N_("不批准延期"), "extension.approve", _HANDLED,
         bars=HANDLING, reason=True, direct=False),
    Verb("reveal", N_("显示"), N_("查看投诉人信息"), "case.reveal", ALL, reason=True, direct=False,
         closed=True),
    Verb("acknowledge", N_("确认收到"), N_("确认收到"), "case.talk", ALL, direct=False,
         clock_event="acknowledged", handles=True),
    Verb("remind", N_("催办"), N_("催办"), "case.note", ALL, direct=False, closed=True),
    Verb("recount", N_("重算时限"), N_("按放假安排重新计算时限"), "case.note", ALL, direct=False,
         closed=True),
)
# fmt: on
VERBS: Final[Mapping[str, Verb]] = MappingProxyType({verb.name: verb for verb in _TABLE})
# Everything with a confirm page: the moves, and what is done beside them with a button of its own.
MOVES: Final = tuple(verb for verb in _TABLE if verb.to or verb.closes or verb.direct)


@dataclass(frozen=True, slots=True)
class Offered:
    """A move the page may show to one person, and what keeps it from being done now."""

    verb: Verb
    missing: tuple[str, ...] = field(default=())  # titles of unmet gates
    barred: str = ""  # why not this person, as a key

    @property
    def ready(self) -> bool:
        return not self.missing and not self.barred


def in_reach(verb: Verb, case: Case, *, by_complainant: bool = False) -> bool:
    """Whether the table allows the verb in the case's present stage and state."""
    if Stage(case.stage) not in verb.stages:
        return False
    asked = case.facts.get(END_ASKED, {}).get("verb")
    if verb.seconded and not by_complainant and asked != verb.name:
        return False
    if verb.when and not verb.when(case):
        return False
    return case.is_open or verb.closed


def outcome_of(verb: Verb, case: Case) -> Outcome | None:
    """How the case ends with this verb: what was settled at once is archived as that."""
    if verb.closes is Outcome.ARCHIVED and SETTLED in case.facts:
        return Outcome.SUMMARY
    return verb.closes


# The ordinary way out of each stage, for the next step on the page.
FORWARD: Final[Mapping[Stage, str]] = MappingProxyType(
    {
        Stage.INTAKE: "accept",
        Stage.PRELIMINARY: "investigate",
        Stage.INVESTIGATION: "conclude",
        Stage.PLAN: "submit_plan",
        Stage.APPROVAL: "approve",
        Stage.IMPLEMENTATION: "implemented",
        Stage.RESPONSE: "answered",
        Stage.FOLLOWUP: "followed_up",
        Stage.ARCHIVE: "archive",
    }
)
