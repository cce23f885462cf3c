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
from huiyin.cases.stages import HANDLING, Outcome, Part, Severity, Source, Stage
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
    part: Part | None = None  # what doing it makes of the person
    reason: bool = False  # words are required
    clock_event: str = ""  # what the clocks hear
    outbox: str = ""  # what subscribers hear
    back: bool = False  # a way back: the facts of that round fall
    direct: bool = True  # offered as a button of its own on the page
    complainant: bool = False  # the complainant may do it with the code
    closed: bool = False  # for closed cases
    effect: str = ""  # one sentence on the confirm page
    when: Callable[[Case], bool] | None = None  # a condition of the record beside its stage


SUMMARY_SEVERITIES: Final = frozenset({Severity.S1, Severity.S2})
REVIEW_ASKED: Final = "review_asked"  # in the facts of a case until it is decided
TRANSFER_ANSWERED: Final = "transfer_answered"
MERGED_OWED: Final = "merged_owed"  # in the facts of a merged case until it is answered


def _small(case: Case) -> bool:
    return case.severity in SUMMARY_SEVERITIES


def _review_asked(case: Case) -> bool:
    return REVIEW_ASKED in case.facts


def _no_review_asked(case: Case) -> bool:
    return REVIEW_ASKED not in case.facts


def _owes_the_sender(case: Case) -> bool:
    return case.source != Source.DIRECT and TRANSFER_ANSWERED not in case.facts


def _owed_beside(case: Case) -> bool:
    return MERGED_OWED in case.facts


ALL: Final = frozenset(Stage)
_HANDLED: Final = ALL - {Stage.INTAKE}


def _at(*stages: Stage) -> frozenset[Stage]:
    return frozenset(stages)


