"""The paths a demonstration story may take, as tables of sittings played by the real services.

A sitting is what one or several people do at one time, in one transaction.  Every act leaves one
line in the timeline, so that the timeline itself tells how far a story has come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from sqlalchemy import select

from huiyin.app.demo_scene import (
    SERIOUS,
    STANDING,
    Scene,
    attest,
    complexity,
    contact,
    file,
    move,
    progress,
    sort,
    withdraw,
)
from huiyin.cases import closing, extensions, people, service, tracking
from huiyin.cases.models import Task
from huiyin.cases.schemas import AssignForm
from huiyin.cases.stages import STAGE_ORDER, Complexity, Severity, Source, Stage
from huiyin.evidence import service as evidence
from huiyin.identity.actor import Actor
from huiyin.kit.errors import NotFound
from huiyin.kit.time import local_date, now
from huiyin.letters import service as letters
from huiyin.letters.schemas import AnswerForm
from huiyin.letters.wording import LetterKind
from huiyin.onboarding.schemas import StoryData
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm

Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Sitting:
    """``pause`` working hours after the one before; ``writes`` when letters follow from it."""

    pause: float
    acts: tuple[Act, ...]
    writes: bool = False


# -- acts ----------------------------------------------------------------------------------------


def _assign(scene: Scene, part: str, person: Actor) -> None:
    form = AssignForm(part=part, account_id=person.id)
    people.assign(scene.session, scene.officer, scene.number, form)


def _own(scene: Scene) -> None:
    _assign(scene, "owner", scene.officer)


def _send_investigator(scene: Scene) -> None:
    _assign(scene, "investigator", scene.investigator)


def _merge(scene: Scene) -> None:
    closing.propose_merge(
        scene.session, scene.officer, scene.number, scene.numbers[scene.story.into],
        rev=scene.rev(), reason=scene.story.reason,
    )  # fmt: skip


def _add_papers(scene: Scene) -> None:
    text = f"{scene.story.title}\n\n{scene.story.papers}\n"
    evidence.add(
        scene.session, scene.officer, scene.number,
        [evidence.Upload("资料调取清单.txt", text.encode())], note="调取资料清单",
    )  # fmt: skip


def _verify_papers(scene: Scene) -> None:
    first = evidence.list_of(scene.session, scene.case())[0]
    evidence.verify(
        scene.session, scene.investigator, scene.number, first.id,
        scene.notes["evidence_verified"],
    )  # fmt: skip


def _draft_plan(scene: Scene) -> None:
    story, today = scene.story, local_date(now())
    doers = (scene.officer, scene.investigator)
    measures = tuple(
        Measure(
            title=f"{measure.title}（{measure.department}）",
            owner_id=doers[position % 2].id,
            due_on=today + timedelta(days=7 + measure.days),
        )
        for position, measure in enumerate(story.measures)
    )
    form = PlanForm(
        goal=story.goal, measures=measures, amount=Decimal(story.redress), basis=story.basis,
        precedent=scene.notes["precedents_compared"], wish=story.wish,
    )  # fmt: skip
    remedies.save_draft(scene.session, scene.investigator, scene.number, form, rev=scene.rev())


def _submit(scene: Scene) -> None:
    remedies.submit(scene.session, scene.investigator, scene.number, rev=scene.rev())


def _plan_hash(scene: Scene) -> str:
    plan = remedies.current_plan(scene.session, scene.case())
    if plan is None:
        raise NotFound
    return plan.hash


def _return_plan(scene: Scene) -> None:
    remedies.return_plan(
        scene.session, scene.approver, scene.number, _plan_hash(scene), rev=scene.rev(),
        reason="请在依据中补充金额的计算过程，并写明措施的责任部门",
    )  # fmt: skip


def _compliance(scene: Scene) -> None:
    attest(scene, scene.second_approver, "compliance_opinion")


def _approve(scene: Scene) -> None:
    remedies.approve(
        scene.session, scene.approver, scene.number, _plan_hash(scene), rev=scene.rev(),
        opinion="同意",
    )  # fmt: skip


def _ask_more_time(scene: Scene) -> None:
    extensions.ask_extension(
        scene.session, scene.officer, scene.number, 20,
        "受影响的投资者较多，逐户核算需要更多时间", rev=scene.rev(),
    )  # fmt: skip


def _grant_more_time(scene: Scene) -> None:
    extensions.grant_extension(scene.session, scene.approver, scene.number, rev=scene.rev())


def _finish_measure(scene: Scene) -> None:
    """The open measure that is due first."""
    task = scene.session.scalars(
        select(Task)
        .where(Task.case_id == scene.case().id, Task.is_measure, Task.done_at.is_(None))
        .order_by(Task.due_on, Task.id)
        .limit(1)
    ).one()
    doer = scene.officer if task.assignee_id == scene.officer.id else scene.investigator
    proof = "已按方案完成，凭证由责任部门存档，编号已登记"
    people.finish_task(scene.session, doer, scene.number, task.id, proof)


def _draft_answer(scene: Scene) -> None:
    letters.draft_answer(
        scene.session, scene.officer, scene.number, answer_form(scene.story), rev=scene.rev()
    )


def answer_form(story: StoryData) -> AnswerForm:
    """The written answer in the reader's language."""
    if story.language == "en":
        first, _, rest = story.reply.partition(". ")
        return AnswerForm(
            process="We spoke with the people involved and compared the records.",
            findings=f"{first}.", outcome=rest,
            basis="The contract of the fund and our complaint policy.",
        )  # fmt: skip
    titles = "；".join(measure.title for measure in story.measures)
    return AnswerForm(
        process="我公司受理后，听取了您和相关人员的陈述，调取并核对了有关资料。",
        findings=f"{story.conclusion}。", outcome=story.reply, basis=f"{story.basis}。",
        measures=f"{titles}。" if titles else "",
    )  # fmt: skip


