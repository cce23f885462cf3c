"""What the API answers about what can be done to a case, and about what waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from huiyin.cases import closing, extensions, retyping, workbench
from huiyin.cases.models import Case
from huiyin.cases.opened import Opened
from huiyin.cases.service import ELSEWHERE
from huiyin.cases.verbs import VERBS
from huiyin.kit.i18n import Translator
from huiyin.web.desk import Desk
from huiyin.web.programs import Answer, Moment


class MoveOffered(Answer, frozen=True, kw_only=True):
    """A move that the case and the token allow here; what is ``missing`` or ``barred`` stops it."""

    verb: str
    title: str
    missing: list[str]
    barred: str


class Asked(Answer, frozen=True, kw_only=True):
    """What waits for somebody else's answer.

    ``what`` is decline, transfer, merge or withdraw (an ending), intake_type, severity or
    extension; ``to`` the number of the master, the kind or the level asked for; ``days`` how much
    more time, in the unit that the extension tells.
    """

    what: str
    title: str
    by: str
    at: Moment
    reason: str
    to: str
    days: int | None


class MergedCase(Answer, frozen=True, kw_only=True):
    """A case handled under this one; ``answered_at`` tells when its complainant was answered."""

    number: str
    title: str
    answered_at: Moment | None
    next_due_at: Moment | None


def moves(desk: Desk, opened: Opened) -> list[MoveOffered]:
    actor, case, _ = desk.actor, opened.case, desk._
    held = [p for p in opened.parts if p.account_id == actor.id and workbench.counts(p)]
    return [
        MoveOffered(
            verb=move.verb.name,
            title=_(move.verb.title),
            missing=[_(title) for title in move.missing],
            barred=_(workbench.why_barred(case, move.verb, held) or ""),
        )
        for move in workbench.offered(actor, case, held)
        if move.verb.name not in ELSEWHERE
    ]


def asked(desk: Desk, case: Case) -> list[Asked]:
    found = [_ending_asked(desk, case), _waiting(retyping.asked(case), "", desk._)]
    return [one for one in (*found, extension_asked(case, desk._)) if one]


def extension_asked(case: Case, _: Translator) -> Asked | None:
    return _waiting(extensions.asked(case), "extension", _)


def _ending_asked(desk: Desk, case: Case) -> Asked | None:
    return _waiting(closing.asked_of(desk.session, desk.actor, case), "", desk._)


def merged(opened: Opened) -> list[MergedCase]:
    return [MergedCase(**msgspec.structs.asdict(line)) for line in opened.merged]


# The verb that asked, where it is not that of an ending.
_ASKING: Final = {
    "intake_type": "ask_retype",
    "severity": "ask_lowering",
    "extension": "extend",
}


def _waiting(request: Mapping[str, Any] | None, what: str, _: Translator) -> Asked | None:
    if request is None:
        return None
    what = what or str(request.get("verb") or request.get("what", retyping.KIND))
    return Asked(
        what=what,
        title=_(VERBS[_ASKING.get(what) or f"propose_{what}"].title),
        by=request["by"],
        at=datetime.fromisoformat(request["at"]),
        reason=request["note"],
        to=str(request.get("master") or request.get("to") or ""),
        days=request.get("days"),
    )
