"""A made-up firm's training, made with the same services that people use."""

from __future__ import annotations

import io
import tomllib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    Actor,
    Case,
    CaseState,
    Colleague,
    Event,
    Role,
    TenantContext,
    causes,
    colleagues,
    local,
    uuid7,
    visible_cases,
)
from huiyin_training_records import (
    assigning,
    consulting,
    courses,
    imports,
    learning,
    library,
    linking,
    meetings,
    quiz,
    records,
    seeding,
)
from huiyin_training_records.models import Assignment, Course
from huiyin_training_records.schemas import (
    AttestForm,
    ConsultForm,
    CourseForm,
    EditionForm,
    ExpertForm,
    InstrumentForm,
    LinkForm,
    MaterialForm,
    MeetingForm,
    QuestionForm,
    RecogniseForm,
    ReplyForm,
    RequirementForm,
    RulesForm,
    TickForm,
)
from huiyin_training_records.terms import Origin

DONE_OF_TEN: Final = 6  # so many of ten assignments are completed
_PROOF: Final = "上一年度培训签到表与考卷"


def fill(ctx: TenantContext) -> None:
    """Courses, people at them, a session, the library, two consultations and an import."""
    seeding.sow(ctx)
    people = colleagues(ctx.session)
    manager, other = _first(people, Role.TENANT_ADMIN), _first(people, Role.APPROVER)
    if manager is None or other is None:
        return
    managing, checking = _as(ctx, manager), _as(ctx, other)
    made = [_course(managing, facts) for facts in _data()]
    _past(checking, made, [p for p in people if p.id != other.id])
    _from_cases(ctx)
    assigning.assign_by_post(ctx)
    _learn(ctx, people, authors={manager.id})
    _overdue(managing, made, people)
    _session(managing, made[0], people)
    _library(managing, checking)
    _consult(managing, checking)
    _import(managing, people)


def _data() -> Sequence[Mapping[str, Any]]:
    text = (files(__package__) / "demo_data.toml").read_text(encoding="utf-8")
    found: Sequence[Mapping[str, Any]] = tomllib.loads(text)["courses"]
    return found


def _first(people: Sequence[Colleague], role: Role) -> Colleague | None:
    return next((p for p in people if role in p.roles), None)


def _as(ctx: TenantContext, person: Colleague) -> TenantContext:
    """What that colleague would be lent."""
    actor = Actor(person.id, ctx.tenant.id, person.name, person.roles, person.department)
    return replace(ctx, actor=actor)


def _course(ctx: TenantContext, facts: Mapping[str, Any]) -> Course:
    known = tuple(code for code in facts["causes"] if code in causes())
    course = courses.create(
        ctx,
        CourseForm(
            code=facts["code"], title=facts["title"], aim=facts["aim"],
            valid_months=facts["months"], causes=known,
        ),
    )  # fmt: skip
    draft = courses.draft_of(ctx, course)
    text = MaterialForm(kind="text", title="要点", body=facts["text"].strip())
    courses.add_material(ctx, draft, text, None)
    for kind, words, options in facts["questions"]:
        courses.add_question(ctx, draft, QuestionForm(kind=kind, text=words, options=options))
    draw = min(4, len(facts["questions"]))
    courses.set_rules(ctx, draft, RulesForm(draw=draw, pass_mark=75, attempts=3, change="首次发布"))
    courses.publish(ctx, course, draft)
    for role in facts["roles"]:
        assigning.require(ctx, course, RequirementForm(role=role, due_days=30))
    return course


def _past(ctx: TenantContext, made: Sequence[Course], people: Sequence[Colleague]) -> None:
    """Last year's trainings: some still valid, some about to end, one lapsed."""
    day = assigning.today_of(ctx)
    ages = (120, 350, 400, 200)
    for n, person in enumerate(people):
        records.recognise(
            ctx,
            RecogniseForm(
                course=made[n % len(made)].id, person=person.id, proof=_PROOF,
                completed_on=day - timedelta(days=ages[n % len(ages)]),
            ),
        )  # fmt: skip


def _from_cases(ctx: TenantContext) -> None:
    """What closed cases taught: the newest that had a cause, as their closing told it."""
    found = ctx.session.scalars(
        select(Case)
        .where(Case.state == CaseState.CLOSED.value, Case.cause.is_not(None))
        .order_by(Case.closed_at.desc())
        .limit(4)
    )
    for case in found.all():
        assigning.hear(ctx, Event(uuid7(), assigning.CLOSED, case.id))


def _learn(ctx: TenantContext, people: Sequence[Colleague], authors: set[uuid.UUID]) -> None:
    """Most complete what is open, some fail once, some have only read."""
    known = {p.id: p for p in people}
    rows = ctx.session.scalars(
        select(Assignment).where(Assignment.state == "open").order_by(Assignment.id)
    ).all()
    last = {row.account_id: row.id for row in rows}  # everybody has one thing left to do
    for n, row in enumerate(rows):
        if (
            row.account_id not in known
            or row.account_id in authors
            or row.id == last[row.account_id]
        ):
            continue
        learner = _as(ctx, known[row.account_id])
        if n % 10 < DONE_OF_TEN:
            _read(learner, row)
            _sit(learner, row, right=True)
            learning.attest(learner, row, AttestForm(name=learner.actor.name, agree=True))
        elif n % 10 == DONE_OF_TEN:
            _read(learner, row)
            _sit(learner, row, right=False)
        elif n % 10 == DONE_OF_TEN + 1:
            _read(learner, row)


