"""What the pages of this plugin do alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

from litestar import Response
from litestar.datastructures import UploadFile

from huiyin.sdk import (
    N_,
    Conflict,
    Desk,
    Form,
    HuiyinError,
    NotFound,
    Refused,
    TenantContext,
    context_of,
    or_again,
    whole,
)
from huiyin_channel_phone import numbers, schedule
from huiyin_channel_phone.promises import words
from huiyin_channel_phone.terms import (
    BACK_TITLES,
    DAYS_TITLES,
    DIRECTION_TITLES,
    DUTY,
    HANDLE,
    IMPORT,
    LOOK,
    OUTSIDE_TITLES,
    PATH,
    ROSTER,
    SORT_TITLES,
    SOURCE_TITLES,
    STATE_TITLES,
    WEEKDAY_TITLES,
)

TABS: Final = (
    ("/", N_("值班"), DUTY),
    ("/calls", N_("通话"), LOOK),
    ("/call-backs", N_("回电"), LOOK),
    ("/roster", N_("排班"), ROSTER),
    ("/imports", N_("导入话单"), IMPORT),
)
Show = Callable[[Form, int], Response[Any]]
Do = Callable[[TenantContext], str]


def home(desk: Desk, path: str = "") -> str:
    """An address below the plugin's staff pages."""
    return f"/t/{desk.tenant.slug}{PATH}{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page of ours; the tabs are those the reader may open."""
    tabs = [
        (home(desk, path), desk._(title)) for path, title, needed in TABS if desk.actor.can(needed)
    ]
    here = desk.request.url.path.rstrip("/")
    around = [
        href for href, _ in tabs
        if here == href.rstrip("/") or (href != tabs[0][0] and here.startswith(f"{href}/"))
    ]  # fmt: skip
    context.setdefault("form", Form())
    return desk.page(
        f"channel_phone/{template}", status=status, plug=home(desk), tabs=tabs,
        current_tab=max(around, key=len, default=tabs[0][0] if tabs else ""),
        may_handle=desk.actor.can(HANDLE), may_arrange=desk.actor.can(ROSTER),
        may_look=desk.actor.can(LOOK), sorts=SORT_TITLES, sources=SOURCE_TITLES,
        states=STATE_TITLES, directions=DIRECTION_TITLES, back_titles=BACK_TITLES,
        days_titles=DAYS_TITLES, outside_titles=OUTSIDE_TITLES, weekday_titles=WEEKDAY_TITLES,
        number=numbers.shown, clock=schedule.clock, promised=words, **context,
    )  # fmt: skip


def attempt(desk: Desk, data: Mapping[str, Any], do: Do, said: str, again: Show) -> Response[Any]:
    """Do it and go on to the address it answers; or the form again as it was typed."""

    def act() -> Response[Any]:
        ctx = context_of(desk)
        path = do(ctx)
        ctx.session.flush()
        return desk.redirect(home(desk, path), said)

    return or_again(desk, data, act, again)


def mend(desk: Desk, data: Mapping[str, Any], error: HuiyinError, again: Show) -> Response[Any]:
    """The form again, with what was typed and what must be mended."""
    desk.session.rollback()
    desk.session.expire_all()
    return again(Form.failed(data, error, desk._), error.status)


def told(desk: Desk, do: Callable[[], None], path: str, said: str) -> Response[Any]:
    """Do it and go back, saying what was done or why not."""
    try:
        do()
    except (Conflict, Refused) as error:
        desk.session.rollback()
        return desk.redirect(home(desk, path), error.message)
    return desk.redirect(home(desk, path), said)


def upload_of(data: Mapping[str, Any], name: str = "file") -> tuple[str, BinaryIO] | None:
    """What was chosen; a browser sends an empty text for a field without a file."""
    given = data.get(name)
    item = given[0] if isinstance(given, list) and given else given
    if isinstance(item, UploadFile) and item.filename:
        return item.filename, item.file  # type: ignore[return-value]
    return None


def without_file(data: Mapping[str, Any], name: str = "file") -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != name}


def rev_of(data: Mapping[str, Any]) -> int:
    return whole(str(data.get("rev", ""))) or 0


def key_of(desk: Desk, name: str) -> uuid.UUID | None:
    """A key in the address, such as where a list goes on; nonsense is a 404."""
    typed = desk.request.query_params.get(name, "")
    if not typed:
        return None
    try:
        return uuid.UUID(typed)
    except ValueError:
        raise NotFound from None