def _release_answer(scene: Scene) -> None:
    letter = letters.open_draft(scene.session, scene.case(), LetterKind.ANSWER)
    if letter is None:
        raise NotFound
    letters.release(
        scene.session, scene.approver, scene.number, letter.id, letter.fingerprint, rev=None
    )


def _answer_the_sender(scene: Scene) -> None:
    """Whoever passed the complaint on hears how it ended."""
    words = f"已就{scene.story.transfer_number or '转办事项'}书面回复转办单位，附处理情况，机要寄送"
    service.move(
        scene.session, scene.officer, scene.number, "answer_transfer",
        rev=scene.rev(), reason=words,
    )  # fmt: skip


def _ask_review(scene: Scene) -> None:
    tracking.ask_review(scene.session, scene.complainant, scene.case(), scene.story.reason)


def _other_investigator(scene: Scene) -> None:
    _assign(scene, "investigator", scene.second_investigator)


def by(person: str, gate: str, words: str = "") -> Act:
    """Somebody meets a gate, with the story's words of that name if there are any."""

    def act(scene: Scene) -> None:
        own = getattr(scene.story, words) if words else ""
        attest(scene, getattr(scene, person), gate, own)

    return act


def goes(person: str, verb: str, *, reason: bool = False) -> Act:
    def act(scene: Scene) -> None:
        move(scene, getattr(scene, person), verb, scene.story.reason if reason else "")

    return act


def note_of(person: str, words: str) -> Act:
    def act(scene: Scene) -> None:
        body = getattr(scene.story, words)
        service.talk(scene.session, getattr(scene, person), scene.number, "note", body)

    return act


# -- the table -----------------------------------------------------------------------------------

FILE: Final = Sitting(0, (file,), writes=True)
SORT: Final = Sitting(0.7, (_own, sort))
ACCEPT: Final = Sitting(
    3, (by("officer", "recusal_checked"), goes("officer", "accept")), writes=True
)
CONTACT: Final = Sitting(7, (contact, by("officer", "statement_confirmed", "statement")))
DECIDED: Final = partial(sort, decided=True)
ARCHIVE: Final = Sitting(8, (by("approver", "retention_set"), goes("approver", "archive")))
LESSONS: Final = Sitting(
    6, (by("officer", "dossier_whole"), by("officer", "lessons_written", "lessons"))
)

CHAPTERS: Final[Mapping[Stage, tuple[Sitting, ...]]] = {
    Stage.INTAKE: (FILE, SORT, ACCEPT),
    Stage.PRELIMINARY: (
        CONTACT,
        Sitting(
            9,
            (
                _add_papers, by("officer", "papers_collected", "papers"),
                by("officer", "third_party_checked"), by("officer", "group_checked"),
            ),
        ),
        Sitting(3, (_send_investigator, goes("officer", "investigate"))),
    ),
    Stage.INVESTIGATION: (
        Sitting(
            14, (by("investigator", "evidence_complete"), by("investigator", "statements_heard"))
        ),
        Sitting(4, (progress,)),
        Sitting(
            12,
            (
                _verify_papers, by("investigator", "evidence_verified"),
                by("investigator", "independence_declared"), note_of("investigator", "conclusion"),
            ),
        ),
        Sitting(6, (DECIDED, goes("investigator", "conclude"))),
    ),
    Stage.PLAN: (
        Sitting(8, (by("investigator", "precedents_compared"), by("officer", "wish_recorded"))),
        Sitting(8, (_draft_plan,)),
        Sitting(3, (_submit,)),
    ),
    Stage.APPROVAL: (Sitting(8, (_approve,)),),
    Stage.IMPLEMENTATION: (
        Sitting(6, (by("supervisor", "execution_checked"), goes("officer", "implemented"))),
    ),
    Stage.RESPONSE: (
        Sitting(4, (_draft_answer,)),
        Sitting(5, (_release_answer,), writes=True),
        Sitting(8, (by("officer", "reply_talked"), goes("officer", "answered"))),
    ),
    Stage.FOLLOWUP: (
        Sitting(
            27,
            (
                by("officer", "visit_made", "visit"), by("officer", "resolved_or_explained"),
                goes("officer", "followed_up"),
            ),
        ),
    ),
    Stage.ARCHIVE: (LESSONS, ARCHIVE),
}  # fmt: skip

