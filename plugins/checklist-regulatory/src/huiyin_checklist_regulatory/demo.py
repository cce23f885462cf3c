"""A made-up firm, filled through the services by its own people."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any, Final

from huiyin.sdk import Actor, Period, Role, TenantContext, colleagues, today, uuid7
from huiyin_checklist_regulatory import evidence, findings, live, packs, queries, runs, sections
from huiyin_checklist_regulatory.models import Finding, Run, RunItem
from huiyin_checklist_regulatory.pages_runs import last_quarter
from huiyin_checklist_regulatory.schemas import (
    ActionForm,
    AnswerForm,
    CloseForm,
    DoneForm,
    FindingForm,
    LinkForm,
    RetestForm,
    ReviewForm,
    RunForm,
    SampleForm,
    SectionForm,
    VouchForm,
)
from huiyin_checklist_regulatory.terms import (
    Answer,
    Applies,
    RecordKind,
    SampleResult,
    SectionState,
    Voucher,
)

FACTS: Final = {
    "cn_manager": "yes", "uncustodied_funds": "no", "sells_itself": "yes", "distributors": "yes",
    "ordinary_investors": "yes", "uk_authorised": "no",
}  # fmt: skip
# What was found, by the item of ``cn-pfm-self``; the rest is met.
FOUND: Final[Mapping[str, tuple[Answer, str]]] = {
    "3": (Answer.UNVERIFIED, "官网与合同已列明渠道，投资者端是否列明调解途径还在核对"),
    "7": (Answer.NOT_MET, "抽查的案件中有 2 件缺回避声明，办理人口头确认过但没有留痕"),
    "9": (Answer.UNVERIFIED, "不予受理的案件期内只有 1 件，告知书已发，送达证明待补"),
    "16": (Answer.NOT_MET, "预案已发布，今年还没有演练"),
    "17": (Answer.UNVERIFIED, "期内没有重大事项，判断单的格式待确定"),
    "20": (Answer.NOT_MET, "季度分析已出，整改没有并入内控台账"),
}
MET: Final = "已查看，见证据"
# no → state, what shows it (days ago, words), note
SECTIONS: Final[tuple[tuple[int, SectionState, int, str], ...]] = (
    (1, SectionState.RUNNING, 40, "投诉处理制度（第 3 版）总经理办公会决议"),
    (2, SectionState.RUNNING, 12, "三个渠道拨测与试发记录"),
    (5, SectionState.RUNNING, 25, "处理方案评审纪要"),
    (6, SectionState.RUNNING, 25, "措施执行抽查表"),
    (7, SectionState.RUNNING, 9, "答复书送达与回访登记"),
    (8, SectionState.DOCUMENTED, 0, "《持续改进办法》已发布，近六个月没有复盘记录"),
    (9, SectionState.RUNNING, 30, "季度归档清单"),
    (10, SectionState.RUNNING, 6, "投诉处理周例会纪要"),
    (12, SectionState.DOCUMENTED, 0, "《客户关系管理办法》第 5 条，尚未建档"),
    (13, SectionState.RUNNING, 50, "个人信息保护培训签到与测验"),
    (14, SectionState.DOCUMENTED, 0, "《投诉处理激励办法》试行稿"),
    (15, SectionState.RUNNING, 33, "稽核监督部抽查报告"),
    (16, SectionState.MISSING, 0, "没有指定收集行业动态的岗位"),
    (17, SectionState.RUNNING, 70, "投资者教育活动签到表"),
    (18, SectionState.MISSING, 0, "意见建议没有单独登记"),
    (19, SectionState.DOCUMENTED, 0, "《突发事件应急预案》，今年还没有演练"),
)
LIVE: Final = ((3, "case:answered_in_time"), (4, "case:lessons_written"))


@dataclass(frozen=True)
class Cast:
    """The firm's people by their roles, each with a context of their own."""

    ctx: TenantContext
    people: Mapping[Role, list[Actor]]

    def has(self, *roles: Role) -> bool:
        return all(self.people.get(role) for role in roles)

    def lend(self, role: Role, n: int = 0) -> TenantContext:
        there = self.people[role]
        return replace(self.ctx, actor=there[min(n, len(there) - 1)])


