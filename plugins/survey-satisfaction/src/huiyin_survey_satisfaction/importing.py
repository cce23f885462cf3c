"""Lists of people to be asked: the whole file or nothing, and a file of the rows to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from sqlalchemy import select

from huiyin.sdk import N_, Cell, Invalid, Line, Message, TenantContext, read_table, write_csv
from huiyin_survey_satisfaction import invitations, tokens
from huiyin_survey_satisfaction.errors import AlreadyStarted
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.wording import State

COLUMNS: Final = ("姓名", "邮箱", "产品", "语言")
NEEDED: Final = ("姓名", "邮箱", "产品")
_MAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}\.[^\s@.]{2,24}")
_LANGUAGES: Final[Mapping[str, str]] = {
    "": "zh", "中文": "zh", "zh": "zh", "英文": "en", "english": "en", "en": "en",
}  # fmt: skip
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that cannot be taken, and why."""

    line: Line
    reason: Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """Nothing is written unless every row can be."""

    taken: int
    wrong: tuple[Wrong, ...] = ()


def take(ctx: TenantContext, campaign: Campaign, file: IO[bytes], name: str) -> Outcome:
    """Plan an invitation for each row.  Raises ``Invalid`` for a file that cannot be read."""
    if campaign.state != "draft" or campaign.source != "list":
        raise AlreadyStarted
    spooled: Any = file  # a spooled file is as good as any
    lines = read_table(spooled, name, NEEDED)
    if not lines:
        raise Invalid({"file": N_("文件里没有数据，请按模板填写后再导入")})
    planned = set(
        ctx.session.scalars(select(Invitation.person).where(Invitation.campaign_id == campaign.id))
    )
    made: list[Invitation] = []
    wrong: list[Wrong] = []
    for line in lines:
        fault = _fault(ctx, line, planned)
        if fault is not None:
            wrong.append(Wrong(line, fault))
        else:
            made.append(_made(ctx, campaign, line.cells))
            planned.add(made[-1].person)
    if wrong:
        return Outcome(0, tuple(wrong))
    ctx.session.add_all(made)
    ctx.session.flush()
    ctx.record("list_imported", campaign.id, {"rows": len(made)})
    return Outcome(len(made))


def _fault(ctx: TenantContext, line: Line, planned: set[bytes]) -> Message | None:
    email = line.cells["邮箱"]
    if not line.cells["姓名"]:
        return Message(N_("缺少姓名"))
    if len(line.cells["姓名"]) > _LONGEST_NAME or len(line.cells["产品"]) > _LONGEST_NAME:
        return Message(N_("姓名或产品超过 {n} 字"), {"n": _LONGEST_NAME})
    if not _MAIL.fullmatch(email):
        return Message(N_("邮箱不完整，例如 name@example.com"))
    if line.cells.get("语言", "").lower() not in _LANGUAGES:
        return Message(N_("语言请照模板填写"))
    if tokens.person_seal(ctx.tenant.id, email) in planned:
        return Message(N_("邮箱在名单里重复"))
    return None


def _made(ctx: TenantContext, campaign: Campaign, cells: Mapping[str, str]) -> Invitation:
    return invitations.made(
        ctx, campaign, address=cells["邮箱"], name=cells["姓名"], email=cells["邮箱"],
        segment=cells["产品"], language=_LANGUAGES[cells.get("语言", "").lower()],
        state=State.PLANNED,
    )  # fmt: skip


def template() -> bytes:
    """An empty list with one made-up row."""
    return write_csv(COLUMNS, [["张三", "zhangsan@example.com", "稳进一号", "中文"]])


def error_file(ctx: TenantContext, wrong: Sequence[Wrong]) -> bytes:
    """The wrong rows as they came, with their number and what to mend."""
    rows: list[list[Cell]] = [
        [one.line.number, *(one.line.cells.get(c, "") for c in COLUMNS), ctx.text(one.reason)]
        for one in wrong
    ]
    return write_csv([ctx.text(N_("行号")), *COLUMNS, ctx.text(N_("需修改"))], rows)
