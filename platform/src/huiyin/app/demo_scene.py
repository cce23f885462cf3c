"""One demonstration story on the stage: who plays whom, and how the services are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from huiyin.app.demo_times import dice, spoken
from huiyin.cases import filing, service, tracking
from huiyin.cases.change import find
from huiyin.cases.filing import Filing
from huiyin.cases.models import Case
from huiyin.cases.schemas import FactsForm
from huiyin.cases.stages import Complexity, Severity, Source
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, complainant_actor
from huiyin.kit.time import local_date, now
from huiyin.onboarding.schemas import StoryData
from huiyin.parties.models import Fund, Investor

SERIOUS: Final = frozenset({Severity.S3, Severity.S4})
LETTER_DAYS: Final = timedelta(days=15)  # what the made-up letters of transfer ask for
LONG_STANDING: Final = 15  # days; an open story older than this is a complex one


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one firm, by the part before the @ of their address."""

    people: Mapping[str, Actor]

    def pick(self, role: str, position: int) -> Actor:
        """The first or, for every other story, the second of a role."""
        return self.people[role if position % 2 == 0 else f"{role}2"]


@dataclass(slots=True)
class Scene:
    """A story being played in one transaction; acts are functions of it."""

    session: ScopedSession
    story: StoryData
    cast: Cast
    notes: Mapping[str, str]
    numbers: Mapping[str, str]  # of the cases already filed, by the key of their story

    @property
    def number(self) -> str:
        return self.numbers[self.story.key]

    @property
    def position(self) -> int:
        return int(self.story.key[1:])

    @property
    def officer(self) -> Actor:
        """Two stories in three are the first officer's, so that one desk is well filled."""
        return self.cast.pick("officer", 1 if self.position % 3 == 0 else 0)

    @property
    def investigator(self) -> Actor:
        return self.cast.pick("investigator", self.position)

    @property
    def second_investigator(self) -> Actor:
        return self.cast.pick("investigator", self.position + 1)

    @property
    def approver(self) -> Actor:
        return self.cast.pick("approver", self.position)

    @property
    def second_approver(self) -> Actor:
        return self.cast.pick("approver", self.position + 1)

    @property
    def supervisor(self) -> Actor:
        return self.cast.people["supervisor"]

    @property
    def complainant(self) -> Actor:
        return complainant_actor(self.session.tenant)

    @property
    def is_english(self) -> bool:
        return self.story.language == "en"

    def case(self) -> Case:
        return find(self.session, self.officer, self.number)

    def rev(self) -> int:
        return self.case().version

    def fund(self) -> Fund | None:
        code = self.story.fund
        return self.session.scalar(select(Fund).where(Fund.filing_code == code)) if code else None


def complexity(story: StoryData, *, still_open: bool) -> Complexity:
    late = still_open and story.days_ago > LONG_STANDING
    return Complexity.COMPLEX if late or story.severity in SERIOUS else Complexity.SIMPLE


# -- acts that several paths share; each leaves exactly one line in the timeline ------------------


def file(scene: Scene) -> None:
    """The complainant files on the web; whatever comes by another road an officer writes down."""
    story, fund = scene.story, scene.fund()
    by_web = story.channel == "web"
    known = None if by_web else _in_register(scene)
    due = None if story.source is Source.DIRECT else local_date(now()) + LETTER_DAYS
    filing.file_complaint(
        scene.session,
        scene.complainant if by_web else scene.officer,
        Filing(
            channel=story.channel, idem_key=f"demo:{story.tenant}:{story.key}",
            story=story.story, wish=story.wish, title=story.title, name=story.name,
            phone=story.phone, email=story.email, fund=fund.name if fund else "",
            fund_id=fund.id if fund else None, source=story.source,
            amount=Decimal(story.amount) if story.amount else None,
            transfer_number=story.transfer_number, transfer_due=due, language=story.language,
            complainant_id=known.id if known else None,
        ),
    )  # fmt: skip


def _in_register(scene: Scene) -> Investor | None:
    return scene.session.scalar(
        select(Investor).where(Investor.known, Investor.name == scene.story.name).limit(1)
    )


def sort(scene: Scene, *, decided: bool = False) -> None:
    """Category and severity; later, when it is ``decided``, finding and cause too."""
    story, case = scene.story, scene.case()
    level = Complexity(case.complexity)
    if not decided:
        level = complexity(story, still_open=story.path in STANDING)
    service.edit(
        scene.session, scene.officer, scene.number,
        FactsForm(
            title=case.title, category=story.category, severity=story.severity,
            complexity=level, fund_id=case.fund_id, amount=case.amount,
            wish=case.wish, finding=story.finding if decided else None,
            cause=story.cause if decided else None,
            # Whoever edits sees the complainant's details in the form and sends them back.
            name=story.name,
            phone=story.phone or None,
            email=story.email or None,
        ),
        rev=case.version,
    )  # fmt: skip


def attest(scene: Scene, actor: Actor, gate: str, words: str = "") -> None:
    """Meet a gate with the story's own words, or with those that serve every story."""
    service.attest(scene.session, actor, scene.number, gate, words or scene.notes[gate])


def move(scene: Scene, actor: Actor, verb: str, reason: str = "") -> None:
    service.move(scene.session, actor, scene.number, verb, rev=scene.rev(), reason=reason)


def withdraw(scene: Scene) -> None:
    """By code when it was filed on the web, else the officer proposes to write it down."""
    if scene.story.channel == "web":
        tracking.withdraw(scene.session, scene.complainant, scene.case(), scene.story.reason)
    else:
        move(scene, scene.officer, "propose_withdraw", scene.story.reason)


def contact(scene: Scene) -> None:
    """The first talk: by telephone where there is a number, in the portal where there is none."""
    if scene.story.phone:
        told = f"{spoken(now())} 致电投诉人，{scene.story.statement}"
        service.talk(scene.session, scene.officer, scene.number, "call", told)
        return
    words = (
        f"Thank you for your complaint. I am {scene.officer.name} and am in charge of it. "
        "You can add papers here at any time, and we will tell you here how it goes on."
        if scene.is_english
        else f"您好，您的投诉由{scene.officer.name}负责。如有合同、凭证等材料，可以在这里补充，"
        "办理进展也会在这里告知您。"
    )
    service.talk(scene.session, scene.officer, scene.number, "message", words)


def progress(scene: Scene) -> None:
    """Word to the complainant while the matter is looked into."""
    words = (
        "We have collected the documents and are checking them against the records of the "
        "custodian. You will have our written answer by the date shown above."
        if scene.is_english
        else "您的投诉正在核查，相关资料已经调取，正与托管人和登记机构的数据核对。"
        "书面答复的最晚日期见上方，如有变动会提前告知您。"
    )
    service.talk(scene.session, scene.officer, scene.number, "message", words)


# Paths that end in the middle of the work.
STANDING: Final = frozenset(
    {
        "intake", "preliminary", "investigation", "plan", "approval", "implementation",
        "response", "followup", "archive", "review",
    }
)  # fmt: skip


def lucky(scene: Scene, sides: int) -> bool:
    """True for one story in so many, always the same ones."""
    return dice(scene.story.key, sides) == 0
