"""Where a mail's own words end and its history begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final

_DASHED: Final = re.compile(
    r"^[>\s]*[-－—_=*]{2,}\s*(原始邮件|原邮件|原始信件|回复的原邮件|转发的?(?:原?邮件|信息)|邮件原件"
    r"|Original Message|Forwarded message|Forwarded by.*)\s*[-－—_=*]{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDS: Final = re.compile(r"转发|Forwarded", re.IGNORECASE)
_WROTE: Final = (
    re.compile(r"^[>\s]*在.{4,120}(写道|寫道|编写|来信)[:：]?\s*$"),
    re.compile(r"^[>\s]*.{2,100}(于|於).{4,80}(写道|寫道)[:：]\s*$"),
    re.compile(r"^[>\s]*On .{6,200} wrote:\s*$"),
)
_FIELD: Final = re.compile(
    r"^[>\s*]*(发件人|寄件者|寄件人|From|收件人|To|抄送|Cc|发送时间|发送日期|日期|时间|Sent|Date"
    r"|主题|主旨|Subject)\s*\*?\s*[:：]\s*\*?\s*(.*)$",
    re.IGNORECASE,
)
_NAMES: Final = {
    "发件人": "from", "寄件者": "from", "寄件人": "from", "from": "from",
    "主题": "subject", "主旨": "subject", "subject": "subject",
    "发送时间": "date", "发送日期": "date", "日期": "date", "时间": "date", "sent": "date",
    "date": "date", "收件人": "to", "to": "to", "抄送": "cc", "cc": "cc",
}  # fmt: skip
_HEAD: Final = 8  # lines a header block may take
_LINE: Final = 500  # characters; a longer line begins no history, and costs the patterns minutes


@dataclass(frozen=True, slots=True)
class Inner:
    """The header block of a message that stands inside another, and what it says below."""

    name: str
    address: str
    subject: str
    text: str
    passed_on: bool  # the line above says that it was forwarded, not answered


def split(text: str) -> tuple[str, str]:
    """The words of this mail, and the history below them."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if len(line) > _LINE:
            continue
        if _DASHED.match(line) or any(p.match(line) for p in _WROTE) or _block(lines, number):
            return "\n".join(lines[:number]).strip(), "\n".join(lines[number:]).strip()
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    quoted = "\n".join(lines[end:]).strip()
    return ("\n".join(lines[:end]).strip(), quoted) if quoted else (text.strip(), "")


def _field(line: str) -> re.Match[str] | None:
    return _FIELD.match(line) if len(line) <= _LINE else None


def _block(lines: list[str], start: int) -> dict[str, str]:
    """The fields of a header block that begins on this line; nothing if it is none."""
    found: dict[str, str] = {}
    first = _field(lines[start])
    if first is None or _NAMES[first[1].lower()] != "from":
        return found
    for line in lines[start : start + _HEAD]:
        field = _field(line)
        if field:
            found.setdefault(_NAMES[field[1].lower()], field[2].strip(" *;；"))
        elif line.strip(" >"):
            break
    return found if len(found) >= 3 else {}


def inner_of(quoted: str) -> Inner | None:
    """The message inside, if a header block says whose it was."""
    lines = quoted.split("\n")
    for number in range(len(lines)):
        fields = _block(lines, number)
        if not fields:
            continue
        name, address = parseaddr(fields["from"].replace("[mailto:", "<").replace("]", ">"))
        after = number + sum(1 for line in lines[number : number + _HEAD] if _field(line))
        return Inner(
            name.strip("\"' "), address if "@" in address else "", fields.get("subject", ""),
            "\n".join(line.removeprefix("> ") for line in lines[after:]).strip(),
            any(_FORWARDS.search(line) for line in lines[:number]),
        )  # fmt: skip
    return None
