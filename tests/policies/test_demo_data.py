"""The demonstration firms: whole stories that fit the tables they are told with."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from huiyin.cases.gates import GATES, How
from huiyin.cases.stages import Finding, Source, Stage
from huiyin.identity.policy import Role, held_apart
from huiyin.letters.phrases import Verdict, deadline_as_law, promises
from huiyin.policies.catalogue import categories, causes, suggest_severity
from huiyin.policies.service import lowers

DEMO = Path(__file__).parents[2] / "tenants" / "demo"
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
Yuan = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Measure(msgspec.Struct, forbid_unknown_fields=True):
    title: Words
    department: Words
    days: Annotated[int, msgspec.Meta(ge=1, le=60)]


class Story(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: Words
    tenant: Words
    path: Words
    days_ago: Annotated[int, msgspec.Meta(ge=0, le=360)]
    channel: Literal["web", "phone", "email", "letter"]
    source: Source = Source.DIRECT
    transfer_number: str = ""
    name: Words
    phone: str = ""
    email: str = ""
    vulnerable: bool = False
    language: Literal["zh", "en"] = "zh"
    fund: str
    category: Words
    severity: Words
    amount: Yuan
    title: Annotated[str, msgspec.Meta(min_length=5, max_length=80)]
    story: Annotated[str, msgspec.Meta(min_length=30, max_length=600)]
    wish: Words
    into: str = ""
    reason: str = ""
    statement: str = ""
    papers: str = ""
    finding: Finding | None = None
    cause: str = ""
    conclusion: str = ""
    goal: str = ""
    measures: tuple[Measure, ...] = ()
    redress: Yuan = 0
    basis: str = ""
    reply: str = ""
    visit: str = ""
    lessons: str = ""


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((DEMO / name).read_text(encoding="utf-8"))


STORIES = msgspec.convert(read("stories.toml")["stories"], tuple[Story, ...])
FUNDS = {fund["filing_code"]: fund for fund in read("funds.toml")["funds"]}
TENANTS = {tenant["slug"]: tenant for tenant in read("tenants.toml")["tenants"]}
ASIDE = {"declined": 0, "merged": 1, "transferred": 1, "withdrawn": 1, "summary": 2, "review": 6}
DEPTH = {stage.value: depth for depth, stage in enumerate(Stage)} | {"archived": 9} | ASIDE
# From which depth on the words must be there.
NEEDED = {
    "statement": 2, "papers": 2, "finding": 3, "cause": 3, "conclusion": 3, "goal": 4,
    "measures": 4, "basis": 4, "reply": 6, "visit": 8, "lessons": 9,
}  # fmt: skip
SUMMARY = ("statement", "finding", "cause", "conclusion", "lessons")

each = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.key)


def test_the_firms_share_sixty_stories() -> None:
    shares = Counter(story.tenant for story in STORIES)
    assert shares == {"qinghe": 30, "yuancen": 18, "mingzhu": 12}
    assert set(shares) == set(TENANTS)
    assert len({story.key for story in STORIES}) == len(STORIES)


def test_every_path_is_told() -> None:
    paths = Counter(story.path for story in STORIES)
    assert set(paths) == set(DEPTH)
    assert paths["archived"] >= 12
    of_first = {story.path for story in STORIES if story.tenant == "qinghe"}
    assert of_first == set(DEPTH)


def test_the_stories_are_varied() -> None:
    assert len({story.category for story in STORIES}) >= 35
    assert {story.category[0] for story in STORIES} == set("ABCDEFGHIJKL")
    assert {story.severity for story in STORIES} == {"S1", "S2", "S3", "S4"}
    assert len({story.cause.split("-")[0] for story in STORIES if story.cause}) == 8
    assert {story.finding for story in STORIES if story.finding} == set(Finding)
    assert Counter(story.language for story in STORIES)["en"] >= 3
    for field in ("title", "story", "name"):
        assert len({getattr(story, field) for story in STORIES}) == len(STORIES)


@each
def test_a_story_fits_the_tables(story: Story) -> None:
    assert story.category in categories()
    assert not lowers(story.category, story.severity)
    amount, source = story.amount, story.source.value
    suggested, _ = suggest_severity(story.category, amount, source, story.vulnerable, False)
    assert story.severity >= suggested
    assert story.cause == "" or story.cause in causes()
    if story.fund:
        assert FUNDS[story.fund]["tenant"] == story.tenant
    assert bool(story.transfer_number) == (story.source is not Source.DIRECT)


@each
def test_a_story_has_the_words_of_the_stages_it_has_passed(story: Story) -> None:
    needed = {name for name, depth in NEEDED.items() if DEPTH[story.path] >= depth}
    if story.path in ASIDE:
        assert story.reason
    if story.path == "summary":
        needed = set(SUMMARY)
        assert story.severity in {"S1", "S2"}
    missing = {name for name in needed if not getattr(story, name)}
    assert missing == set()


@each
def test_a_merged_story_names_a_living_master_of_the_same_fund(story: Story) -> None:
    assert bool(story.into) == (story.path == "merged")
    if story.into:
        master = next(other for other in STORIES if other.key == story.into)
        assert (master.tenant, master.fund) == (story.tenant, story.fund)
        assert master.path in {stage.value for stage in Stage}


@each
def test_ages_go_with_stages(story: Story) -> None:
    if story.path == "intake":
        assert story.days_ago <= 3
    elif story.path in {"preliminary", "investigation", "plan", "approval"}:
        assert story.days_ago <= 30
    elif story.path in {"archived", "summary"}:
        assert story.days_ago >= 40


@each
def test_nobody_in_a_story_can_be_reached(story: Story) -> None:
    assert bool(story.phone) != bool(story.email)
    if story.phone:
        assert re.fullmatch(r"138 0000 \d{4}", story.phone)
    else:
        assert story.email.endswith("@example.com")


@each
def test_a_reply_promises_no_return_and_no_statutory_time(story: Story) -> None:
    stated = [hit.words for hit in promises(story.reply) if hit.verdict is Verdict.STATED]
    assert stated == []
    assert list(deadline_as_law(story.reply)) == []
    if story.redress and story.reply:
        assert f"{story.redress:,}" in story.reply


def test_contacts_are_used_once() -> None:
    contacts = Counter(story.phone or story.email for story in STORIES)
    assert max(contacts.values()) == 1


def test_every_attested_gate_has_words() -> None:
    notes = read("stories.toml")["gate_notes"]
    attested = {gate.name for gate in GATES.values() if gate.how is How.ATTEST}
    told = {"statement_confirmed", "papers_collected", "visit_made", "lessons_written"}
    assert attested - told - set(notes) == set()
    assert set(notes) <= set(GATES)
    assert all(notes.values())


def test_every_firm_has_somebody_in_every_role() -> None:
    people = read("people.toml")["people"]
    once = {Role.TENANT_ADMIN, Role.SUPERVISOR, Role.EXECUTIVE_VIEWER}
    twice = {Role.COMPLAINT_OFFICER, Role.INVESTIGATOR, Role.APPROVER}
    wanted = dict.fromkeys(once, 1) | dict.fromkeys(twice, 2)
    for slug in TENANTS:
        mine = [person for person in people if person["tenant"] == slug]
        assert Counter(Role(role) for person in mine for role in person["roles"]) == wanted
        for person in mine:
            assert held_apart(map(Role, person["roles"])) == []
            assert re.fullmatch(rf"[a-z]+2?@{slug}\.demo", person["email"])
            assert person["department"]
    everybody = people + read("people.toml")["advisers"]
    for field in ("email", "name"):
        assert len({person[field] for person in everybody}) == len(everybody)
    assert {person["tenant"] for person in people} == set(TENANTS)


def test_funds_and_firms_are_whole() -> None:
    assert len(FUNDS) == len(read("funds.toml")["funds"])
    for slug in TENANTS:
        mine = [fund for fund in FUNDS.values() if fund["tenant"] == slug]
        assert 5 <= len(mine) <= 6
    for fund in FUNDS.values():
        assert re.fullmatch(r"SXX\d{3}", fund["filing_code"])
        assert fund["risk_level"] in {"R1", "R2", "R3", "R4", "R5"}
        assert all(fund[field] for field in ("name", "short_name", "kind", "custodian"))
    for field in ("name", "mark", "number_prefix"):
        assert len({tenant[field] for tenant in TENANTS.values()}) == len(TENANTS)
    consultancies = read("tenants.toml")["consultancies"]
    assert [(c["slug"], set(c["clients"])) for c in consultancies] == [("qiheng", set(TENANTS))]
    assert [adviser["consultancy"] for adviser in read("people.toml")["advisers"]] == ["qiheng"]
