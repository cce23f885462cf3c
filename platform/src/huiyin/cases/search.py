"""Finding cases by any two characters of Chinese, by words and numbers of anything else.

Texts are cut into overlapping pairs of characters; the pairs are indexed and a match is
rechecked on the text itself, so that names are found which no dictionary knows.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, func, text
from sqlalchemy.dialects.postgresql import Insert, insert

from huiyin.cases.models import CaseText
from huiyin.db import OWN_TENANT, Ready, ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.policy import sees_all

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUNS: Final = re.compile(rf"[{_HAN}]+|[a-z0-9][a-z0-9._%-]*")
_LONGEST: Final = 40  # characters of one word
_MOST: Final = 4000  # tokens of one text


def normal(value: str) -> str:
    """One form for what looks alike: width, case, blanks."""
    return " ".join(unicodedata.normalize("NFKC", value).lower().split())


def tokens(value: str) -> list[str]:
    """The distinct pairs and words of a text; single characters of Han stand alone."""
    found: dict[str, None] = {}
    for run in _RUNS.findall(normal(value)):
        if run[0].isascii():
            word = run[:_LONGEST].rstrip(".-%_")
            for length in range(2, len(word) + 1):  # prefixes, so that TS-20 finds TS-2026
                found[word[:length]] = None
            if len(word) == 1:
                found[word] = None
        else:
            found.update(dict.fromkeys(run[i : i + 2] for i in range(max(len(run) - 1, 1))))
            found.update(dict.fromkeys(run))
        if len(found) > _MOST:
            break
    return list(found)[:_MOST]


def query_tokens(value: str) -> list[str]:
    """The tokens a text must have to match."""
    wanted: dict[str, None] = {}
    for run in _RUNS.findall(normal(value)):
        if run[0].isascii():
            wanted[run[:_LONGEST].rstrip(".-%_")] = None
        elif len(run) == 1:
            wanted[run] = None
        else:
            wanted.update(dict.fromkeys(run[i : i + 2] for i in range(len(run) - 1)))
    return [token for token in wanted if token]


@dataclass(frozen=True, slots=True)
class Found:
    id: uuid.UUID
    received_at: datetime


def _indexed() -> Insert:
    row = insert(CaseText).values(
        tenant_id=OWN_TENANT,
        id=bindparam("id"),
        words=bindparam("words"),
        bigrams=func.array_to_tsvector(bindparam("pairs", type_=ARRAY(Text))),
        received_at=bindparam("received_at"),
    )
    return row.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={"words": row.excluded.words, "bigrams": row.excluded.bigrams},
    )


_INDEXED: Final = Ready(_indexed())


def index(
    session: ScopedSession, case_id: uuid.UUID, received_at: datetime, parts: Iterable[str]
) -> None:
    """Write, or write anew, what a case can be found by."""
    words = normal(" \n ".join(part for part in parts if part))
    _INDEXED.run(session, id=case_id, words=words, pairs=tokens(words), received_at=received_at)


_SEARCH: Final = Ready(
    text(  # wall: the audited function applies the tenant of the transaction itself
        "SELECT id, received_at FROM case_search(CAST(:query AS tsquery), :likes, :sees_all,"
        " :before_at, :before_id, :n)"
    )
)


def search(
    session: ScopedSession,
    actor: Actor,
    words: str,
    *,
    n: int,
    before: tuple[datetime, uuid.UUID] | None = None,
) -> Sequence[Found]:
    """Newest first, ``n`` at most, of those the person may know of.  Empty words find nothing."""
    wanted = query_tokens(words)
    if not wanted:
        return []
    likes = [f"%{_escaped(part)}%" for part in normal(words).split()]
    rows = _SEARCH.run(
        session,
        query=" & ".join(f"'{token}'" for token in wanted),
        likes=likes,
        sees_all=sees_all(actor.roles),
        before_at=before[0] if before else None,
        before_id=before[1] if before else None,
        n=n,
    ).all()
    return [Found(row.id, row.received_at) for row in rows]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