def fill(ctx: TenantContext) -> None:
    """Facts, packs, a sealed run with findings, one under way, and the twenty sections."""
    people: dict[Role, list[Actor]] = {}
    for person in colleagues(ctx.session):
        actor = Actor(person.id, ctx.tenant.id, person.name, person.roles, person.department)
        for role in person.roles:
            people.setdefault(role, []).append(actor)
    cast = Cast(ctx, people)
    needed = (Role.TENANT_ADMIN, Role.APPROVER, Role.SUPERVISOR, Role.INVESTIGATOR)
    if not cast.has(*needed, Role.COMPLAINT_OFFICER):
        return
    _packs(cast)
    _sections(cast)
    sealed = _past_run(cast)
    _correct(cast, sealed)
    _present_run(cast)


def _packs(cast: Cast) -> None:
    admin, approver = cast.lend(Role.TENANT_ADMIN), cast.lend(Role.APPROVER)
    packs.answer_facts(admin, FACTS)
    for pack_id in ("cn-pfm-self", "iso10002"):
        packs.adopt(approver, pack_id, packs.shelf(approver, pack_id).newest.version)
    own = (files(__package__) / "data" / "demo-pack.toml").read_text(encoding="utf-8")
    packs.bring_in(admin, own.encode(), "firm-own-1.toml")
    packs.adopt(approver, "firm-own", "1")
    newer = own.replace('version = "1"', 'version = "2"').replace("每季度拨测一次", "每月拨测一次")
    newer = newer.replace("2026-01-01", "2026-06-01").replace("once a quarter", "once a month")
    packs.bring_in(admin, newer.encode(), "firm-own-2.toml")
    broken = own.replace('version = "1"', 'version = "3"').replace('"A2"', '"A1"')
    packs.bring_in(admin, broken.encode(), "firm-own-3.toml")
    day = today() - timedelta(days=20)
    tick = VouchForm(
        kind=Voucher.COUNSEL, person="沈砚（外聘律师）", on=day, source="法律意见 2026-17"
    )  # fmt: skip
    for item_id in ("21", "23"):
        packs.vouch(approver, "cn-pfm-self", item_id, tick)


def _sections(cast: Cast) -> None:
    approver, supervisor = cast.lend(Role.APPROVER), cast.lend(Role.SUPERVISOR)
    for no, state, ago, words in SECTIONS:
        running = state is SectionState.RUNNING
        form = SectionForm(
            state=state, record_kind=RecordKind.NOTE, record=words if running else "",
            record_on=today() - timedelta(days=ago) if running else None,
            note="" if running else words,
        )  # fmt: skip
        sections.assess(supervisor if no == 15 else approver, no, form)
    known = {figure.name for figure in cast.ctx.figures()}
    for no, name in LIVE:
        if name in known:
            _live(approver, no, name)


def _live(ctx: TenantContext, no: int, name: str) -> None:
    figure = SectionForm(
        state=SectionState.RUNNING, record_kind=RecordKind.FIGURE, figure=name
    )  # fmt: skip
    with_nothing = SectionForm(
        state=SectionState.DOCUMENTED, note="制度已发布，近六个月没有办结的投诉"
    )
    since = sections.oldest(today())
    reading = live.read(ctx, name, Period(since, today()))
    sections.assess(ctx, no, figure if reading.n else with_nothing)


# -- runs --------------------------------------------------------------------------------------


def _run(ctx: TenantContext, title: str, pack: str, period: tuple[date, date], **given: Any) -> Run:
    form = RunForm(title=title, pack=pack, since=period[0], until=period[1], **given)
    return runs.begin(ctx, form, uuid7().hex)


