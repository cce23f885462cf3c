"""What the pages of this plugin do alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Final

import segno
from litestar import Response
from litestar.datastructures import UploadFile
from markupsafe import Markup

from huiyin.sdk import (
    N_,
    Colleague,
    Conflict,
    Desk,
    Form,
    NotFound,
    Refused,
    Role,
    TenantContext,
    colleagues,
    context_of,
    or_again,
    whole,
)
from huiyin_training_records.terms import (
    COVERAGE,
    MANAGE,
    MATERIAL_TITLES,
    ORIGIN_TITLES,
    QUESTION_TITLES,
    READ,
    ROLE_TITLES,
    STANDING_TAGS,
    STANDING_TITLES,
)

BODY: Final = 64 * 1024 * 1024
TABS: Final = (
    ("/manage", N_("岗位覆盖"), COVERAGE),
    ("/manage/records", N_("培训记录"), READ),
    ("/manage/courses", N_("课程"), READ),
    ("/manage/sessions", N_("现场培训"), READ),
    ("/manage/experts", N_("外部专家"), READ),
    ("/manage/imports", N_("导入"), MANAGE),
)
_QUIET: Final = 4
_FRAME: Final = Markup(
    '<svg class="qr" viewBox="0 0 {0} {0}" aria-hidden="true" focusable="false">'
    '<rect class="qr-paper" width="{0}" height="{0}"/><path class="qr-ink" d="{1}"/></svg>'
)


def home(desk: Desk, path: str = "") -> str:
    """An address below the plugin's staff pages."""
    return f"/t/{desk.tenant.slug}/w/x/training-records{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page of ours; the tabs are those the reader may open."""
    tabs = [
        (home(desk, path), desk._(title)) for path, title, needed in TABS if desk.actor.can(needed)
    ]
    here = desk.request.url.path
    around = [href for href, _ in tabs if here == href or here.startswith(f"{href}/")]
    context.setdefault("form", Form())
    return desk.page(
        f"training_records/{template}", status=status, plug=home(desk), tabs=tabs,
        current_tab=max(around, key=len, default=""), may_manage=desk.actor.can(MANAGE),
        may_read=desk.actor.can(READ), standings=STANDING_TITLES, standing_tags=STANDING_TAGS,
        origins=ORIGIN_TITLES, kinds_of_material=MATERIAL_TITLES,
        kinds_of_question=QUESTION_TITLES, **context,
    )  # fmt: skip


Show = Callable[[Form, int], Response[Any]]
Do = Callable[[TenantContext], str]


def attempt(desk: Desk, data: Mapping[str, Any], do: Do, said: str, again: Show) -> Response[Any]:
    """Do it and go on to the address it answers; or the form again, as it was typed."""

    def act() -> Response[Any]:
        ctx = context_of(desk)
        path = do(ctx)
        ctx.session.flush()
        return desk.redirect(home(desk, path), said)

    return or_again(desk, data, act, again)


def told(desk: Desk, do: Callable[[], None], path: str, said: str) -> Response[Any]:
    """For a button, which carries no words: do it and go back, saying what was done or why not."""
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
    if isinstance(item, UploadFile):
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


def people_of(ctx: TenantContext) -> Sequence[Colleague]:
    return colleagues(ctx.session)


def options_of(desk: Desk, people: Sequence[Colleague]) -> list[tuple[str, str, str]]:
    """People to tick, with their posts beneath."""
    return [(str(p.id), p.name, posts_of(desk, p.roles)) for p in people]


def posts_of(desk: Desk, roles: frozenset[Role]) -> str:
    return " · ".join(desk._(title) for role, title in ROLE_TITLES.items() if role in roles)


def address_of(desk: Desk, path: str) -> str:
    """A whole address, for QR codes."""
    site = desk.site.settings.public_url or str(desk.request.base_url)
    return f"{site.rstrip('/')}{path}"


def qr(address: str) -> Markup:
    """The address as a QR code: one path, drawn with classes and no inline style."""
    matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    size = len(matrix) + 2 * _QUIET
    drawn = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, dark in enumerate(row)
        if dark
    )
    return _FRAME.format(size, drawn)
