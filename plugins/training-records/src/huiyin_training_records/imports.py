"""Existing records from a file: checked row by row in a job, taken in at somebody's word.

Each run of a job takes one piece, commits it with its progress and puts off the next, so a run
that was cut short goes on where it was.  A wrong row keeps its reason and is never taken in.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO, Final

from sqlalchemy import Select, func, select, update

from huiyin.sdk import (
    N_,
    Cell,
    Colleague,
    Conflict,
    GiveUp,
    Invalid,
    Line,
    Message,
    NotFound,
    Refused,
    ScopedSession,
    TenantContext,
    TooLarge,
    clean_file_name,
    colleagues,
    holds_blobs,
    local_date,
    read_table,
    uuid7,
    write_xlsx,
)
from huiyin_training_records.errors import OWN_RECORD
from huiyin_training_records.library_models import ImportRow, ImportRun
from huiyin_training_records.models import Assignment, Course, Version
from huiyin_training_records.standing import valid_until
from huiyin_training_records.terms import AssignmentState, Origin, VersionState

COLUMNS: Final = ("姓名", "部门", "课程编号", "完成日期")
OPTIONAL: Final = ("有效期至", "依据")
LARGEST: Final = 10_000_000
CHECK: Final = "import_check"
APPLY: Final = "import_apply"
PIECE: Final = 1000
SHOWN: Final = 50
LONGEST: Final = 300

STATES: Final[Mapping[str, str]] = {
    "checking": N_("正在核对"),
    "checked": N_("待确认导入"),
    "applying": N_("正在导入"),
    "done": N_("已导入"),
    "expired": N_("内容已过保存期"),
}


def find(session: ScopedSession, run_id: uuid.UUID, *, lock: bool = False) -> ImportRun:
    asked = select(ImportRun).where(ImportRun.id == run_id)
    found = session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def begin(ctx: TenantContext, file: tuple[str, BinaryIO] | None) -> ImportRun:
    """Keep the file and put off its checking.  Raises ``Invalid`` for one that is no table."""
    if file is None or not file[0]:
        raise Invalid({"file": N_("请选择要上传的文件")})
    name, stream = clean_file_name(file[0]), file[1]
    stream.seek(0)  # a request that is run again has read it once
    lines = read_table(stream, name, COLUMNS)
    if not lines:
        raise Invalid({"file": N_("文件没有数据行，请填写后上传")})
    stream.seek(0)
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, LARGEST)
    except TooLarge:
        text = Message(N_("文件超过 {n} MB，请分几次导入"), {"n": LARGEST // 1_000_000})
        raise Invalid({"file": text}) from None
    run = ImportRun(
        id=uuid7(), file_name=name, blob_key=blob.key, sha256=blob.sha256, by=ctx.actor.id,
        at=ctx.now(), total=len(lines),
    )  # fmt: skip
    ctx.session.add(run)
    ctx.session.flush()
    _next(ctx, CHECK, run, 0)
    ctx.record("import_begun", run.id, {"sha256": blob.sha256, "rows": run.total})
    return run


@holds_blobs
def _held() -> Select[str, str]:
    return select(ImportRun.blob_key, ImportRun.sha256)


def _next(ctx: TenantContext, job: str, run: ImportRun, done: int) -> None:
    ctx.enqueue(job, {"run": str(run.id)}, key=f"{run.id}:{done}", object_id=run.id)


def _run_of(ctx: TenantContext, payload: Mapping[str, Any]) -> ImportRun:
    try:
        return find(ctx.session, uuid.UUID(str(payload["run"])), lock=True)
    except (NotFound, KeyError, ValueError):
        raise GiveUp from None


# -- checking ----------------------------------------------------------------------------------


def check(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """One piece of the file; the job of a run that is past it does nothing."""
    run = _run_of(ctx, payload)
    if run.state != "checking":
        return
    with ctx.blobs.open(run.blob_key) as stream:
        lines = read_table(stream, run.file_name, COLUMNS)
    piece = lines[run.checked : run.checked + PIECE]
    rows = Judge(ctx, run).rows(piece)
    ctx.session.add_all(rows)
    run.checked += len(piece)
    run.wrong += sum(bool(row.reason) for row in rows)
    if run.checked >= len(lines):
        run.state = "checked"
    else:
        _next(ctx, CHECK, run, run.checked)
    ctx.session.flush()


class Judge:
    """Says of each row what is wrong with it, in the language of the house."""

    def __init__(self, ctx: TenantContext, run: ImportRun) -> None:
        self.ctx, self.run = ctx, run
        self.day = local_date(ctx.now())
        self.people: dict[str, list[Colleague]] = {}
        for person in colleagues(ctx.session):
            self.people.setdefault(person.name, []).append(person)
        taught = select(Version.course_id).where(Version.state == VersionState.PUBLISHED.value)
        self.courses = {
            course.code: course
            for course in ctx.session.scalars(select(Course).where(Course.id.in_(taught)))
        }
        known = ctx.session.execute(
            select(Assignment.account_id, Assignment.course_id, Assignment.completed_on).where(
                Assignment.completed_on.is_not(None),
                Assignment.state != AssignmentState.CANCELLED.value,
            )
        )
        self.known = {(who, course, str(on)) for who, course, on in known}
        staged = ctx.session.execute(
            select(ImportRow.account_id, ImportRow.course_id, ImportRow.cells["完成日期"].astext)
            .where(ImportRow.run_id == run.id, ImportRow.reason == "")
        )  # fmt: skip
        self.known |= {tuple(row) for row in staged}

    def rows(self, piece: Sequence[Line]) -> list[ImportRow]:
        return [self.row(line) for line in piece]

    def row(self, line: Line) -> ImportRow:
        cells = {name: line.cells.get(name, "").strip()[:LONGEST] for name in (*COLUMNS, *OPTIONAL)}
        made = ImportRow(id=uuid7(), run_id=self.run.id, number=line.number, cells=cells)
        try:
            person = self._person(cells)
            course = self._course(cells)
            done = self._dates(cells)
            key = self._new(person.id, course.id, done)
        except _Wrong as wrong:
            made.reason = str(wrong)
            return made
        self.known.add(key)
        made.account_id, made.course_id = person.id, course.id
        return made

    def _person(self, cells: Mapping[str, str]) -> Colleague:
        found = self.people.get(cells["姓名"], [])
        if cells["部门"]:
            found = [person for person in found if person.department == cells["部门"]]
        if not found:
            raise _Wrong(N_("没有这个姓名和部门的在职成员"))
        if len(found) > 1:
            raise _Wrong(N_("有几位同名成员，请填写部门"))
        if found[0].id == self.run.by:
            raise _Wrong(N_("导入人本人的记录须由其他管理员导入"))
        return found[0]

    def _course(self, cells: Mapping[str, str]) -> Course:
        found = self.courses.get(cells["课程编号"].upper())
        if found is None:
            raise _Wrong(N_("没有这个编号的已发布课程"))
        return found

    def _new(
        self, who: uuid.UUID, course: uuid.UUID, done: date
    ) -> tuple[uuid.UUID, uuid.UUID, str]:
        key = (who, course, done.isoformat())
        if key in self.known:
            raise _Wrong(N_("这个人在这一天已有同一课程的记录"))
        return key

    def _dates(self, cells: dict[str, str]) -> date:
        done = _day(cells["完成日期"])
        if done is None:
            raise _Wrong(N_("完成日期请写成 2026-03-18 的格式"))
        if done > self.day:
            raise _Wrong(N_("完成日期晚于今天"))
        until = _day(cells["有效期至"]) if cells["有效期至"] else None
        if cells["有效期至"] and until is None:
            raise _Wrong(N_("有效期至请写成 2026-03-18 的格式"))
        if until is not None and until < done:
            raise _Wrong(N_("有效期早于完成日期"))
        cells["完成日期"] = done.isoformat()
        cells["有效期至"] = until.isoformat() if until else ""
        return done


class _Wrong(Exception):  # an answer, not a fault
    """Why a row cannot be taken in."""


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed.replace("/", "-").split(" ", maxsplit=1)[0])
    except ValueError:
        return None


# -- taking in ---------------------------------------------------------------------------------


def confirm(ctx: TenantContext, run: ImportRun) -> None:
    """Take in the rows that are right.  Said twice it is said once."""
    if run.state != "checked":
        raise Conflict(N_("这次导入已经确认，或还在核对"))
    if run.total == run.wrong:
        raise Conflict(N_("没有可以导入的行，请按错误文件修改后重新上传"))
    run.state = "applying"
    ctx.session.flush()
    _next(ctx, APPLY, run, 0)
    ctx.record("import_confirmed", run.id, {"rows": run.total - run.wrong, "wrong": run.wrong})


def apply(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """One piece of the good rows, each whole, together with the progress."""
    run = _run_of(ctx, payload)
    if run.state != "applying":
        return
    rows = ctx.session.scalars(
        select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.reason == "", ~ImportRow.applied)
        .order_by(ImportRow.number)
        .limit(PIECE)
    ).all()
    taught, waiting = _taught(ctx), _waiting(ctx, rows)
    ctx.session.add_all(
        [_assignment(ctx, run, row, *taught[row.course_id], waiting) for row in rows]
    )
    ctx.session.execute(
        update(ImportRow)
        .where(ImportRow.id.in_([row.id for row in rows]))
        .values(applied=True)
        .execution_options(synchronize_session=False)
    )
    run.applied += len(rows)
    if len(rows) < PIECE:
        run.state = "done"
        ctx.session.flush()
        ctx.record("import_done", run.id, {"rows": run.applied})
    else:
        _next(ctx, APPLY, run, run.applied)
    ctx.session.flush()


def _taught(ctx: TenantContext) -> dict[uuid.UUID | None, tuple[Course, uuid.UUID]]:
    newest = (
        select(Version.course_id, func.max(Version.number).label("number"))
        .where(Version.state == VersionState.PUBLISHED.value)
        .group_by(Version.course_id)
        .subquery()
    )
    rows = ctx.session.execute(
        select(Course, Version.id)
        .join(Version, Version.course_id == Course.id)
        .join(
            newest, (newest.c.course_id == Course.id) & (newest.c.number == Version.number)
        )
    )  # fmt: skip
    return {course.id: (course, version) for course, version in rows}


Waiting = dict[tuple[uuid.UUID | None, uuid.UUID | None], Assignment]


def _waiting(ctx: TenantContext, rows: Sequence[ImportRow]) -> Waiting:
    """Who still has to do which course, of those in these rows; locked, one query."""
    found = ctx.session.scalars(
        select(Assignment)
        .where(
            Assignment.state == AssignmentState.OPEN.value,
            Assignment.account_id.in_({row.account_id for row in rows}),
            Assignment.course_id.in_({row.course_id for row in rows}),
        )
        .with_for_update()
    )
    return {(one.account_id, one.course_id): one for one in found}


def _assignment(
    ctx: TenantContext, run: ImportRun, row: ImportRow, course: Course, version: uuid.UUID,
    waiting: Waiting,
) -> Assignment:  # fmt: skip
    """Done on the day the file says, recognised by whoever imported it; no certificate.

    Somebody who still had to do the course has done it then.
    """
    if row.account_id is None or row.account_id == run.by:
        raise Refused(OWN_RECORD)
    done, typed = date.fromisoformat(row.cells["完成日期"]), row.cells["有效期至"]
    until = date.fromisoformat(typed) if typed else valid_until(done, course.valid_months)
    key = (row.account_id, course.id)
    if key in waiting and _fulfils(ctx, waiting[key], done, until):
        made = waiting.pop(key)
    else:
        made = Assignment(
            id=uuid7(), course_id=course.id, version_id=version, account_id=row.account_id,
            origin=Origin.IMPORT.value, assigned_at=ctx.now(), assigned_by=run.by, due_on=done,
        )  # fmt: skip
    made.state, made.completed_on, made.valid_until = AssignmentState.DONE.value, done, until
    made.recognised_by, made.proof = run.by, row.cells["依据"]
    return made


# Asked for because of something that happened: an earlier training is no answer to that.
ANEW: Final = frozenset({Origin.CAUSE, Origin.FINDING, Origin.RENEWAL})


def _fulfils(ctx: TenantContext, asked: Assignment, done: date, until: date | None) -> bool:
    """Whether a training that was done is the one still asked for."""
    if until is not None and until < local_date(ctx.now()):
        return False
    return asked.origin not in ANEW or done >= local_date(asked.assigned_at)


# -- reading -----------------------------------------------------------------------------------


def listing(ctx: TenantContext, after: uuid.UUID | None = None) -> Sequence[ImportRun]:
    asked = select(ImportRun).order_by(ImportRun.id.desc()).limit(SHOWN + 1)
    if after is not None:
        asked = asked.where(ImportRun.id < after)
    return ctx.session.scalars(asked).all()


def wrong_rows(ctx: TenantContext, run: ImportRun, most: int = SHOWN) -> Sequence[ImportRow]:
    return ctx.session.scalars(
        select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.reason != "")
        .order_by(ImportRow.number)
        .limit(most)
    ).all()


def error_file(ctx: TenantContext, run: ImportRun) -> bytes:
    """Every wrong row as it was, with its number in the file and the reason."""
    _ = ctx.text
    heading = [_(N_("行号")), *COLUMNS, *OPTIONAL, _(N_("原因"))]
    rows: list[list[Cell]] = [
        [row.number, *(str(row.cells[name]) for name in (*COLUMNS, *OPTIONAL)), _(row.reason)]
        for row in wrong_rows(ctx, run, run.total)
    ]
    return write_xlsx({_(N_("错误行")): (heading, rows)})


def template() -> bytes:
    """An empty file with the right columns."""
    return write_xlsx({"培训记录": ([*COLUMNS, *OPTIONAL], [])})
