"""待我审批: what waits for a judgement, each kind in a list that goes on by a key of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.cases import queries
from huiyin.cases.lines import Line, lines_of, titles
from huiyin.cases.queries import Filter
from huiyin.cases.stages import Stage
from huiyin.cases.verbs import EXTENSION_ASKED, RETYPE_ASKED
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.routes import page

Rows = Callable[[str], Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One list of what waits; each goes on by a key of its own, ``name`` in the address."""

    name: str
    title: str
    path: str  # the part of the case a line leads to
    lines: Sequence[Line]
    more: str


# What waits, by the key of its list in the address.
TITLES: Final = {
    "after": N_("处理方案"),
    "answers": N_("待签发答复"),
    "kinds": N_("待批改类与降级"),
    "time": N_("待批延期"),
    "ends": N_("待确认结束"),
    "archive": N_("待确认归档"),
}
_PATHS: Final = {
    "after": "/approve", "answers": "/letters/answer", "kinds": "/retype/decide", "time": "/extend",
}  # fmt: skip


def waiting_for(session: ScopedSession, actor: Actor) -> Mapping[str, Rows]:
    """Each list of ``TITLES``: its rows after a key, one more than a page."""

    def listed(stage: Stage) -> Rows:
        return lambda after: queries.inbox(
            session, actor, Filter(stage=stage.value, after=after), only_open=True
        )

    def asked(fact: str) -> Rows:
        return lambda after: queries.asked_for(session, actor, fact, after)

    return {
        "after": listed(Stage.APPROVAL),
        "answers": lambda after: queries.unsigned(session, actor, after),
        "kinds": asked(RETYPE_ASKED),
        "time": asked(EXTENSION_ASKED),
        "ends": lambda after: queries.inbox(session, actor, Filter(after=after), ending=True),
        "archive": listed(Stage.ARCHIVE),
    }


class ApprovalController(Controller):
    """The nearest first in each list."""

    path = "/t/{tenant:str}/w/approvals"

    @page("/", name="approval:list", permission="case.approve")
    def list(self, desk: NamedDependency[Desk]) -> Response[Any]:
        lists = waiting_for(desk.session, desk.actor)
        plans, *others = (
            _waiting(desk, name, TITLES[name], rows, _PATHS.get(name, ""))
            for name, rows in lists.items()
        )
        return desk.page(
            "remedies/approvals.html",
            plans=plans,
            others=[part for part in others if part.lines],
            **titles(),
        )


def _waiting(desk: Desk, name: str, title: str, rows_after: Rows, path: str = "") -> Waiting:
    rows = rows_after(desk.request.query_params.get(name, "")[:80])
    shown, more = rows[: queries.PAGE], ""
    if len(rows) > queries.PAGE:
        last = shown[-1]
        key = urlencode({name: queries.key_of(last.next_due_at, last.id)})
        more = f"?{key}#{name}"
    lines = lines_of(desk, shown, leads_to=path)
    return Waiting(name=name, title=title, path=path, lines=lines, more=more)
