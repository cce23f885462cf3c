"""The registers as tables, for files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from huiyin.sdk import N_, SOURCE_TITLES, Cell, Source, TenantContext
from huiyin_channel_referral.models import Transfer
from huiyin_channel_referral.papers import Line
from huiyin_channel_referral.register import STATES, Found
from huiyin_channel_referral.terms import ROAD_TITLES, WAY_TITLES, Way

_TRANSFERS = (
    N_("案件编号"), N_("来源"), N_("转办单位"), N_("转办文号"), N_("落款日期"), N_("收到日期"),
    N_("函件载明的期限"), N_("来函延期"), N_("回复时限"), N_("时限依据"), N_("状态"),
    N_("是否逾期"), N_("回复日期"), N_("回复文号"), N_("送达方式"), N_("凭证"), N_("登记人"),
    N_("补登原因"),
)  # fmt: skip
_PAPERS = (
    N_("案件编号"), N_("方式"), N_("收到日期"), N_("来访时间"), N_("接待人"), N_("接待地点"),
    N_("来访人"), N_("接待记录"), N_("邮件号"), N_("材料"), N_("签字"), N_("登记人"),
    N_("补登原因"),
)  # fmt: skip


MOST: Final = 5000  # rows of a file
_CUT: Final = N_("只列出前 {n} 行，请按状态或来源筛选后分次导出")


def told_if_cut(ctx: TenantContext, lines: list[list[Cell]]) -> list[list[Cell]]:
    """A file made of one row more than it may have says that it is not whole."""
    if len(lines) <= MOST:
        return lines
    return [*lines[:MOST], [ctx.text(_CUT, n=MOST)]]


def transfers(
    ctx: TenantContext, found: Sequence[Found], names: Mapping[str, str]
) -> tuple[list[str], list[list[Cell]]]:
    """The register of letters; a date says what it rests on."""
    return [ctx.text(title) for title in _TRANSFERS], [_line(ctx, one, names) for one in found]


def _line(ctx: TenantContext, one: Found, names: Mapping[str, str]) -> list[Cell]:
    row, clock, text = one.row, one.clock, ctx.text
    return [
        one.case.number, text(SOURCE_TITLES[Source(row.source)]), row.body, row.number,
        row.letter_on, row.received_on, row.due_on, _later(row), clock.due_on if clock else None,
        text(clock.origin) if clock else "", text(STATES[one.state]),
        text(N_("逾期")) if one.late else "", row.replied_on, row.reply_number,
        text(WAY_TITLES[Way(row.reply_way)]) if row.reply_way else "", _numbers(row.proofs),
        names.get(str(row.registered_by), ""), row.late_reason,
    ]  # fmt: skip


def _later(row: Transfer) -> str:
    """Every day that the sender set later: from which, to which."""
    return "; ".join(f"{one['from']} → {one['to']}" for one in row.extensions)


def papers(
    ctx: TenantContext, lines: Sequence[Line], names: Mapping[str, str]
) -> tuple[list[str], list[list[Cell]]]:
    """The register of letters by post and of visits."""
    rows: list[list[Cell]] = [
        [
            line.case.number, ctx.text(ROAD_TITLES[line.row.kind]), line.row.came_on,
            line.row.came_at, names.get(str(line.row.received_by), ""), line.row.place,
            line.row.visitors, line.row.notes, line.row.post_number, _numbers(line.row.scans),
            _numbers(line.row.signature), names.get(str(line.row.registered_by), ""),
            line.row.late_reason,
        ]
        for line in lines
    ]  # fmt: skip
    return [ctx.text(title) for title in _PAPERS], rows


def _numbers(files: Sequence[Mapping[str, str]]) -> str:
    return " ".join(file["number"] for file in files)
