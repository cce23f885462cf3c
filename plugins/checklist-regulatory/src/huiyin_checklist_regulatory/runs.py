"""Self-checks: beginning, answering, handing in, reviewing, sealing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Colleague,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Period,
    Role,
    TenantContext,
    colleagues,
    local_date,
    system_actor,
    today,
    uuid7,
)
from huiyin_checklist_regulatory import evidence, packfile, packs, sampling, seal, voids
from huiyin_checklist_regulatory.errors import Changed, Frozen, NotYours, SecondPerson
from huiyin_checklist_regulatory.models import Run, RunItem, SampleCase
from huiyin_checklist_regulatory.packfile import Pack
from huiyin_checklist_regulatory.permissions import RUN
from huiyin_checklist_regulatory.schemas import AnswerForm, ReviewForm, RunForm, SampleForm
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.standing import Standing, standing_of
from huiyin_checklist_regulatory.terms import Answer, Applies, RunKind, RunState
from huiyin_checklist_regulatory.views import ItemView, content_of, item_applies

LONGEST: Final = timedelta(days=3 * 366)
JUDGES: Final = frozenset({Answer.MET, Answer.NOT_MET})
NOT_CONCERNED: Final = N_(
    "按发起时的机构事实，这一项不适用，不能判断是否符合；事实有变的，请更新机构事实后重新发起自查"
)
# Who may be asked to answer items.
ANSWERING: Final = frozenset({Role.COMPLAINT_OFFICER, Role.INVESTIGATOR, Role.APPROVER})


def answerers(people: Sequence[Colleague]) -> list[Colleague]:
    return [person for person in people if person.roles & ANSWERING]


# -- finding -----------------------------------------------------------------------------------


def find(ctx: TenantContext, run_id: uuid.UUID, *, lock: bool = False) -> Run:
    query = select(Run).where(Run.id == run_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    run = ctx.session.scalar(query)
    if run is None:
        raise NotFound
    return run


def open_run(ctx: TenantContext, run_id: uuid.UUID) -> Run:
    """The run, locked and still to be worked on.  Raises ``NotFound`` or ``Frozen``."""
    run = find(ctx, run_id, lock=True)
    if run.state != RunState.OPEN:
        raise Frozen
    return run


def item(ctx: TenantContext, run_id: uuid.UUID, position: int) -> RunItem:
    found = ctx.session.scalar(
        select(RunItem).where(RunItem.run_id == run_id, RunItem.position == position)
    )
    if found is None:
        raise NotFound
    return found


def item_by_id(ctx: TenantContext, item_id: uuid.UUID) -> RunItem:
    found = ctx.session.scalar(select(RunItem).where(RunItem.id == item_id))
    if found is None:
        raise NotFound
    return found


def items(ctx: TenantContext, run_id: uuid.UUID) -> Sequence[RunItem]:
    query = select(RunItem).where(RunItem.run_id == run_id).order_by(RunItem.position)
    return ctx.session.scalars(query).all()


def period_of(run: Run) -> Period:
    return Period(run.since, run.until)


# -- beginning ---------------------------------------------------------------------------------


def begin(ctx: TenantContext, form: RunForm, key: str) -> Run:
    """A new run with the pack's version in force; the same key gives the same run.

    Raises ``Invalid`` at what must be mended.
    """
    key = key[:64] or uuid7().hex
    there = ctx.session.scalar(select(Run).where(Run.idem_key == key))
    if there is not None:
        return there
    _check_form(form)
    pack = _pack_in_force(ctx, form.pack)
    run = _new(ctx, form, pack, key)
    drawn = sampling.draw(
        ctx, period_of(run), form.sample_size, seed=form.seed, category=form.category
    )
    run.seed, run.population, run.population_hash = (
        drawn.seed,
        len(drawn.population),
        drawn.population_hash,
    )
    run.population_numbers, run.sample_size = list(drawn.population), len(drawn.drawn)
    ctx.session.add(run)
    ctx.session.flush()
    for position, (record, digest) in enumerate(drawn.drawn, start=1):
        ctx.session.add(
            SampleCase(
                run_id=run.id,
                position=position,
                case_id=record.id,
                number=record.number,
                draw=digest,
            )
        )
    assignee = _assignee(ctx, form.assignee) if form.assignee else None
    _copy_items(ctx, run, pack, assignee)
    voids.tell(ctx, run, "begun")
    facts = {
        "number": run.number, "pack": run.pack_id, "version": run.pack_version,
        "pack_hash": run.pack_hash, "since": run.since, "until": run.until, "seed": run.seed,
        "population": run.population, "population_hash": run.population_hash,
        "sample": run.sample_size,
    }  # fmt: skip
    ctx.record("run_begun", run.id, facts, {"title": run.title})
    return run


def _check_form(form: RunForm) -> None:
    wrong: dict[str, str] = {}
    if form.until < form.since:
        wrong["until"] = N_("截止日期不能早于起始日期")
    elif form.until - form.since > LONGEST:
        wrong["since"] = N_("一次自查最多覆盖三年，请缩短期间")
    elif form.since > today():
        wrong["since"] = N_("起始日期不能晚于今天")
    if form.kind is RunKind.CASE_TYPE and not form.category:
        wrong["category"] = N_("按案件类型自查须选择类型")
    if form.due_on and form.due_on < today():
        wrong["due_on"] = N_("完成日期不能早于今天")
    if wrong:
        raise Invalid(wrong)


def _pack_in_force(ctx: TenantContext, pack_id: str) -> Pack:
    try:
        current = packs.shelf(ctx, pack_id).current
    except NotFound:
        current = None
    if current is None:
        raise Invalid({"pack": N_("请选择已启用的清单包")})
    pack = packs.pack_of(current)
    ended = pack.effective_to is not None and pack.effective_to < today()
    if pack.effective_from > today() or ended:
        raise Invalid({"pack": N_("这个版本不在有效期内，请选择其他清单包或启用新版本")})
    return pack


def _new(ctx: TenantContext, form: RunForm, pack: Pack, key: str) -> Run:
    year = local_date(ctx.now()).year
    last = ctx.session.scalar(select(func.max(Run.seq)).where(Run.year == year)) or 0
    return Run(
        id=uuid7(), year=year, seq=last + 1, idem_key=key, title=form.title, pack_id=pack.pack_id,
        pack_version=pack.version, pack_title={"zh": pack.title_zh, "en": pack.title_en},
        pack_hash=pack.hash(), kind=form.kind.value,
        category=form.category if form.kind is RunKind.CASE_TYPE else "", since=form.since,
        until=form.until, due_on=form.due_on, state=RunState.OPEN.value, answerers=[],
        created_by=ctx.actor.id, created_name=ctx.actor.name, created_at=ctx.now(),
    )  # fmt: skip


def _copy_items(ctx: TenantContext, run: Run, pack: Pack, assignee: Colleague | None) -> None:
    """Each item as it stands; those that do not concern the firm are answered by their rule."""
    known = packs.answers(ctx)
    system = system_actor(ctx.tenant.id)
    for position, entry in enumerate(pack.items, start=1):
        concerns, reasons = item_applies(pack, entry, known)
        row = RunItem(
            run_id=run.id, position=position, item_id=entry.item_id,
            content=content_of(pack, entry),
            item_hash=packfile.item_hash(pack, entry), applies=concerns.value, reasons=reasons,
            standing={}, assignee_id=assignee.id if assignee else None,
            assignee_name=assignee.name if assignee else "",
        )  # fmt: skip
        if concerns is Applies.NO:
            row.answer, row.answered_by = Answer.NOT_APPLICABLE.value, system.id
            row.answered_name, row.answered_at = system.name, ctx.now()
        ctx.session.add(row)


def _assignee(ctx: TenantContext, account_id: uuid.UUID) -> Colleague:
    known = {person.id: person for person in answerers(colleagues(ctx.session))}
    if account_id not in known:
        raise Invalid({"assignee": N_("请选择可以填写自查的在职同事")})
    return known[account_id]


# -- working on it -----------------------------------------------------------------------------


def assign(ctx: TenantContext, run_id: uuid.UUID, position: int, to: uuid.UUID | None) -> RunItem:
    """Ask somebody to answer an item, or nobody in particular."""
    open_run(ctx, run_id)
    row = item(ctx, run_id, position)
    person = _assignee(ctx, to) if to else None
    row.assignee_id, row.assignee_name = (person.id, person.name) if person else (None, "")
    facts = {"item": row.item_id, "to": to}
    ctx.record("item_assigned", run_id, facts)
    return row


def may_answer(ctx: TenantContext, row: RunItem) -> bool:
    """Whoever runs checks answers any item; others those they were asked for."""
    return ctx.actor.can(RUN) or row.assignee_id == ctx.actor.id


def answering(ctx: TenantContext, run_id: uuid.UUID, position: int) -> tuple[Run, RunItem]:
    """The run and the item, locked, if this person may work on them."""
    run = open_run(ctx, run_id)
    row = item(ctx, run_id, position)
    if not may_answer(ctx, row):
        raise NotYours(name=row.assignee_name or Message(N_("发起人")))
    return run, row


def answer(ctx: TenantContext, run_id: uuid.UUID, position: int, form: AnswerForm) -> RunItem:
    """Say what an item was found to be.  Raises ``Changed`` when somebody was faster."""
    run, row = answering(ctx, run_id, position)
    if form.seen and form.seen != row.rev:
        raise Changed
    if form.answer in JUDGES and row.applies == Applies.NO:
        raise Conflict(NOT_CONCERNED)
    if form.answer is not Answer.MET and not form.note:
        raise Invalid({"note": N_("请写明理由或情况")})
    row.answer, row.note = form.answer.value, form.note
    row.answered_by, row.answered_name, row.answered_at = ctx.actor.id, ctx.actor.name, ctx.now()
    row.rev += 1
    took_part(ctx, run)
    voids.settle(ctx, run, row)
    facts = {"item": row.item_id, "answer": form.answer, "rev": row.rev}
    ctx.record("item_answered", run.id, facts, {"note": form.note})
    return row


def took_part(ctx: TenantContext, run: Run) -> None:
    """Whoever put something into a run does not review it."""
    if ctx.actor.id not in run.answerers:
        run.answerers = [*run.answerers, ctx.actor.id]


def judge_sample(
    ctx: TenantContext, run_id: uuid.UUID, case_id: uuid.UUID, form: SampleForm
) -> SampleCase:
    """What the reading of a drawn case showed."""
    run = open_run(ctx, run_id)
    row = ctx.session.scalar(
        select(SampleCase).where(SampleCase.run_id == run_id, SampleCase.case_id == case_id)
    )
    if row is None or row.number not in evidence.visible_numbers(ctx, [row.case_id]):
        raise NotFound
    if form.result == "issue" and not form.note:
        raise Invalid({"note": N_("请写明发现的问题")})
    row.result, row.note = form.result.value, form.note
    row.by_id, row.by_name, row.at = ctx.actor.id, ctx.actor.name, ctx.now()
    took_part(ctx, run)
    facts = {"case": row.number, "result": form.result}
    ctx.record("sample_judged", run.id, facts, {"note": form.note})
    return row


# -- handing in, reviewing ---------------------------------------------------------------------


def missing(ctx: TenantContext, rows: Sequence[RunItem]) -> list[Message]:
    """What must be done before a run can be handed in, item by item."""
    needs = ctx.settings(ChecklistRegulatorySettings).require_evidence
    proven = evidence.proven_items(ctx, rows[0].run_id) if rows and needs else set()
    found: list[Message] = []
    for row in rows:
        if row.answer is None:
            found.append(Message(N_("第 {n} 项还没有结论"), {"n": row.item_id}))
        elif needs and row.answer == Answer.MET and row.id not in proven:
            found.append(Message(N_("第 {n} 项答「符合」，还没有证据"), {"n": row.item_id}))
    return found


def submit(ctx: TenantContext, run_id: uuid.UUID) -> Run:
    """Hand a run in: figures and sources are frozen as they stand now.

    Raises ``Frozen``, or ``Invalid`` naming every item that is not ready.
    """
    run = open_run(ctx, run_id)
    rows = items(ctx, run_id)
    if lacking := missing(ctx, rows):
        raise Invalid({f"item-{n}": text for n, text in enumerate(lacking, start=1)})
    vouched, imported = packs.vouches(ctx, run.pack_id), packs.is_imported(run.pack_id)
    for row in rows:
        entry = ItemView.of_content(row.content, "zh").item
        held = standing_of(entry, vouched.get(row.item_hash, ()), imported=imported)
        row.standing = held.as_json()
    evidence.freeze(ctx, run)
    took_part(ctx, run)  # for good: a run that comes back forgets who handed it in
    ctx.session.flush()  # while the run is open: afterwards the database keeps it as it is
    run.state = RunState.SUBMITTED.value
    run.submitted_by, run.submitted_name, run.submitted_at = ctx.actor.id, ctx.actor.name, ctx.now()
    run.rev += 1
    voids.tell(ctx, run, "submitted")
    facts = {"number": run.number, "content": seal.content_hash(ctx, run)}
    ctx.record("run_submitted", run.id, facts)
    return run


def barred(ctx: TenantContext, run: Run) -> bool:
    """Whether this person had a hand in the run and therefore does not review it."""
    return ctx.actor.id in {run.created_by, run.submitted_by, *run.answerers}


def review(ctx: TenantContext, run_id: uuid.UUID, form: ReviewForm) -> Run:
    """Seal a run that was handed in, or send it back with a reason."""
    run = find(ctx, run_id, lock=True)
    if run.state != RunState.SUBMITTED:
        raise Frozen(N_("只有待复核的自查可以复核，请刷新页面"))
    if form.seen and form.seen != run.rev:
        raise Changed
    if barred(ctx, run):
        raise SecondPerson(N_("发起、填写或提交过这次自查的人不能复核，请没有经手的同事复核"))
    run.rev += 1
    if form.decision == "return":
        if not form.note:
            raise Invalid({"note": N_("请写明退回的理由")})
        run.state = RunState.OPEN.value
        run.submitted_by, run.submitted_name, run.submitted_at = None, "", None
        voids.tell(ctx, run, "returned", form.note)
        ctx.record("run_returned", run.id, {"number": run.number}, {"note": form.note})
        return run
    run.seal = seal.content_hash(ctx, run)
    run.state = RunState.SEALED.value
    run.reviewed_by, run.reviewed_name, run.sealed_at = ctx.actor.id, ctx.actor.name, ctx.now()
    voids.tell(ctx, run, "sealed", form.note)
    facts = {"number": run.number, "seal": run.seal, "submitted_by": run.submitted_by}
    ctx.record("run_sealed", run.id, facts, {"note": form.note})
    return run


def standing_now(ctx: TenantContext, run: Run, row: RunItem, view: ItemView) -> Standing:
    """As frozen when the run was handed in; until then as it stands today."""
    if run.state != RunState.OPEN:
        return Standing.of_json(row.standing)
    vouched = packs.vouches(ctx, run.pack_id).get(row.item_hash, ())
    return standing_of(view.item, vouched, imported=packs.is_imported(run.pack_id))


def verdict_of(run: Run, row: RunItem, view: ItemView, standing: Standing) -> Message | None:
    """What is said beside an item of this run that is not met."""
    return view.verdict(row.answer, standing, concerns=row.applies, period=period_of(run))
