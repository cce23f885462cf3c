"""What stands behind an answer or an action: files, cases, letters and figures of this firm."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, func, select

from huiyin.sdk import (
    N_,
    Case,
    Invalid,
    Message,
    NotFound,
    Period,
    Ready,
    TenantContext,
    TooLarge,
    clean_file_name,
    find_case,
    holds_blobs,
    is_program,
    letters_of,
    uuid7,
)
from huiyin_checklist_regulatory import live
from huiyin_checklist_regulatory.models import Action, Evidence, Run, RunItem, SampleCase
from huiyin_checklist_regulatory.schemas import LinkForm
from huiyin_checklist_regulatory.terms import EvidenceKind

MOST: Final = 20  # behind one answer or action
LARGEST: Final = 30 * 1024 * 1024
READS_CASES: Final = "case.read"
_HEAD: Final = 512


@holds_blobs
def _files() -> Select[str | None, str]:
    return select(Evidence.blob_key, Evidence.sha256)


# -- reading -----------------------------------------------------------------------------------


def of_item(ctx: TenantContext, item_id: uuid.UUID) -> list[Evidence]:
    return _visible(ctx, Evidence.run_item_id == item_id)


def of_actions(ctx: TenantContext, action_ids: Iterable[uuid.UUID]) -> list[Evidence]:
    return _visible(ctx, Evidence.action_id.in_(list(action_ids)))


def of_run(ctx: TenantContext, run_id: uuid.UUID) -> Sequence[Evidence]:
    """All of a run, in their order, whoever asks: for the seal."""
    query = (
        select(Evidence)
        .join(RunItem, RunItem.id == Evidence.run_item_id)
        .where(RunItem.run_id == run_id)
        .order_by(Evidence.id)
    )
    return ctx.session.scalars(query).all()


def _visible(ctx: TenantContext, condition: ColumnElement[bool]) -> list[Evidence]:
    """Without what tells of a case this person may not know of."""
    rows = ctx.session.scalars(select(Evidence).where(condition).order_by(Evidence.id)).all()
    return shown(ctx, rows)


def shown(ctx: TenantContext, rows: Sequence[Evidence]) -> list[Evidence]:
    """Those of the rows that this person may see; at most one query."""
    linked = [row.case_id for row in rows if row.case_id]
    known = visible_numbers(ctx, linked) if linked else set()
    return [row for row in rows if row.case_id is None or row.number in known]


def visible_numbers(ctx: TenantContext, case_ids: Sequence[uuid.UUID]) -> set[str]:
    """The numbers of those cases this person may know of; none without the right to read any."""
    if not case_ids or not ctx.actor.can(READS_CASES):
        return set()
    cases = ctx.session.scalars(select(Case).where(Case.id.in_(case_ids)))
    return {case.number for case in cases if case.visible_to(ctx.actor)}


def known_numbers(ctx: TenantContext, numbers: Sequence[str]) -> set[str]:
    """Those of these case numbers that this person may know of; one query."""
    if not numbers or not ctx.actor.can(READS_CASES):
        return set()
    cases = ctx.session.scalars(select(Case).where(Case.number.in_(numbers)))
    return {case.number for case in cases if case.visible_to(ctx.actor)}


def sample(ctx: TenantContext, run_id: uuid.UUID) -> Sequence[SampleCase]:
    query = select(SampleCase).where(SampleCase.run_id == run_id).order_by(SampleCase.position)
    return ctx.session.scalars(query).all()


def visible_sample(ctx: TenantContext, run_id: uuid.UUID) -> list[SampleCase]:
    rows = sample(ctx, run_id)
    known = visible_numbers(ctx, [row.case_id for row in rows])
    return [row for row in rows if row.number in known]


def proven_items(ctx: TenantContext, run_id: uuid.UUID) -> set[uuid.UUID]:
    """The items of a run that have any evidence."""
    query = (
        select(Evidence.run_item_id)
        .join(RunItem, RunItem.id == Evidence.run_item_id)
        .where(RunItem.run_id == run_id)
    )
    return {found for found in ctx.session.scalars(query) if found}


# -- adding ------------------------------------------------------------------------------------


def _place(ctx: TenantContext, place: RunItem | Action) -> Evidence:
    """An empty piece of evidence at its place; raises ``Invalid`` when there is no room."""
    there = Evidence.run_item_id if isinstance(place, RunItem) else Evidence.action_id
    held = ctx.session.scalar(select(func.count()).select_from(Evidence).where(there == place.id))
    if (held or 0) >= MOST:
        raise Invalid({"files": Message(N_("每处最多 {n} 份证据，请先移除不需要的"), {"n": MOST})})
    item_id = place.id if isinstance(place, RunItem) else None
    return Evidence(
        id=uuid7(), run_item_id=item_id, action_id=None if item_id else place.id,
        by_id=ctx.actor.id, by_name=ctx.actor.name, at=ctx.now(), frozen={},
    )  # fmt: skip


def add_file(ctx: TenantContext, place: RunItem | Action, name: str, stream: BinaryIO) -> Evidence:
    """Keep a file; its bytes are durable when this returns.  Raises ``Invalid`` (``files``)."""
    row = _place(ctx, place)
    name = clean_file_name(name)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise _wrong(N_("「{name}」是空文件，请重新选择"), name)
    if is_program(name, head):
        raise _wrong(N_("「{name}」是程序文件，不能作为证据，请换成文档、图片或录音"), name)
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, LARGEST)
    except TooLarge:
        raise _wrong(N_("「{name}」超过 30 MB，请压缩或分开上传"), name) from None
    row.kind, row.title = EvidenceKind.FILE.value, name
    row.size, row.sha256, row.blob_key = blob.size, blob.sha256, blob.key
    return _keep(ctx, row, {"sha256": blob.sha256}, {"name": name})


def _wrong(text: str, name: str) -> Invalid:
    return Invalid({"files": Message(text, {"name": name})})


def add_link(ctx: TenantContext, place: RunItem | Action, form: LinkForm) -> Evidence:
    """Point to a case of this firm, or to one of its letters.  Raises ``Invalid``."""
    try:
        case = find_case(ctx.session, ctx.actor, form.number)
    except NotFound:
        raise Invalid({"number": N_("没有这个编号的案件，或无权查看，请核对")}) from None
    row = _place(ctx, place)
    row.kind, row.case_id, row.number, row.note = (
        EvidenceKind.CASE.value,
        case.id,
        case.number,
        form.note,
    )
    if form.letter:
        letter = next((x for x in letters_of(ctx.session, case) if x.number == form.letter), None)
        if letter is None:
            raise Invalid({"letter": N_("这件案件没有这个编号的文书，请核对")})
        row.kind, row.letter_id, row.title = EvidenceKind.LETTER.value, letter.id, letter.number
        row.sha256 = letter.pdf_sha256 or ""
    return _keep(ctx, row, {"case": case.number, "letter": row.letter_id}, {})


def add_figure(ctx: TenantContext, place: RunItem, name: str) -> Evidence:
    """Quote a figure of the house; it is read anew until the run is handed in."""
    figure = live.checked(ctx, name)
    row = _place(ctx, place)
    row.kind, row.figure, row.title = EvidenceKind.FIGURE.value, figure.name, figure.title
    return _keep(ctx, row, {"figure": figure.name}, {})


def _keep(
    ctx: TenantContext, row: Evidence, facts: dict[str, object], commits: dict[str, str | bytes]
) -> Evidence:
    ctx.session.add(row)
    ctx.session.flush()
    place = row.run_item_id or row.action_id
    ctx.record("evidence_added", row.id, {"place": place, "kind": row.kind, **facts}, commits)
    return row


def find(ctx: TenantContext, evidence_id: uuid.UUID) -> Evidence:
    """One piece, if this person may see it.  Raises ``NotFound``."""
    rows = _visible(ctx, Evidence.id == evidence_id)
    if not rows:
        raise NotFound
    return rows[0]


def remove(ctx: TenantContext, place: RunItem, evidence_id: uuid.UUID) -> None:
    """Take a piece of an open run away again; what it was stays in the book.

    Bytes that nobody names any more are swept up later, so that a rollback loses none.
    """
    row = find(ctx, evidence_id)
    if row.run_item_id != place.id:
        raise NotFound
    ctx.session.delete(row)
    facts = {"place": place.id, "kind": row.kind, "sha256": row.sha256}
    ctx.record("evidence_removed", row.id, facts)


def read_file(ctx: TenantContext, evidence_id: uuid.UUID) -> tuple[Evidence, bytes]:
    """The bytes of a file; the reading is written down.  Raises ``NotFound``."""
    row = find(ctx, evidence_id)
    if row.blob_key is None or not ctx.actor.can(READS_CASES):
        raise NotFound
    try:
        with ctx.blobs.open(row.blob_key) as stream:
            content: bytes = stream.read()
    except FileNotFoundError:
        raise NotFound from None
    ctx.record("evidence_read", row.id, {"sha256": row.sha256})
    return row, content


# -- freezing ----------------------------------------------------------------------------------


def freeze(ctx: TenantContext, run: Run) -> None:
    """Read every figure of the run one last time and keep what it says; each figure once."""
    period = Period(run.since, run.until)
    said: dict[str, dict[str, object]] = {}
    for row in of_run(ctx, run.id):
        if row.kind == EvidenceKind.FIGURE:
            if row.figure not in said:
                said[row.figure] = live.read(ctx, row.figure, period).as_json()
            row.frozen = said[row.figure]


_TOUCHED: Final = Ready(
    select(SampleCase.run_id)
    .where(SampleCase.case_id == bindparam("case", type_=Uuid))
    .union(
        select(RunItem.run_id)
        .join(Evidence, Evidence.run_item_id == RunItem.id)
        .where(Evidence.case_id == bindparam("case", type_=Uuid))
    )
)


def cases_touched(ctx: TenantContext, case: Case) -> list[Run]:
    """The runs that drew this case or point to it, newest first, ten at most."""
    touched = _TOUCHED.run(ctx.session, case=case.id).scalars().all()
    if not touched:  # of most cases, so that their page costs next to nothing
        return []
    query = select(Run).where(Run.id.in_(touched))
    return list(ctx.session.scalars(query.order_by(Run.created_at.desc()).limit(10)))