def _overdue(ctx: TenantContext, made: Sequence[Course], people: Sequence[Colleague]) -> None:
    """Somebody is late and has been reminded."""
    investigator = _first(people, Role.INVESTIGATOR)
    late = assigning.today_of(ctx) - timedelta(days=4)
    why = assigning.Why(origin=Origin.MANUAL)
    for course in reversed(made):
        if investigator and assigning.assign(ctx, course, [investigator.id], late, why):
            break
    assigning.remind(ctx)


def _read(ctx: TenantContext, row: Assignment) -> None:
    for material in learning.progress(ctx, row).materials:
        learning.mark_read(ctx, row, material)


def _sit(ctx: TenantContext, row: Assignment, *, right: bool) -> None:
    sat = quiz.start(ctx, row)
    quiz.submit(ctx, row, sat, dict(_answers(quiz.asked(ctx, row, sat), right=right)))


def _answers(asked: Sequence[quiz.Asked], *, right: bool) -> Iterator[tuple[str, list[str]]]:
    for one in asked:
        wrong = [n for n in range(len(one.options)) if n not in one.right]
        chosen = sorted(one.right) if right else wrong[:1]
        yield one.name, [str(n) for n in chosen]


def _session(ctx: TenantContext, course: Course, people: Sequence[Colleague]) -> None:
    for kind, name, place, field in (
        ("trainer", "方亦舟", "行思培训", "客户沟通"),
        ("counsel", "陆清扬", "衡直律师事务所", "资产管理与争议解决"),
        ("expert", "唐谨言", "演示大学金融学院", "投资者行为"),
    ):
        consulting.enter_expert(
            ctx, ExpertForm(kind=kind, name=name, organisation=place, field=field)  # type: ignore[arg-type]
        )  # fmt: skip
    trainer = next(e for e in consulting.experts(ctx) if e.kind == "trainer")
    day: date = local(ctx.now()).date() + timedelta(days=6)
    made = meetings.create(
        ctx,
        MeetingForm(
            course=course.id, begins_at=f"{day.isoformat()}T14:00", minutes=90,
            place="三楼会议室", trainer=f"x:{trainer.id}",
        ),
    )  # fmt: skip
    meetings.invite(ctx, made, [p.id for p in people])


def _library(managing: TenantContext, ctx: TenantContext) -> None:
    """The firm's own rules, entered by one and checked by another; a regulation beside a case.

    What ships stays as it is: nobody made up has read a real law.
    """
    form = InstrumentForm(key="Z-01", title="本公司投诉处理制度", force="INT", scope="binds")
    articles = "第六条｜任何方式收到的投诉当日登记\n第十一条｜与投诉事项有利害关系的人回避"
    edition = EditionForm(
        label="2025 年修订", effective_from=date(2025, 1, 1), confidence="V",
        source="本公司制度汇编", articles=articles,
    )  # fmt: skip
    own = library.enter(managing, form, edition)
    shown = library.editions(ctx, own)[0].edition
    if shown is not None:
        library.tick(ctx, own, shown, TickForm(source="盖章版制度原件，演示数据"))
    number = ctx.session.scalar(
        select(Case.number).where(visible_cases(ctx.actor)).order_by(Case.id.desc()).limit(1)
    )
    if number:
        matter = LinkForm(number=number, article="第 20 条", note="推介材料中的收益表述")
        linking.link(ctx, library.find(ctx, "C01"), matter)


def _consult(managing: TenantContext, checking: TenantContext) -> None:
    counsel = next(e for e in consulting.experts(managing) if e.kind == "counsel")
    due = assigning.today_of(managing) + timedelta(days=10)
    asked = consulting.ask(
        checking,
        ConsultForm(
            subject="代销机构自制材料引起的投诉，责任如何划分", expert=counsel.id, due_on=due,
            question="代销机构在推介时使用了未经我司审核的材料，投资者据此投诉。答复时应说明到什么程度。",
        ),
    )  # fmt: skip
    answer = "先说明材料来源与审核情况，不在查清前分配责任；合同中的代销条款须一并核对。"
    consulting.reply(checking, asked, ReplyForm(body=answer, of_expert=True))
    consulting.ask(
        managing,
        ConsultForm(
            subject="一件可能进入仲裁的投诉的证据准备", expert=counsel.id, privileged=True,
            question="投资者表示将申请仲裁，请指导证据保全的范围与方式，以及对外沟通的口径。",
            people=(checking.actor.id,),
        ),
    )  # fmt: skip


def _import(ctx: TenantContext, people: Sequence[Colleague]) -> None:
    """A file of last year with two good and two wrong rows; the job checks it."""
    day = assigning.today_of(ctx) - timedelta(days=500)
    good = [p for p in people if p.id != ctx.actor.id][:2]
    lines = ["姓名,部门,课程编号,完成日期,有效期至,依据"]
    lines += [f"{p.name},{p.department},KC-03,{day},,去年签到表" for p in good]
    lines += [f"宋知远,客户服务部,KC-03,{day},,去年签到表", f"{good[0].name},,KC-99,{day},,"]
    imports.begin(ctx, ("上年度培训记录.csv", io.BytesIO("\n".join(lines).encode())))