_S = Stage
# fmt: off
_TABLE: Final = (
    # -- the nine stages -----------------------------------------------------------------------
    Verb("accept", N_("受理并告知投诉人"), N_("受理"), "case.accept", _at(_S.INTAKE), _S.PRELIMINARY,
         gates=EXIT[_S.INTAKE], clock_event="accepted", outbox="case.accepted",
         effect=N_("案件转入初步调查，并向投诉人发出受理告知书")),
    Verb("investigate", N_("转入深入调查"), N_("转入深入调查"), "case.handle", _at(_S.PRELIMINARY),
         _S.INVESTIGATION, gates=EXIT[_S.PRELIMINARY], outbox="case.moved",
         effect=N_("案件转入深入调查，由调查员取证")),
    Verb("skip_to_plan", N_("直接转方案"), N_("事实清楚，直接转方案制定"), "case.handle",
         _at(_S.PRELIMINARY), _S.PLAN, gates=EXIT[_S.PRELIMINARY], reason=True, outbox="case.moved",
         effect=N_("跳过深入调查，须写明事实清楚的依据")),
    Verb("conclude", N_("提交调查结论"), N_("提交调查结论"), "case.handle", _at(_S.INVESTIGATION),
         _S.PLAN, gates=EXIT[_S.INVESTIGATION], part=Part.INVESTIGATOR, outbox="case.moved",
         effect=N_("案件转入方案制定")),
    Verb("submit_plan", N_("提交审批"), N_("提交审批"), "case.draft", _at(_S.PLAN), _S.APPROVAL,
         gates=EXIT[_S.PLAN], part=Part.DRAFTER, outbox="case.moved",
         effect=N_("方案提交给未参与办理的审批人，提交后修改须撤回")),
    Verb("approve", N_("通过并生成任务"), N_("审批通过"), "case.approve", _at(_S.APPROVAL),
         _S.IMPLEMENTATION, gates=("compliance_opinion",), bars=HANDLING, part=Part.APPROVER,
         direct=False, outbox="case.approved", effect=N_("方案生效，各项措施生成任务")),
    Verb("approve_first", N_("通过，交第二人审批"), N_("第一人审批通过"), "case.approve",
         _at(_S.APPROVAL), bars=HANDLING, part=Part.APPROVER, direct=False,
         outbox="case.moved", effect=N_("金额超过单人审批额度，由另一位审批人再次审批后生效")),
    Verb("return_plan", N_("驳回"), N_("驳回方案"), "case.approve", _at(_S.APPROVAL), _S.PLAN,
         bars=HANDLING, part=Part.APPROVER, reason=True, back=True, direct=False,
         outbox="case.moved", effect=N_("方案退回修改，须写明缺什么")),
    Verb("withdraw_plan", N_("撤回修改"), N_("撤回方案修改"), "case.draft", _at(_S.APPROVAL), _S.PLAN,
         reason=True, back=True, direct=False, outbox="case.moved", effect=N_("方案退回修改")),
    Verb("change_plan", N_("变更计划"), N_("变更计划，回到方案制定"), "case.draft",
         _at(_S.IMPLEMENTATION), _S.PLAN, reason=True, back=True, outbox="case.moved",
         effect=N_("修改后的方案须重新审批")),
    Verb("implemented", N_("实施完成"), N_("实施完成"), "case.handle", _at(_S.IMPLEMENTATION),
         _S.RESPONSE, gates=EXIT[_S.IMPLEMENTATION], outbox="case.moved",
         effect=N_("案件转入反馈，准备书面答复")),
    Verb("answered", N_("完成反馈"), N_("完成反馈"), "case.handle", _at(_S.RESPONSE), _S.FOLLOWUP,
         gates=EXIT[_S.RESPONSE], outbox="case.answered", effect=N_("案件转入回访")),
    Verb("followed_up", N_("完成回访"), N_("完成回访"), "case.handle", _at(_S.FOLLOWUP), _S.ARCHIVE,
         gates=EXIT[_S.FOLLOWUP], clock_event="followed_up", outbox="case.followed_up",
         effect=N_("案件提交归档，由审批人确认")),
    Verb("archive", N_("归档并封存"), N_("归档并封存"), "case.archive", _at(_S.ARCHIVE),
         closes=Outcome.ARCHIVED, gates=EXIT[_S.ARCHIVE], bars=HANDLING, part=Part.APPROVER,
         clock_event="closed", outbox="case.closed", effect=N_("案件封存，此后只能由审批人或监督重启")),
    # -- side exits ----------------------------------------------------------------------------
    Verb("decline", N_("不予受理"), N_("不予受理"), "case.accept", _at(_S.INTAKE),
         closes=Outcome.DECLINED, gates=("identity_settled", "classified"), reason=True,
         clock_event="declined", outbox="case.declined",
         effect=N_("向投诉人书面说明理由与其他途径")),
    Verb("transfer", N_("转出"), N_("转出"), "case.accept", _at(_S.INTAKE, _S.PRELIMINARY),
         closes=Outcome.TRANSFERRED, reason=True, clock_event="closed", outbox="case.closed",
         effect=N_("写明转往何处，并告知投诉人")),
    Verb("merge", N_("并案"), N_("并入主案"), "case.accept", _at(_S.INTAKE, _S.PRELIMINARY, _S.INVESTIGATION),
         closes=Outcome.MERGED, reason=True, direct=False, clock_event="merged",
         outbox="case.merged", effect=N_("本案并入主案办理，主案答复时一并答复本案投诉人")),
    Verb("withdraw", N_("登记撤回"), N_("投诉人撤回"), "case.accept", ALL - {_S.ARCHIVE},
         closes=Outcome.WITHDRAWN, reason=True, complainant=True, clock_event="withdrawn",
         outbox="case.closed", effect=N_("投诉人撤回后停止计时，记录保留")),
    Verb("summary_close", N_("简易办结"), N_("简易办结"), "case.handle", _at(_S.PRELIMINARY),
         _S.ARCHIVE, gates=("summary_agreed",), reason=True, outbox="case.moved",
         clock_event="answered", when=_small,
         effect=N_("限一般、较重级别，投诉人认可当场解决，仍须审批人确认归档")),
    # -- ways back -----------------------------------------------------------------------------
    Verb("review", N_("复核"), N_("启动复核"), "case.reopen", _at(_S.FOLLOWUP, _S.ARCHIVE),
         _S.INVESTIGATION, bars=HANDLING, reason=True, back=True, clock_event="review_asked",
         outbox="case.reopened", effect=N_("由未参与办理的人员重新调查")),
    Verb("reopen", N_("重启"), N_("重启"), "case.reopen", ALL, _S.INVESTIGATION, bars=HANDLING,
         reason=True, back=True, closed=True, clock_event="reopened", outbox="case.reopened",
         effect=N_("已办结案件重新开启调查")),
    Verb("refuse_review", N_("答复不复核"), N_("答复不启动复核"), "case.reopen", ALL, bars=HANDLING,
         reason=True, closed=True, clock_event="review_done", outbox="message.sent",
         when=_review_asked, effect=N_("理由即时发给投诉人，请一并告知其他途径")),
    # -- beside the stages ---------------------------------------------------------------------
    Verb("answer_transfer", N_("登记转办回复"), N_("登记转办回复"), "case.letter", ALL, reason=True,
         closed=True, clock_event="transfer_answered", when=_owes_the_sender,
         effect=N_("转办回复时限停止计时。请写明回复文号、日期与送达方式")),
    # -- within a stage ------------------------------------------------------------------------
    Verb("note", N_("保存"), N_("内部记录"), "case.note", ALL, direct=False),
    Verb("message", N_("发送"), N_("回复投诉人"), "case.talk", ALL, direct=False,
         clock_event="contacted", outbox="message.sent"),
    Verb("call", N_("登记通话"), N_("与投诉人通话"), "case.talk", ALL, direct=False,
         clock_event="contacted"),
    Verb("say", N_("留言"), N_("投诉人留言"), "case.talk", ALL, direct=False, complainant=True,
         outbox="message.received"),
    Verb("hand_in", N_("补充材料"), N_("投诉人补充材料"), "case.talk", ALL, direct=False,
         complainant=True, outbox="message.received"),
    Verb("ask_review", N_("要求复核"), N_("投诉人要求复核"), "case.talk", ALL, direct=False,
         complainant=True, closed=True, clock_event="review_asked", outbox="review.asked",
         when=_no_review_asked),
    Verb("attest", N_("记录"), N_("完成核对"), "case.note", ALL, direct=False),
    Verb("edit", N_("编辑要素"), N_("更新要素"), "case.classify", ALL, direct=False),
    Verb("retype", N_("改类"), N_("更改登记类型"), "case.classify", ALL, reason=True, direct=False),
    Verb("assign", N_("转交"), N_("分派"), "case.assign", ALL, direct=False, outbox="case.assigned"),
    Verb("assist", N_("加人协办"), N_("加人协办"), "case.assign", ALL, direct=False,
         outbox="case.assigned"),
    Verb("name_subject", N_("登记被投诉人"), N_("登记被投诉人"), "case.assign", ALL, direct=False),
    Verb("add_task", N_("新建任务"), N_("新建任务"), "case.handle", _HANDLED, direct=False),
    Verb("finish_task", N_("完成任务"), N_("完成任务"), "case.handle", _HANDLED, direct=False),
    Verb("add_evidence", N_("上传证据"), N_("添加证据"), "case.note", ALL, direct=False),
    Verb("verify_evidence", N_("核验"), N_("核验证据"), "case.note", ALL, direct=False),
    Verb("draft_plan", N_("保存方案"), N_("拟定方案"), "case.draft", _at(_S.PLAN), part=Part.DRAFTER,
         direct=False),
    Verb("draft_letter", N_("拟定文书"), N_("拟定文书"), "case.handle", ALL, part=Part.DRAFTER,
         direct=False, closed=True),
    Verb("send_letter", N_("签发并发送"), N_("签发文书"), "case.letter", ALL, direct=False,
         closed=True, outbox="letter.sent"),
    Verb("release_answer", N_("签发并发送"), N_("签发书面答复"), "case.letter", _at(_S.RESPONSE),
         bars=HANDLING, direct=False, clock_event="answered", outbox="letter.sent"),
    Verb("tell_merged", N_("并案告知"), N_("并案告知"), "case.talk", ALL, direct=False, closed=True,
         outbox="message.sent", when=_owed_beside),
    Verb("answer_merged", N_("签发并发送"), N_("签发书面答复"), "case.letter", ALL, bars=HANDLING,
         direct=False, closed=True, clock_event="answered", outbox="letter.sent", when=_owed_beside),
    # By the system alone, in the words that were signed for the master.
    Verb("answer_along", N_("随主案答复"), N_("随主案书面答复"), "case.letter", ALL, direct=False,
         closed=True, clock_event="answered", outbox="letter.sent", when=_owed_beside),
    Verb("withdraw_letter", N_("作废"), N_("作废文书"), "case.handle", ALL, reason=True,
         direct=False, closed=True),
    Verb("letter_delivery", N_("登记送达"), N_("文书送达情况"), "case.letter", ALL, direct=False,
         closed=True),
    Verb("read_letter", N_("查看答复"), N_("投诉人查看书面答复"), "case.letter", ALL, direct=False,
         complainant=True, closed=True),
    Verb("extend", N_("申请延期"), N_("申请延期"), "case.handle", _HANDLED, reason=True, direct=False),
    Verb("grant_extension", N_("批准延期"), N_("批准延期"), "extension.approve", _HANDLED,
         bars=HANDLING, direct=False, clock_event="extended", outbox="case.extended"),
    Verb("refuse_extension", N_("不批准"), N_("不批准延期"), "extension.approve", _HANDLED,
         bars=HANDLING, reason=True, direct=False),
    Verb("reveal", N_("显示"), N_("查看投诉人信息"), "case.reveal", ALL, reason=True, direct=False,
         closed=True),
    Verb("acknowledge", N_("确认收到"), N_("确认收到"), "case.talk", ALL, direct=False,
         clock_event="acknowledged"),
    Verb("remind", N_("催办"), N_("催办"), "case.note", ALL, direct=False, closed=True),
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


def in_reach(verb: Verb, case: Case) -> bool:
    """Whether the table allows the verb in the case's present stage and state."""
    if Stage(case.stage) not in verb.stages:
        return False
    if verb.when and not verb.when(case):
        return False
    return case.is_open or verb.closed


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
