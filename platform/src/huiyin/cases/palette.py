"""The command palette: what can be done here, pages, cases and time limits, by a few letters.

Without scripts it is a page of its own; with them it opens over the page one is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.cases import queries, search
from huiyin.cases.stages import OUTCOME_TITLES
from huiyin.clocks.service import policy
from huiyin.kit.i18n import N_
from huiyin.kit.time import now
from huiyin.web.desk import Desk
from huiyin.web.navigation import visible
from huiyin.web.routes import page

CASES: Final = 8
_HERE: Final = re.compile(r"/t/[a-z0-9-]+/w/cases/([A-Z]{1,6}-[0-9]{4}-[0-9]{4,9})(/.*)?")

# What can be done to the case at hand: where, icon, words, permission, key.
ON_CASE: Final = (
    ("/assign", "person", N_("转交"), "case.assign", "A"),
    ("/edit", "edit", N_("编辑要素"), "case.classify", "E"),
    ("/evidence", "clip", N_("上传证据"), "case.note", "U"),
    ("/tasks/new", "todo", N_("新建任务"), "case.handle", "T"),
    ("/clocks", "clock", N_("时限与依据"), "case.read", ""),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One line: where it leads, what stands on it, and a key that does the same."""

    href: str
    icon: str
    label: str
    lead: str = ""
    key: str = ""
    left: Any = None  # a case's group and the words for its time left
    ended: str = ""


class PaletteController(Controller):
    path = "/t/{tenant:str}/w/go"

    @page("/", name="case:palette", permission="home")
    def palette(self, desk: NamedDependency[Desk]) -> Response[Any]:
        words = desk.request.query_params.get("q", "")[:60].strip()
        at = desk.request.query_params.get("at", "")[:200]
        here = _HERE.fullmatch(at)
        number = here[1] if here else ""
        parts = [
            (desk._(N_("对案件 {number}"), number=number), list(_on_case(desk, number, words))),
            (desk._(N_("案件列表")), list(_cases(desk, words))),
            (desk._(N_("页面")), list(_pages(desk, words))),
            (desk._(N_("制度与时限")), list(_limits(desk, words))),
        ]
        return desk.page(
            "cases/palette.html", block="palette", words=words, at=at,
            parts=[part for part in parts if part[1]],
        )  # fmt: skip


def _fits(words: str, *texts: str) -> bool:
    return not words or any(words.lower() in text.lower() for text in texts)


def _on_case(desk: Desk, number: str, words: str) -> Iterator[Choice]:
    for path, icon, label, permission, key in ON_CASE if number else ():
        if desk.actor.can(permission) and _fits(words, desk._(label), label):
            href = f"/t/{desk.tenant.slug}/w/cases/{number}{path}"
            yield Choice(href, icon, desk._(label), key=key)


def _cases(desk: Desk, words: str) -> Iterator[Choice]:
    """Matches, or what is due first when nothing was typed."""
    if not desk.actor.can("case.search"):
        return
    if words:
        hits = search.search(desk.session, desk.actor, words, n=CASES)
        rows = queries.rows_of(desk.session, desk.actor, [hit.id for hit in hits])
    else:
        rows = queries.inbox(desk.session, desk.actor, queries.Filter(scope="mine"), n=CASES)
    moment = now()
    for row in rows[:CASES]:
        open_ = row.next_due_at is not None
        yield Choice(
            f"/t/{desk.tenant.slug}/w/cases/{row.number}",
            "doc" if open_ else "archive",
            row.title,
            lead=row.number,
            left=queries.time_left(row.next_due_at, moment) if open_ else None,
            ended="" if open_ or not row.outcome else desk._(OUTCOME_TITLES[row.outcome]),
        )


def _pages(desk: Desk, words: str) -> Iterator[Choice]:
    for item in visible(desk):
        if _fits(words, desk._(item.label), item.label):
            yield Choice(f"/t/{desk.tenant.slug}{item.path}", item.icon, desk._(item.label))


def _limits(desk: Desk, words: str) -> Iterator[Choice]:
    """Time limits by name; only when asked for, because there are many."""
    if not words or not desk.actor.can("settings.read"):
        return
    told: Sequence[str] = list(dict.fromkeys(rule.title for rule in policy().rules))
    for title in told:
        if _fits(words, desk._(title), title):
            yield Choice(f"/t/{desk.tenant.slug}/w/library", "book", desk._(title))
