"""What a line of any list of cases shows, and the words it needs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from huiyin.cases import queries
from huiyin.cases.stages import (
    OUTCOME_TITLES,
    SEVERITY_TITLES,
    SOURCE_TITLES,
    STAGE_TITLES,
    stage_number,
)
from huiyin.cases.verbs import VERBS
from huiyin.kit.i18n import Message
from huiyin.kit.time import local_date, now
from huiyin.policies.catalogue import categories
from huiyin.web.desk import Desk

# A row, the group its time left puts it into, the words for that, and all that stands on it.
Line = tuple[Any, str, Message, Hashable]


def lines_of(
    desk: Desk, rows: Sequence[Any], *, picking: bool = False, leads_to: str = ""
) -> list[Line]:
    """Each row with the group its time left puts it into, the words for that, and its key.

    The key is all that is written into the line, so that a line is made once; ``leads_to`` is
    the part of the case it links to.
    """
    moment = now()
    told = (desk.tenant.slug, desk.language, local_date(moment), picking, leads_to)
    lines: list[Line] = []
    for row in rows:
        group, left = queries.time_left(row.next_due_at, moment)
        words = (left.key, *left.params.values())
        lines.append((row, group, left, ("case", *told, tuple(row), group, words)))
    return lines


def titles() -> dict[str, Any]:
    """What the template of a line looks words up in."""
    return {
        "stage_titles": STAGE_TITLES,
        "outcome_titles": OUTCOME_TITLES,
        "verbs": VERBS,
        "severity_titles": SEVERITY_TITLES,
        "source_titles": SOURCE_TITLES,
        "categories": categories(),
        "stage_number": stage_number,
    }
