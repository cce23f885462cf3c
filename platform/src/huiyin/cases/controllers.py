"""Lists of cases: 待办, 未受理, 全部, views, search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.cases import own_tasks, queries, search
from huiyin.cases.lines import Line, lines_of, titles
from huiyin.cases.queries import Filter
from huiyin.cases.stages import (
    STAGE_TITLES,
    Stage,
)
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_
from huiyin.parties.models import Fund
from huiyin.policies.catalogue import groups
from huiyin.web.desk import Desk
from huiyin.web.routes import page

VIEWS: Final[Mapping[str, tuple[str, Filter]]] = {
    "soon": (N_("3 个工作日内到期"), Filter(due="soon")),
    "transfers": (N_("监管转办"), Filter(source="transfer")),
    "followup": (N_("待回访"), Filter(stage=Stage.FOLLOWUP.value)),
}
_FILTERS: Final = ("scope", "stage", "group", "severity", "fund", "source", "due", "after")


def wanted(desk: Desk, base: Filter | None = None) -> Filter:
    """The filter in the address, on top of a view's own."""
    given = {
        name: value[:80] for name in _FILTERS if (value := desk.request.query_params.get(name))
    }
    return Filter(**{**_plain(base), **given})


def _plain(base: Filter | None) -> dict[str, str]:
    if base is None:
        return {}
    return {name: value for name in _FILTERS if (value := getattr(base, name)) != ""}


def address(shown: Filter, **changes: str) -> str:
    """The same list with something changed, as a query string; paging starts anew."""
    fields = {**_plain(shown), "after": "", **changes}
    return "?" + urlencode(
        {k: v for k, v in fields.items() if v and not (k == "scope" and v == "all")}
    )


class ListController(Controller):
    """Read-only pages; every one can be bookmarked."""

    path = "/t/{tenant:str}/w"

    @page("/", name="case:inbox", permission="case.read")
    def inbox(self, desk: NamedDependency[Desk]) -> Response[Any]:
        shown = wanted(desk)
        rows = queries.inbox(desk.session, desk.actor, shown)
        mine = own_tasks.my_tasks(desk.session, desk.actor)
        return _listing(desk, rows, shown, title=N_("待办"), grouped=True, mine=mine)

    @page("/unaccepted", name="case:unaccepted", permission="case.accept")
    def unaccepted(self, desk: NamedDependency[Desk]) -> Response[Any]:
        shown = wanted(desk, Filter(stage=Stage.INTAKE.value))
        rows = queries.inbox(desk.session, desk.actor, shown, only_open=True)
        return _listing(desk, rows, shown, title=N_("未受理"), grouped=True)

    @page("/views/{view:str}", name="case:view", permission="case.read")
    def view(self, desk: NamedDependency[Desk], view: FromPath[str]) -> Response[Any]:
        if view not in VIEWS:
            raise NotFound
        title, base = VIEWS[view]
        shown = wanted(desk, base)
        rows = queries.inbox(desk.session, desk.actor, shown)
        return _listing(desk, rows, shown, title=title, grouped=True)

    @page("/cases", name="case:list", permission="case.read")
    def all(self, desk: NamedDependency[Desk]) -> Response[Any]:
        shown = wanted(desk)
        rows = queries.cases(desk.session, desk.actor, shown)
        return _listing(desk, rows, shown, title=N_("全部案件"), key="received_at")

    @page("/archive", name="archive:list", permission="archive.read")
    def archive(self, desk: NamedDependency[Desk]) -> Response[Any]:
        shown = wanted(desk)
        rows = queries.archive(desk.session, desk.actor, shown)
        return _listing(desk, rows, shown, title=N_("投诉档案"), key="closed_at")

    @page("/search", name="case:search", permission="case.search")
    def search(self, desk: NamedDependency[Desk]) -> Response[Any]:
        words = desk.request.query_params.get("q", "")[:100].strip()
        key = queries.parse_key(desk.request.query_params.get("after", ""))
        found = search.search(desk.session, desk.actor, words, n=queries.PAGE + 1, before=key)
        more = found[queries.PAGE - 1] if len(found) > queries.PAGE else None
        rows = queries.rows_of(desk.session, desk.actor, [f.id for f in found[: queries.PAGE]])
        after = queries.key_of(more.received_at, more.id) if more else ""
        return desk.page(
            "cases/search.html",
            block="list",
            words=words,
            rows=lines_of(desk, rows),
            more=f"?{urlencode({'q': words, 'after': after})}" if after else "",
            **titles(),
        )


def _parts(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    return [(name, [line for line in lines if line[1] == group]) for group, name in queries.GROUPS]


def _listing(
    desk: Desk,
    rows: Sequence[Any],
    shown: Filter,
    *,
    title: str,
    grouped: bool = False,
    key: str = "next_due_at",
    mine: own_tasks.MyTasks | None = None,
) -> Response[Any]:
    page_rows = rows[: queries.PAGE]
    after = ""
    if len(rows) > queries.PAGE:
        last = page_rows[-1]
        after = queries.key_of(getattr(last, key), last.id)
    picking = grouped and desk.actor.can("case.assign")
    lines = lines_of(desk, page_rows, picking=picking)
    parts = _parts(lines) if grouped else [("", lines)]
    return desk.page(
        "cases/list.html",
        block="list",
        title=title,
        shown=shown,
        address=address,
        parts=[part for part in parts if part[1]],
        total=len(page_rows),
        key=key,
        more=address(shown, after=after) if after else "",
        stages=STAGE_TITLES,
        groups=groups(),
        grouped=grouped,
        picking=picking,
        mine=mine,
        late=sum(1 for line in lines if line[1] == "late"),
        today=sum(1 for line in lines if line[1] == "today"),
        **titles(),
    )


def funds(desk: Desk) -> list[tuple[str, str]]:
    """The firm's products, for a select."""
    rows = desk.session.execute(
        select(Fund.id, Fund.name)
        .where(Fund.liquidated_on.is_(None))
        .order_by(Fund.name)
        .limit(300)
    )
    return [(str(row.id), row.name) for row in rows]
