"""The demonstration: three made-up firms with a year of complaints, played by the real services.

A seeding that was killed goes on where it stopped: each case's timeline tells how far it is.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
from sqlalchemy import ColumnElement, Engine, and_, func, select

from huiyin.app.compose import Installation
from huiyin.app.demo_paths import Sitting, pace_of, path_of
from huiyin.app.demo_scene import STANDING, Cast, Scene
from huiyin.app.demo_times import OPENS, moments
from huiyin.app.demo_welcome import welcome
from huiyin.cases import tasks as reminders
from huiyin.cases.models import Case, Entry
from huiyin.clocks.service import calendar
from huiyin.db import tenant_session
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.time import at_local, clock_at, local_date
from huiyin.letters import tasks as _letters  # noqa: F401 - the letters that write themselves
from huiyin.onboarding import seed, service
from huiyin.onboarding.schemas import Stories, StoryData, read_firms, read_stories
from huiyin.plugins import jobs
from huiyin.queue import service as queue
from huiyin.queue.schedule import start_returning
from huiyin.queue.worker import drain

Say = Callable[[str], None]

PURPOSE: Final = "demo"
REMINDED: Final = 30  # days before the present on which clocks were looked at
SOON: Final = timedelta(minutes=2)  # until the letters that follow from an act are written


class DemoDataMissing(click.ClickException):
    """The firms of the demonstration are files of the repository, not of the package."""

    def __init__(self) -> None:
        super().__init__(
            "the demonstration data was not found: run from a checkout of the repository,"
            " or set HUIYIN_TENANTS to its folder tenants/"
        )


def demo_folder(start: Path | None = None) -> Path:
    """``tenants/demo`` of the checkout, or below ``HUIYIN_TENANTS``; raises ``DemoDataMissing``."""
    given = os.environ.get("HUIYIN_TENANTS")
    here = (start or Path(__file__)).resolve()
    roots = [Path(given)] if given else [above / "tenants" for above in (*here.parents, Path.cwd())]
    for root in roots:
        if (root / "demo" / "tenants.toml").is_file():
            return root / "demo"
    raise DemoDataMissing


def prepare(installation: Installation, say: Say) -> None:
    """Seed what is missing, then tell where everything is and who may log in."""
    folder = demo_folder()
    firms, stories = read_firms(folder), read_stories(folder)
    engine, slugs = installation.engine, [firm.slug for firm in firms.tenants]
    password = demo_password(installation.settings.home)
    base = seed.base_of(engine, slugs)
    ids = seed.load(
        engine, installation.host, firms, stories.stories, password=password, base=base,
    )  # fmt: skip
    play(engine, ids, stories, base, say)
    keep_reminding(engine, ids.values())
    drain(engine)
    demonstrate(installation, ids.values())
    drain(engine)
    welcome(installation, firms, ids, password, say)


def keep_reminding(engine: Engine, tenants: Iterable[uuid.UUID]) -> None:
    """Let the firms' clocks be looked at from now on; what fell due since is told at once."""
    for tenant_id in tenants:
        with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose=PURPOSE) as session:
            start_returning(session)
            session.commit()


def demonstrate(installation: Installation, tenants: Iterable[uuid.UUID]) -> None:
    """Let every plugin that a firm has on fill it, once; a plugin that fails shows as such."""
    for tenant_id in tenants:
        with tenant_session(
            installation.engine, tenant_id, actor_id=SYSTEM_ID, purpose=PURPOSE
        ) as session:
            jobs.demonstrate(installation.host, session)
            session.commit()


def demo_password(home: Path) -> str:
    """The one password of all demonstration accounts, as it was at the first seeding."""
    path = home / "demo-password"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        chosen = os.environ.get("HUIYIN_DEMO_PASSWORD") or secrets.token_urlsafe(12)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(chosen)
    return path.read_text(encoding="utf-8").strip()


# -- playing the stories -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """A sitting that has not taken place yet."""

    at: datetime
    order: int
    story: StoryData
    sitting: Sitting
    last: bool


@dataclass(slots=True)
class Firm:
    """What playing needs to know of one firm; ``numbers`` grows as complaints are filed."""

    id: uuid.UUID
    cast: Cast
    numbers: dict[str, str]
    lines: dict[str, int]  # timeline lines by people, by the key of the story