def _past_run(cast: Cast) -> Run:
    approver = cast.lend(Role.APPROVER)
    since, until = last_quarter(today())
    title = f"{since.year} 年第 {(since.month + 2) // 3} 季度投诉处理自查"
    run = _run(approver, title, "cn-pfm-self", (since, until), sample_size=6, seed="2026-demo")
    for row in runs.items(approver, run.id):
        if row.applies != Applies.NO:
            role = Role.INVESTIGATOR if row.position % 2 else Role.COMPLAINT_OFFICER
            _answer(cast, run, row, role)
    _judge(cast, run)
    runs.submit(approver, run.id)
    supervisor = cast.lend(Role.SUPERVISOR)
    for row in runs.items(approver, run.id):
        if row.item_id == "7" and row.answer == Answer.NOT_MET:
            raised = FindingForm(
                title="回避声明没有留痕", severity="S3", cause="RC7-1", training=True,
                post=Role.COMPLAINT_OFFICER,
            )  # fmt: skip
            findings.raise_finding(supervisor, run.id, row.position, raised)
    runs.review(supervisor, run.id, ReviewForm(decision="seal", note="抽查记录与结论相符"))
    findings.raise_rest(supervisor, run)
    return run


def _answer(cast: Cast, run: Run, row: RunItem, role: Role) -> None:
    person = cast.lend(role)
    runs.assign(cast.lend(Role.APPROVER), run.id, row.position, person.actor.id)
    answer, note = FOUND.get(row.item_id, (Answer.MET, MET))
    for name in row.content["item"].get("figures", ()):
        if name in {figure.name for figure in live.choices(person)}:
            evidence.add_figure(person, row, name)
    if answer is Answer.MET:
        words = f"{row.content['item']['text_zh']}\n演示材料，内容虚构。\n".encode()
        evidence.add_file(person, row, f"自查材料-{row.item_id}.txt", io.BytesIO(words))
    runs.answer(person, run.id, row.position, AnswerForm(answer=answer, note=note))


def _judge(cast: Cast, run: Run) -> None:
    officer = cast.lend(Role.COMPLAINT_OFFICER, 1)
    for n, drawn in enumerate(evidence.visible_sample(officer, run.id)):
        bad = n in {1, 3}
        form = SampleForm(
            result=SampleResult.ISSUE if bad else SampleResult.PASS,
            note="缺回避声明" if bad else "",
        )  # fmt: skip
        runs.judge_sample(officer, run.id, drawn.case_id, form)
        if bad:
            row = next(r for r in runs.items(officer, run.id) if r.item_id == "7")
            evidence.add_link(officer, row, LinkForm(number=drawn.number, note="缺回避声明"))


def _correct(cast: Cast, run: Run) -> None:
    """The first finding is closed, the second waits for its test, the third is under way."""
    supervisor, owner = cast.lend(Role.SUPERVISOR), cast.lend(Role.APPROVER, 1)
    found: list[Finding] = sorted(
        queries.findings_of_run(supervisor, run.id).values(), key=lambda f: f.seq
    )
    works = (
        "受理时必须上传回避声明，缺少不能进入调查",
        "十二月前完成一次群体性投诉演练",
        "把整改项并入内控台账",
    )
    for n, (finding, title) in enumerate(zip(found, works, strict=False)):
        form = ActionForm(title=title, owner=owner.actor.id, workdays=(10, 15, 2)[n])
        action = findings.plan(supervisor, finding.id, form, uuid7().hex)
        cast.ctx.session.flush()
        if n < 2:
            findings.finish(owner, action.id, DoneForm(proof="已完成，记录附后"))
        if n == 0:
            told = RetestForm(result="pass", note="抽看新受理的 5 件，回避声明齐全")
            findings.test(supervisor, action.id, told)
            findings.close(supervisor, finding.id, CloseForm(note="下季度抽查继续关注"))


def _present_run(cast: Cast) -> None:
    approver, investigator = cast.lend(Role.APPROVER), cast.lend(Role.INVESTIGATOR)
    begun = last_quarter(today())[1] + timedelta(days=1)
    run = _run(
        approver, "ISO 10002 对照自查", "iso10002", (begun, today()), sample_size=4,
        seed="2026-iso", due_on=today() + timedelta(days=14), assignee=investigator.actor.id,
    )  # fmt: skip
    for row in runs.items(approver, run.id)[:7]:
        runs.answer(
            investigator, run.id, row.position,
            AnswerForm(answer=Answer.UNVERIFIED, note="材料收集中"),
        )  # fmt: skip
