"""Call records from a file: checked row by row, shown, and then taken in as a whole or not at all.

The file is that of a telephone system; its headings may be ours or those that such systems write.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

import msgspec
from sqlalchemy import Select, select

from huiyin.sdk import (
    N_,
    Cell,
    Conflict,
    GiveUp,
    Invalid,
    Line,
    Message,
    NotFound,
    ScopedSession,
    TenantContext,
    TooLarge,
    at_local,
    clean_file_name,
    holds_blobs,
    read_table,
    uuid7,
    whole,
    write_xlsx,
)
from huiyin_channel_phone import backs, webhook
from huiyin_channel_phone.models import Call, ImportRow, ImportRun
from huiyin_channel_phone.schemas import CallEvent
from huiyin_channel_phone.terms import Source, State

LARGEST: Final = 10_000_000
CHECK: Final = "import_check"
APPLY: Final = "import_apply"
SHOWN: Final = 50
LONGEST: Final = 200
FRESH: Final = timedelta(days=7)  # older ones that were missed are history, not a task

# Ours, and what else the same column is called.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "通话编号": ("通话编号", "call_id", "uniqueid", "uuid"),
    "方向": ("方向", "direction", "calltype"),
    "主叫号码": ("主叫号码", "caller", "src", "from", "caller_id_number"),
    "被叫号码": ("被叫号码", "called", "dst", "to", "destination_number"),
    "开始时间": ("开始时间", "started_at", "calldate", "start", "start_stamp"),
    "通话秒数": ("通话秒数", "seconds", "billsec"),
    "结果": ("结果", "answered", "disposition"),
    "分机": ("分机", "agent", "extension"),
}
OPTIONAL: Final = frozenset({"通话秒数", "分机"})
_IN: Final = frozenset({"in", "inbound", "incoming", "来电", "呼入"})
_OUT: Final = frozenset({"out", "outbound", "outgoing", "去电", "呼出"})
_ANSWERED: Final = frozenset({"answered", "yes", "true", "1", "接通", "已接通", "已接"})
_MISSED: Final = frozenset(
    {"no answer", "noanswer", "no", "false", "0", "busy", "failed", "missed", "cancel",
     "未接", "未接通", "占线"}
)  # fmt: skip
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


def begin(ctx: TenantContext, file: tuple[str, BinaryIO] | None, *, call_backs: bool) -> ImportRun:
    """Keep the file and put off its checking.  Raises ``Invalid`` for one that is no table."""
    if file is None or not file[0]:
        raise Invalid({"file": N_("请选择要上传的文件")})
    name, stream = clean_file_name(file[0]), file[1]
    stream.seek(0)
    lines = read_table(stream, name, ())
    if not lines:
        raise Invalid({"file": N_("文件没有数据行，请填写后上传")})
    headings(lines)
    stream.seek(0)
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, LARGEST)
    except TooLarge:
        text = Message(N_("文件超过 {n} MB，请分几次导入"), {"n": LARGEST // 1_000_000})
        raise Invalid({"file": text}) from None
    run = ImportRun(
        id=uuid7(), file_name=name, blob_key=blob.key, sha256=blob.sha256, by=ctx.actor.id,
        at=ctx.now(), total=len(lines), call_backs=call_backs,
    )  # fmt: skip
    ctx.session.add(run)
    ctx.session.flush()
    ctx.enqueue(CHECK, {"run": str(run.id)}, key=str(run.id), object_id=run.id)
    ctx.record("import_begun", run.id, {"sha256": blob.sha256, "rows": run.total})
    return run


def headings(lines: Sequence[Line]) -> dict[str, str]:
    """Our column → what it is called in the file.  Raises ``Invalid`` (``file``)."""
    there = {name.strip().lower(): name for name in lines[0].cells}
    found: dict[str, str] = {}
    for ours, names in COLUMNS.items():
        known = next((there[name] for name in names if name in there), None)
        if known is not None:
            found[ours] = known
    if missing := [name for name in COLUMNS if name not in found and name not in OPTIONAL]:
        raise Invalid({"file": Message(N_("缺少列：{names}"), {"names": missing})})
    return found


@holds_blobs
def _held() -> Select[str, str]:
    return select(ImportRun.blob_key, ImportRun.sha256)


def _run_of(ctx: TenantContext, payload: Mapping[str, Any]) -> ImportRun:
    try:
        return find(ctx.session, uuid.UUID(str(payload["run"])), lock=True)
    except (NotFound, KeyError, ValueError):
        raise GiveUp from None


# -- checking ----------------------------------------------------------------------------------


def check(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The whole file, in one go; a run that is past it is left alone."""
    run = _run_of(ctx, payload)
    if run.state != "checking":
        return
    with ctx.blobs.open(run.blob_key) as stream:
        lines = read_table(stream, run.file_name, ())
    rows = Judge(ctx, run, headings(lines)).rows(lines)
    ctx.session.add_all(rows)
    states = [row.state for row in rows]
    run.good, run.known = states.count("good"), states.count("known")
    run.wrong, run.state = states.count("wrong"), "checked"
    ctx.session.flush()


