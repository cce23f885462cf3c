"""Ready questionnaires, read once from the file beside this."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from huiyin_survey_satisfaction.designs import Design, Section, Words


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A questionnaire that can be taken as it is; ``use`` says when."""

    code: str
    title: Words
    use: Words
    intro: Words = Words()
    thanks: Words = Words()
    sections: tuple[Section, ...]

    @property
    def design(self) -> Design:
        return Design(intro=self.intro, thanks=self.thanks, sections=self.sections)


class _Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    questionnaires: tuple[Ready, ...]


@cache
def library() -> Mapping[str, Ready]:
    """By code, in the order of the file."""
    source = (files("huiyin_survey_satisfaction") / "library.toml").read_text(encoding="utf-8")
    known = msgspec.convert(tomllib.loads(source), _Library).questionnaires
    return MappingProxyType({ready.code: ready for ready in known})
