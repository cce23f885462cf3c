"""Jinja with our filters.  Everything is escaped; nothing undefined passes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from huiyin.kit.text import mask_email, mask_name, mask_phone
from huiyin.kit.time import local, today
from huiyin.web.bricks import Kept, bricks
from huiyin.web.engine import PageEnvironment

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_BLANK = "--"


def environment(
    templates: Sequence[Path], static: Sequence[Path], *, reload: bool = False
) -> Environment:
    """The one template engine; earlier folders win, so that nobody shadows the core."""
    env = PageEnvironment(
        loader=FileSystemLoader([str(folder) for folder in templates]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=reload,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=800,
    )
    versions: dict[str, str] = {}

    def static_url(path: str) -> str:
        if path not in versions or reload:
            versions[path] = _fingerprint(static, path)
        return f"/static/{path}?v={versions[path]}"

    env.globals["static"] = static_url
    env.globals["bricks"] = bricks(static_url)
    env.globals["kept"] = Kept()
    env.filters.update(
        date=_date,
        longdate=_long_date,
        moment=_moment,
        money=_money,
        nl2p=_paragraphs,
        maskname=mask_name,
        maskphone=mask_phone,
        maskemail=mask_email,
    )
    return env


def _fingerprint(folders: Sequence[Path], path: str) -> str:
    for folder in folders:
        file = folder / path
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
    return "0"


def _day(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


@pass_context
def _date(_: Context, value: date | datetime | None) -> str:
    """03-18, with the year when it is another one."""
    return _BLANK if value is None else _short(_day(value), today())


def _short(day: date, this: date) -> str:
    return f"{'' if day.year == this.year else f'{day.year:04}-'}{day.month:02}-{day.day:02}"


@pass_context
def _long_date(context: Context, value: date | datetime | None) -> str:
    """3 月 18 日（周三） / 18 Mar 2026 (Wed)."""
    if value is None:
        return _BLANK
    day = _day(value)
    if context["lang"] == "en":
        return f"{day.day} {day:%b %Y (%a)}"
    year = "" if day.year == today().year else f"{day.year} 年 "
    return f"{year}{day.month} 月 {day.day} 日（{WEEKDAYS[day.weekday()]}）"


@pass_context
def _moment(context: Context, value: datetime | None) -> str:
    """今天 09:00, 03-13 16:40."""
    if value is None:
        return _BLANK
    there, this = local(value), today()
    clock = f"{there.hour:02}:{there.minute:02}"
    if there.date() == this:
        return str(context["_"]("今天 {time}", time=clock))
    return f"{_short(there, this)} {clock}"


def _money(value: Decimal | float | None) -> str:
    """¥1,200,000.00 with a true minus; -- for none."""
    if value is None:
        return _BLANK
    sign = "−" if value < 0 else ""
    return f"{sign}¥{abs(value):,.2f}"


def _paragraphs(text: str | None) -> Markup:
    """Plain text as paragraphs; what the writer typed is never markup."""
    blocks = str(escape(text or "")).split("\n\n")
    lines = (block.strip().replace("\n", "<br>") for block in blocks if block.strip())
    return Markup("".join(f"<p>{line}</p>" for line in lines))  # noqa: S704 - escaped above