class Judge:
    """Says of each row what it is, and what is wrong with it."""

    def __init__(self, ctx: TenantContext, run: ImportRun, columns: Mapping[str, str]) -> None:
        self.ctx, self.run, self.columns = ctx, run, columns
        self.known: dict[str, Call] = {}

    def rows(self, lines: Sequence[Line]) -> list[ImportRow]:
        name = self.columns["通话编号"]
        ids = {line.cells.get(name, "") for line in lines} - {""}
        found = self.ctx.session.scalars(select(Call).where(Call.external_id.in_(ids)))
        self.known = {str(call.external_id): call for call in found}
        return [self.row(line) for line in lines]

    def row(self, line: Line) -> ImportRow:
        cells = {
            ours: line.cells.get(theirs, "")[:LONGEST] for ours, theirs in self.columns.items()
        }
        made = ImportRow(
            id=uuid7(), run_id=self.run.id, number=line.number, cells=cells, state="good",
            record={}, reason="",
        )  # fmt: skip
        try:
            event = _event(cells)
            webhook.check_time(self.ctx, event)
            call = webhook.made(self.ctx, event, Source.IMPORT, "")
        except Invalid as wrong:
            made.state, made.reason = "wrong", next(iter(wrong.fields.values())).key
            return made
        known = self.known.setdefault(event.call_id, call)
        if known is call:
            made.record = msgspec.to_builtins(event)
        elif webhook.same(call, known):
            made.state = "known"
        else:
            made.state, made.reason = "wrong", N_("同一通话编号已有内容不同的记录")
        return made


def _event(cells: Mapping[str, str]) -> CallEvent:
    """What a row says.  Raises ``Invalid`` with the first thing that is wrong."""
    told = {name: text.strip() for name, text in cells.items()}
    way, result = told["方向"].lower(), told["结果"].lower()
    if way not in _IN | _OUT:
        raise Invalid({"row": N_("方向请填写「来电」或「去电」")})
    if result not in _ANSWERED | _MISSED:
        raise Invalid({"row": N_("结果请填写「接通」或「未接」")})
    seconds = whole(told.get("通话秒数") or "0", most=6)
    if seconds is None:
        raise Invalid({"row": N_("通话秒数请填写整数")})
    event = {
        "call_id": told["通话编号"], "direction": "in" if way in _IN else "out",
        "caller": told["主叫号码"], "called": told["被叫号码"],
        "started_at": _moment(told["开始时间"]), "answered": result in _ANSWERED,
        "seconds": seconds, "agent": told.get("分机", ""),
    }  # fmt: skip
    try:
        return msgspec.convert(event, CallEvent)
    except msgspec.ValidationError:
        raise Invalid(
            {"row": N_("通话编号须为 1 到 64 个字母、数字或符号，号码不超过 40 个字")}
        ) from None


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed.replace("/", "-"))
        if moment.tzinfo is not None:
            return moment
        seconds = timedelta(seconds=moment.second)
        return at_local(moment.date(), moment.hour, moment.minute) + seconds
    except (ValueError, OverflowError):
        raise Invalid({"row": N_("开始时间请写成 2026-03-18 09:30:00 的格式")}) from None


# -- taking in ---------------------------------------------------------------------------------


def confirm(ctx: TenantContext, run: ImportRun) -> None:
    """Take in the rows that are right.  Said twice it is said once."""
    if run.state != "checked":
        raise Conflict(N_("这次导入已经确认，或还在核对"))
    if not run.good:
        raise Conflict(N_("没有可以导入的行，请按错误文件修改后重新上传"))
    run.state = "applying"
    ctx.session.flush()
    ctx.enqueue(APPLY, {"run": str(run.id)}, key=str(run.id), object_id=run.id)
    facts = {"rows": run.good, "wrong": run.wrong, "known": run.known}
    ctx.record("import_confirmed", run.id, facts)


def apply(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """All good rows in one transaction: the file is in, or nothing of it is."""
    run = _run_of(ctx, payload)
    if run.state != "applying":
        return
    rows = ctx.session.scalars(
        select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.state == "good")
        .order_by(ImportRow.number)
    ).all()
    ids = {row.record["call_id"] for row in rows}
    here = set(ctx.session.scalars(select(Call.external_id).where(Call.external_id.in_(ids))))
    made = [_call(ctx, row) for row in rows if row.record["call_id"] not in here]
    ctx.session.add_all(made)
    ctx.session.flush()
    for call in sorted(made, key=lambda one: one.started_at):
        if call.started_at > ctx.now() - FRESH and call.number:
            backs.heard(ctx, call, owed=run.call_backs or call.state != State.MISSED.value)
    run.applied, run.known = len(made), run.known + len(rows) - len(made)
    run.state = "done"
    ctx.session.flush()
    ctx.record("import_done", run.id, {"rows": run.applied})


def _call(ctx: TenantContext, row: ImportRow) -> Call:
    event = msgspec.convert(row.record, CallEvent)
    return webhook.made(ctx, event, Source.IMPORT, "")


# -- reading -----------------------------------------------------------------------------------


def listing(ctx: TenantContext, after: uuid.UUID | None = None) -> Sequence[ImportRun]:
    asked = select(ImportRun).order_by(ImportRun.id.desc()).limit(SHOWN + 1)
    if after is not None:
        asked = asked.where(ImportRun.id < after)
    return ctx.session.scalars(asked).all()


def rows_of(
    ctx: TenantContext, run: ImportRun, state: str, most: int = SHOWN
) -> Sequence[ImportRow]:
    return ctx.session.scalars(
        select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.state == state)
        .order_by(ImportRow.number)
        .limit(most)
    ).all()


def error_file(ctx: TenantContext, run: ImportRun) -> bytes:
    """Every wrong row as it was, with its number in the file and the reason."""
    _ = ctx.text
    heading = [_(N_("行号")), *COLUMNS, _(N_("原因"))]
    rows: list[list[Cell]] = [
        [row.number, *(str(row.cells.get(name, "")) for name in COLUMNS), _(row.reason)]
        for row in rows_of(ctx, run, "wrong", run.total)
    ]
    return write_xlsx({_(N_("错误行")): (heading, rows)})


def template() -> bytes:
    """An empty file with the right columns."""
    return write_xlsx({"话单": (list(COLUMNS), [])})
