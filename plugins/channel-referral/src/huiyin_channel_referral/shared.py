"""What the pages of this plugin do alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.datastructures import UploadFile

from huiyin.sdk import (
    INTAKE_TITLES,
    N_,
    SOURCE_TITLES,
    Desk,
    Form,
    HuiyinError,
    NotFound,
    TenantContext,
    colleagues,
    context_of,
    whole,
)
from huiyin_channel_referral.matters import SentBefore, today_of
from huiyin_channel_referral.terms import (
    DOCUMENT_TITLES,
    READ,
    REGISTER,
    RELATION_TITLES,
    REPLY,
    ROAD_TITLES,
    SCOPE_TITLES,
    SENDERS,
    STANDING_TAGS,
    STANDING_TITLES,
    VERIFY,
    WAY_TITLES,
)

# Ten files of 30 MB would be too much for one request; what is larger is brought in parts.
BODY: Final = 96 * 1024 * 1024
TABS: Final = (
    ("/transfers", N_("转办台账"), READ),
    ("/papers", N_("信函与来访"), READ),
    ("/agents", N_("代理与授权"), READ),
)
FILES: Final = frozenset({"files", "scans", "signature", "extension"})
Files = list[tuple[str, BinaryIO]]
Show = Callable[[Form, int], Response[Any]]


def home(desk: Desk, path: str = "") -> str:
    """An address below the plugin's staff pages."""
    return f"/t/{desk.tenant.slug}/w/x/channel-referral{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page of ours, with the words it needs."""
    tabs = [(home(desk, path), desk._(title)) for path, title, need in TABS if desk.actor.can(need)]
    here = desk.request.url.path
    around = [href for href, _ in tabs if here == href or here.startswith(f"{href}/")]
    context.setdefault("form", Form())
    return desk.page(
        f"channel_referral/{template}", status=status, plug=home(desk), tabs=tabs,
        current_tab=max(around, key=len, default=""), may_register=desk.actor.can(REGISTER),
        may_reply=desk.actor.can(REPLY), may_verify=desk.actor.can(VERIFY),
        sources=SOURCE_TITLES, senders=SENDERS, ways=WAY_TITLES, relations=RELATION_TITLES,
        documents=DOCUMENT_TITLES, scopes=SCOPE_TITLES, standings=STANDING_TITLES,
        standing_tags=STANDING_TAGS, roads=ROAD_TITLES, intakes=INTAKE_TITLES,
        today=today_of(context_of(desk)), **context,
    )  # fmt: skip


def attempt(
    desk: Desk, data: Mapping[str, Any], do: Callable[[TenantContext], str], said: str, again: Show
) -> Response[Any]:
    """Do it and go on to the address it answers; or the form again, as it was filled in."""
    ctx = context_of(desk)
    try:
        path = do(ctx)
        ctx.session.flush()
    except NotFound:
        raise
    except HuiyinError as error:
        ctx.session.rollback()
        form = Form.failed(data, error, desk._)
        if isinstance(error, SentBefore):
            form.values.pop("_key", None)  # sent again, it is one of its own
        return again(form, error.status)
    return desk.redirect(home(desk, path), said)


def files_of_form(data: Mapping[str, Any], name: str = "files") -> Files:
    """What was chosen; a browser sends an empty text for a field without a file."""
    given = data.get(name)
    items = given if isinstance(given, list) else [given]
    return [
        (item.filename, item.file)  # type: ignore[misc]
        for item in items
        if isinstance(item, UploadFile) and item.filename
    ]


def without_files(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in FILES}


def rev_of(data: Mapping[str, Any]) -> int:
    return whole(str(data.get("rev", ""))) or 0


def key_in(desk: Desk, name: str = "after") -> uuid.UUID | None:
    """A key in the address, such as where a list goes on; nonsense is a 404."""
    typed = desk.request.query_params.get(name, "")
    if not typed:
        return None
    try:
        return uuid.UUID(typed)
    except ValueError:
        raise NotFound from None


def one_of(desk: Desk, name: str, known: Mapping[str, Any]) -> str:
    """A choice in the address, if it is one."""
    typed = desk.request.query_params.get(name, "")
    return typed if typed in known else ""


def address(**given: str) -> str:
    """The query of a list, without what is not asked for."""
    wanted = {name: value for name, value in given.items() if value}
    return f"?{urlencode(wanted)}" if wanted else "?"


def names_of(ctx: TenantContext) -> dict[str, str]:
    """Members by their id, those who left among them."""
    return {str(person.id): person.name for person in colleagues(ctx.session, former=True)}
