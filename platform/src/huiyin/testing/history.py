"""Closed complaints as they would stand in the database, without playing them through.

For tests and measurements of what is counted over many cases.  Rows only: no ledger, no letters.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.stages import CaseState, EntryKind, Outcome, Part, Stage
from huiyin.clocks.models import ClockRow
from huiyin.db import ScopedSession
from huiyin.identity.actor import SYSTEM_ID, Actor
from huiyin.kit.ids import uuid7
from huiyin.kit.time import local_date, now

_numbers: Final = itertools.count(1)


def closed_case(
    session: ScopedSession,
    *,
    people: Mapping[Part, Actor | Sequence[Actor]],
    closed_at: datetime | None = None,
    days: int = 20,
    returned: int = 0,
    reopened: int = 0,
    clocks: Sequence[tuple[str, str, bool]] = (("reply", "", True),),
    **columns: Any,
) -> Case:  # long: one row, column by column
    """A complaint that was closed ``days`` 自然日 after it came in, with its people and clocks.

    ``returned`` is how often its plan was sent back, ``reopened`` how often it was opened again;
    a clock is its kind, its stage and whether it was kept.
    """
    ended = closed_at or now() - timedelta(days=1)
    began = ended - timedelta(days=days)
    number = next(_numbers)
    held = {part: _all(who) for part, who in people.items()}
    owner = held.get(Part.OWNER, [None])[0]
    investigator = held.get(Part.INVESTIGATOR, [None])[0]
    case = Case(
        **{
            "id": uuid7(),
            "number": f"TS-{local_date(began).year}-{9000 + number}",
            "code_hash": uuid.uuid4().bytes, "idem_key": f"history-{uuid.uuid4()}",
            "idem_hash": b"", "channel": "web", "received_at": began, "registered_at": began,
            "title": f"赎回款没有按期到账（{number}）", "story": "赎回款没有按期到账",
            "category": "C1", "severity": "S2", "finding": "upheld", "cause": "RC1-2",
            "anonymous": True, "stage": Stage.ARCHIVE.value, "state": CaseState.CLOSED.value,
            "outcome": Outcome.ARCHIVED.value, "accepted_at": began + timedelta(days=1),
            "answered_at": ended - timedelta(days=2), "closed_at": ended, "stage_since": ended,
            "updated_at": ended, "owner_id": owner.id if owner else None,
            "investigator_id": investigator.id if investigator else None,
            "team": [actor.id for actors in held.values() for actor in actors],
            "facts": {"lessons_written": {"at": ended.isoformat(), "by": "", "note": ""}},
            **columns,
        }
    )  # fmt: skip
    session.add(case)
    session.flush()
    _take_parts(session, case, held)
    _tell(session, case, ["return_plan"] * returned + ["reopen"] * reopened)
    for index, (kind, stage, kept) in enumerate(clocks, start=1):
        session.add(_clock(case, f"{kind}:{stage}#{index}", kind, stage, kept=kept))
    session.flush()
    return case


def _all(who: Actor | Sequence[Actor]) -> list[Actor]:
    return [who] if isinstance(who, Actor) else list(who)


def _take_parts(session: ScopedSession, case: Case, held: Mapping[Part, list[Actor]]) -> None:
    for part, actors in held.items():
        for actor in actors:
            session.add(
                Participation(
                    case_id=case.id, account_id=actor.id, name=actor.name, part=part.value,
                    since=case.received_at, by_id=SYSTEM_ID,
                )
            )  # fmt: skip


def _tell(session: ScopedSession, case: Case, verbs: Sequence[str]) -> None:
    for seq, verb in enumerate(verbs, start=1):
        session.add(
            Entry(
                case_id=case.id, seq=seq, at=case.received_at + timedelta(days=seq), verb=verb,
                kind=EntryKind.MOVE.value, author_id=SYSTEM_ID, author_name="系统",
                stage=Stage.PLAN.value,
            )
        )  # fmt: skip


def _clock(case: Case, key: str, kind: str, stage: str, *, kept: bool) -> ClockRow:
    assert case.closed_at is not None
    due = case.closed_at - timedelta(days=1)
    stopped = due - timedelta(hours=1) if kept else due + timedelta(hours=1)
    return ClockRow(
        case_id=case.id, key=key, kind=kind, stage=stage, title="书面答复",
        started_at=case.received_at, due_on=local_date(due), due_at=due, amount=30,
        unit="calendar_day", state="met" if kept else "missed", stopped_at=stopped,
        audience="complainant" if kind == "reply" else "internal",
        origin={"force": "service_promise"}, calendar_version="test",
    )  # fmt: skip