def play(
    engine: Engine, ids: Mapping[str, uuid.UUID], stories: Stories, base: datetime, say: Say
) -> None:
    """Play every sitting that has not taken place, all firms and stories in the order of time."""
    firms = {slug: _firm(engine, slug, tenant_id) for slug, tenant_id in ids.items()}
    waiting = _waiting(stories.stories, firms, base)
    total = len(stories.stories)
    told = total - len({due.story.key for due in waiting})
    mornings = [at for at in _mornings(base) if waiting and at > waiting[0].at]
    for due in waiting:
        while mornings and mornings[0] < due.at:
            _remind(engine, ids.values(), mornings.pop(0))
        firm = firms[due.story.tenant]
        _sit(engine, firm, due, stories.gate_notes)
        if due.last:
            told += 1
            say(f"{told}/{total} {firm.numbers[due.story.key]} {due.story.title}")


def _mornings(base: datetime) -> list[datetime]:
    """When the clocks were looked at lately; long ago it would only cost time."""
    days = [local_date(base) - timedelta(days=ago) for ago in range(REMINDED, -1, -1)]
    return [at_local(day, OPENS) for day in days if calendar().is_workday(day)]


def _remind(engine: Engine, tenants: Iterable[uuid.UUID], at: datetime) -> None:
    """One look at all clocks, as of then; the key keeps a resumed seeding from looking again."""
    with clock_at(at):
        for tenant_id in tenants:
            with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose=PURPOSE) as session:
                key = f"demo:{reminders.SCAN}:{at.isoformat()}"
                queue.enqueue(session, reminders.SCAN, {}, key=key)
                session.commit()
        drain(engine)


def _firm(engine: Engine, slug: str, tenant_id: uuid.UUID) -> Firm:
    prefix = f"demo:{slug}:"
    by_people: ColumnElement[bool] = and_(
        Entry.author_id != SYSTEM_ID,
        ~Entry.data.has_key("merged"),  # the master's line about it belongs to the other story
    )
    with tenant_session(engine, tenant_id, purpose=PURPOSE) as session:
        people = service.members(session)
        rows = session.execute(
            select(Case.idem_key, Case.number, func.count(Entry.id).filter(by_people))
            .join(Entry, Entry.case_id == Case.id)
            .where(Case.idem_key.startswith(prefix, autoescape=True))
            .group_by(Case.idem_key, Case.number)
        ).all()
    cast = Cast({email.partition("@")[0]: actor for email, actor in people.items()})
    keys = [(key.removeprefix(prefix), number, lines) for key, number, lines in rows]
    return Firm(
        tenant_id, cast, {key: number for key, number, _ in keys},
        {key: lines for key, _, lines in keys},
    )  # fmt: skip


def _waiting(stories: Sequence[StoryData], firms: Mapping[str, Firm], base: datetime) -> list[Due]:
    waiting: list[Due] = []
    for story in stories:
        path = path_of(story)
        times = moments(
            story, [sitting.pause for sitting in path], base,
            pace=pace_of(story), still_open=story.path in STANDING,
        )  # fmt: skip
        left = firms[story.tenant].lines.get(story.key, 0)
        for order, (sitting, at) in enumerate(zip(path, times, strict=True)):
            left -= len(sitting.acts)
            if left < 0:
                waiting.append(Due(at, order, story, sitting, last=order == len(path) - 1))
    return sorted(waiting, key=lambda due: (due.at, due.story.key, due.order))


def _sit(engine: Engine, firm: Firm, due: Due, notes: Mapping[str, str]) -> None:
    """One sitting in one transaction; then, if letters follow from it, write them."""
    with clock_at(due.at), tenant_session(engine, firm.id, purpose=PURPOSE) as session:
        scene = Scene(session, due.story, firm.cast, notes, firm.numbers)
        for act in due.sitting.acts:
            act(scene)
        if due.story.key not in firm.numbers:
            key = f"demo:{due.story.tenant}:{due.story.key}"
            firm.numbers[due.story.key] = session.scalars(
                select(Case.number).where(Case.idem_key == key)
            ).one()
        session.commit()
    if due.sitting.writes:
        with clock_at(due.at + SOON):
            drain(engine)