# How many sittings of its last chapter a story has seen that stands in a stage.
BEGUN: Final[Mapping[Stage, int]] = {
    Stage.INTAKE: 2, Stage.PRELIMINARY: 1, Stage.INVESTIGATION: 2, Stage.PLAN: 1,
    Stage.APPROVAL: 0, Stage.IMPLEMENTATION: 0, Stage.RESPONSE: 1, Stage.FOLLOWUP: 0,
    Stage.ARCHIVE: 1,
}  # fmt: skip


HEARD: Final = (FILE, SORT, ACCEPT, CONTACT)
ASIDE: Final[Mapping[str, tuple[Sitting, ...]]] = {
    "declined": (
        FILE, SORT, Sitting(5, (goes("officer", "propose_decline", reason=True),)),
        Sitting(3, (goes("approver", "decline"),), writes=True),
    ),
    "withdrawn": (*HEARD, Sitting(20, (withdraw,))),
    "transferred": (
        *HEARD, Sitting(9, (goes("officer", "propose_transfer", reason=True),)),
        Sitting(3, (goes("approver", "transfer"),)),
    ),
    "merged": (*HEARD, Sitting(4, (_merge,)), Sitting(3, (goes("approver", "merge"),))),
    "summary": (
        FILE, SORT, ACCEPT,
        Sitting(2, (
            by("officer", "statement_confirmed", "statement"), DECIDED,
            by("officer", "summary_agreed"), goes("officer", "summary_close", reason=True),
        )),
        LESSONS, ARCHIVE,
    ),
}  # fmt: skip
REGISTERED: Final = (Sitting(3, (goes("approver", "withdraw"),)),)
REVIEW: Final = (
    Sitting(30, (_ask_review,)),
    Sitting(9, (goes("second_approver", "review", reason=True), _own, _other_investigator)),
)
RETURNED: Final = (Sitting(6, (_return_plan,)), Sitting(6, (_draft_plan, _submit)))
MORE_TIME: Final = (Sitting(2, (_ask_more_time,)), Sitting(3, (_grant_more_time,), writes=True))


def path_of(story: StoryData) -> Sequence[Sitting]:
    """Everything that has happened in a story, from the first sitting to the last."""
    if story.path in ASIDE:
        registered = story.path == "withdrawn" and story.channel != "web"
        return (*ASIDE[story.path], *REGISTERED * registered, *_to_the_sender(story))
    if story.path == "intake" and story.days_ago == 0:
        return (FILE,)
    if story.path == "review":
        return (*_up_to(story, Stage.FOLLOWUP), *REVIEW)
    if story.path == "archived":
        return (*_up_to(story, Stage.ARCHIVE), *CHAPTERS[Stage.ARCHIVE])
    stage = Stage(story.path)
    begun = _chapter(story, stage)[: BEGUN[stage]]
    if stage is Stage.IMPLEMENTATION:
        begun = (*MORE_TIME,) if story.severity is Severity.S4 else ()
        begun = (*begun, *_measures(len(story.measures) // 2))
    return (*_up_to(story, stage), *begun)


def _up_to(story: StoryData, stage: Stage) -> tuple[Sitting, ...]:
    before = STAGE_ORDER[: STAGE_ORDER.index(stage)]
    return tuple(sitting for each in before for sitting in _chapter(story, each))


def _chapter(story: StoryData, stage: Stage) -> tuple[Sitting, ...]:
    """A stage's sittings, with what only some stories need."""
    sittings = CHAPTERS[stage]
    if stage is Stage.APPROVAL and story.severity in SERIOUS:
        opinion = (Sitting(4, (_compliance,)),)
        # Compliance judges again whatever was changed.
        returned = RETURNED if story.path == "archived" else ()
        return (*returned, *opinion, *sittings)
    if stage is Stage.IMPLEMENTATION:
        return (*_measures(len(story.measures)), *sittings)
    if stage is Stage.RESPONSE:
        return (*sittings[:2], *_to_the_sender(story), *sittings[2:])
    return sittings


def _to_the_sender(story: StoryData) -> tuple[Sitting, ...]:
    return (Sitting(2, (_answer_the_sender,)),) if story.source is not Source.DIRECT else ()


def _measures(count: int) -> tuple[Sitting, ...]:
    return tuple(Sitting(8, (_finish_measure,)) for _ in range(count))


def pace_of(story: StoryData) -> float:
    """Simple matters go fast, so that the written answer keeps its date."""
    simple = complexity(story, still_open=story.path in STANDING) is Complexity.SIMPLE
    return 0.6 if simple else 1.0
