"""What every page of this plugin does alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, cast

from litestar import Response
from litestar.datastructures import UploadFile

from huiyin.sdk import Desk, Form, Invalid, Message, TenantContext, context_of, or_again
from huiyin_checklist_regulatory import permissions, terms
from huiyin_checklist_regulatory.views import pick

Show = Callable[[Form, int], Response[Any]]


def home(desk: Desk, path: str = "") -> str:
    """An address below this plugin's staff pages."""
    return f"/t/{desk.tenant.slug}/w/x/checklist-regulatory{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page of this plugin, with the words and rights its templates know."""
    language = desk.language

    def say(zh: str, en: str) -> str:
        return pick(zh, en, language)

    return desk.page(
        f"checklist_regulatory/{template}", status=status, here=home(desk), terms=terms,
        may=permissions, pick=say, **context,
    )  # fmt: skip


def asked(desk: Desk, name: str) -> str:
    """What the address asks for, cut to size."""
    return str(desk.request.query_params.get(name, ""))[:100]


def attempt(
    desk: Desk, data: Mapping[str, Any], act: Callable[[TenantContext], Response[Any]], again: Show
) -> Response[Any]:
    """Do it, or show the form again with what must be mended and all that was typed."""
    return or_again(desk, data, lambda: act(context_of(desk)), again)


def uploads(data: Mapping[str, Any], field: str = "files") -> list[tuple[str, BinaryIO]]:
    """The files of a form; an input left empty sends one nameless part, which is none."""
    given = data.get(field)
    parts = given if isinstance(given, list) else [given]
    return [
        (part.filename, cast("BinaryIO", part.file))
        for part in parts
        if isinstance(part, UploadFile) and part.filename
    ]


def one_upload(data: Mapping[str, Any], text: str, field: str = "files") -> tuple[str, BinaryIO]:
    """The one file of a form.  Raises ``Invalid`` with ``text`` when none was chosen."""
    found = uploads(data, field)
    if not found:
        raise Invalid({field: Message(text)})
    return found[0]


def fields_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, without the files."""
    return {k: v for k, v in data.items() if k != "files"}
