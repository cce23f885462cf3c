"""What comes with the package: packs, the facts of a firm, and the twenty sections."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

from huiyin_checklist_regulatory import packfile
from huiyin_checklist_regulatory.packfile import Pack

SECTIONS: Final = 20


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A yes-or-no question about the firm, answered once."""

    key: str
    question_zh: str
    question_en: str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the twenty parts of a complaint procedure."""

    no: int
    title_zh: str
    title_en: str
    points_zh: tuple[str, ...]
    points_en: tuple[str, ...]


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facts: tuple[Fact, ...]


class _Sections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sections: tuple[Section, ...]


_DATA: Final = files(__package__) / "data"


@cache
def facts() -> Mapping[str, Fact]:
    raw = tomllib.loads((_DATA / "facts.toml").read_text(encoding="utf-8"))
    return MappingProxyType({fact.key: fact for fact in msgspec.convert(raw, _Facts).facts})


@cache
def sections() -> Mapping[int, Section]:
    raw = tomllib.loads((_DATA / "sections.toml").read_text(encoding="utf-8"))
    known = msgspec.convert(raw, _Sections).sections
    return MappingProxyType({section.no: section for section in known})


@cache
def shipped() -> Mapping[str, Pack]:
    """The packs of the package by their ids; a faulty one does not let the plugin load."""
    found: dict[str, Pack] = {}
    for file in sorted((_DATA / "packs").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            pack = packfile.load(file.read_bytes(), file.name, facts())
            found[pack.pack_id] = pack
    return MappingProxyType(found)
