"""The lines of one case's timeline, for whoever looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Integer, Row, bindparam, or_, select

from huiyin.cases.models import Case, Entry
from huiyin.cases.queries import visible
from huiyin.cases.stages import EntryKind
from huiyin.db import Ready, ScopedSession
from huiyin.identity.actor import Actor

ENTRIES: Final = 30

_TABS: Final[Mapping[str, tuple[EntryKind, ...]]] = {
    "talk": (EntryKind.MESSAGE_IN, EntryKind.MESSAGE_OUT, EntryKind.CALL),
    "notes": (EntryKind.NOTE,),
    "moves": (EntryKind.MOVE,),
}
_FROM_THE_LAST: Final = 2**31 - 1


@cache
def _timeline(tab: str) -> Ready:
    kinds = [Entry.kind == kind.value for kind in _TABS.get(tab, ())]
    return Ready(
        select(
            Entry.seq, Entry.at, Entry.kind, Entry.audience, Entry.verb, Entry.author_name,
            Entry.body, Entry.data,
        )
        .where(
            Entry.case_id == bindparam("case"),
            Entry.seq < bindparam("before"),
            *([or_(*kinds)] if kinds else []),
        )
        .order_by(Entry.seq.desc())
        .limit(bindparam("n", type_=Integer))
    )  # fmt: skip


def entries(
    session: ScopedSession,
    actor: Actor,
    case: Case,
    *,
    tab: str = "",
    before: int | None = None,
    n: int = ENTRIES,
) -> Sequence[Row[Any]]:
    """The timeline, newest first, ``n + 1`` at most.

    Other cases are named in it to those only who may know of them.
    """
    shown = _timeline(tab if tab in _TABS else "")
    before = _FROM_THE_LAST if before is None else before
    lines = shown.run(session, case=case.id, before=before, n=n + 1).all()
    _hide_strangers(session, actor, lines)
    return lines


# Where a line names another case by its number.
_NAMING: Final = ("master", "merged", "settled", "unmerged")


def _hide_strangers(session: ScopedSession, actor: Actor, lines: Sequence[Row[Any]]) -> None:
    named = {line.data[name] for line in lines for name in _NAMING if name in line.data}
    if not named:
        return
    known = session.scalars(select(Case.number).where(Case.number.in_(named), visible(actor)))
    strangers = named - set(known)
    for line in lines:
        for name in _NAMING:
            if line.data.get(name) in strangers:
                del line.data[name]
