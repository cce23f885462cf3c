"""Firms as data: what the TOML files of a folder below ``tenants/`` may say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from huiyin.cases.stages import Finding, Severity, Source
from huiyin.identity.policy import Role

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
Days = Annotated[int, msgspec.Meta(ge=0, le=3660)]
Yuan = Annotated[int, msgspec.Meta(ge=0)]
T = TypeVar("T")

# Paths of a story that are no stage: how it left the ordinary way, or came back.
ENDS: Final = frozenset(
    {"archived", "declined", "withdrawn", "transferred", "merged", "summary", "review"}
)


class BadData(ValueError):
    """A data file that cannot be read; the message names the file and the place to mend."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a data file."""


class FirmData(_Record, frozen=True, kw_only=True):
    """A private fund manager."""

    slug: Slug
    name: Words
    short_name: Words
    name_en: str = ""
    mark: Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
    number_prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,6}$")]
    hotline: str = ""
    mailbox: str = ""
    address: str = ""
    plugins: tuple[Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{1,60}$")], ...] = ()


class ConsultancyData(_Record, frozen=True, kw_only=True):
    """An adviser's firm and the slugs of the firms it looks after."""

    slug: Slug
    name: Words
    name_en: str = ""
    clients: tuple[Slug, ...] = ()


class PersonData(_Record, frozen=True, kw_only=True):
    """Somebody with an account and a place in one firm."""

    tenant: Slug
    roles: tuple[Role, ...]
    name: Words
    email: Words
    department: str = ""


class AdviserData(_Record, frozen=True, kw_only=True):
    """Somebody with an account at a consultancy."""

    consultancy: Slug
    roles: tuple[Role, ...]
    name: Words
    email: Words


class FundData(_Record, frozen=True, kw_only=True):
    """A product; ``liquidated_days_ago`` counts from the day the data is loaded."""

    tenant: Slug
    filing_code: Words
    name: Words
    short_name: Words
    kind: str = ""
    risk_level: str = ""
    custodian: str = ""
    investors: Annotated[int, msgspec.Meta(ge=0)] = 0
    liquidated_days_ago: Days | None = None


class MeasureData(_Record, frozen=True, kw_only=True):
    title: Words
    department: Words
    days: Annotated[int, msgspec.Meta(ge=1, le=60)]


class StoryData(_Record, frozen=True, kw_only=True):
    """One complaint from beginning to wherever ``path`` leads; see ``tenants/README.md``."""

    key: Words
    tenant: Slug
    path: Words
    days_ago: Days
    channel: Words
    source: Source = Source.DIRECT
    transfer_number: str = ""
    name: Words
    phone: str = ""
    email: str = ""
    vulnerable: bool = False
    language: str = "zh"
    fund: str
    category: Words
    severity: Severity
    amount: Yuan
    title: Words
    story: Words
    wish: Words
    into: str = ""
    reason: str = ""
    statement: str = ""
    papers: str = ""
    finding: Finding | None = None
    cause: str = ""
    conclusion: str = ""
    goal: str = ""
    measures: tuple[MeasureData, ...] = ()
    redress: Yuan = 0
    basis: str = ""
    reply: str = ""
    visit: str = ""
    lessons: str = ""


class Firms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything to set up before the first complaint."""

    tenants: tuple[FirmData, ...]
    consultancies: tuple[ConsultancyData, ...] = ()
    people: tuple[PersonData, ...] = ()
    advisers: tuple[AdviserData, ...] = ()
    funds: tuple[FundData, ...] = ()


class Stories(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints to play through, and words for gates that a story itself says nothing about."""

    gate_notes: Mapping[str, str]
    stories: tuple[StoryData, ...]


def read_firms(folder: Path) -> Firms:
    """``tenants.toml``, ``people.toml`` and ``funds.toml``; raises ``BadData``."""
    tables: dict[str, object] = {}
    for name in ("tenants.toml", "people.toml", "funds.toml"):
        tables |= _read(folder / name)
    return _convert(tables, Firms, folder)


def read_stories(folder: Path) -> Stories:
    """``stories.toml``; raises ``BadData``."""
    path = folder / "stories.toml"
    return _convert(_read(path), Stories, path)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{path}: {error}") from error


def _convert(tables: Mapping[str, object], to: type[T], where: Path) -> T:
    try:
        return msgspec.convert(tables, to)
    except msgspec.ValidationError as error:
        raise BadData(f"{where}: {error}") from error
