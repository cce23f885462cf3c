"""What we promise about every plugin, whoever wrote it: rules as data, and the checks behind them.

A plugin declares in ``quality.toml``, inside its package, how it stands with each rule: ``done``,
``todo`` or ``exempt``, the last two with a reason.  What is ``done`` is verified where it can be.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
from babel.messages.pofile import read_po

from huiyin.db import Base
from huiyin.plugins.fields import fields_of
from huiyin.plugins.loading import Plugin

FILE: Final = "quality.toml"


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a plugin stands with one rule."""

    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is promised; ``problems`` finds where it is not kept, if a program can see that."""

    promise: str
    problems: Callable[[Plugin], Iterator[str]] | None = None


def check(plugin: Plugin) -> list[str]:
    """Everything that keeps the plugin's own declaration from being true."""
    path = plugin.folder / FILE
    if not path.is_file():
        return [f"{FILE} is missing"]
    try:
        declared = msgspec.convert(
            tomllib.loads(path.read_text(encoding="utf-8")), dict[str, Status]
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        return [f"{FILE}: {fault}"]
    found = [f"{name} is no rule" for name in declared if name not in RULES]
    for name, rule in RULES.items():
        found += [f"{name}: {problem}" for problem in _kept(plugin, rule, declared.get(name))]
    return found


def _kept(plugin: Plugin, rule: Rule, stands: Status | None) -> Iterator[str]:
    if stands is None:
        yield "is not declared"
    elif stands.status not in {"done", "todo", "exempt"}:
        yield f"{stands.status} is not done, todo or exempt"
    elif stands.status != "done":
        if not stands.reason:
            yield f"{stands.status} needs a reason"
    elif rule.problems is not None:
        yield from rule.problems(plugin)


# -- what a program can see -------------------------------------------------------------------


def _settings(plugin: Plugin) -> Iterator[str]:
    for field in fields_of(plugin.manifest.settings):
        if field.title == field.name:
            yield f"{field.name} has no title"
        if field.kind in {"number", "duration"} and (field.low is None or field.high is None):
            yield f"{field.name} has no bounds"


def _english(plugin: Plugin) -> Iterator[str]:
    known: set[str] = set()
    for path in (plugin.folder / "locale" / "en").glob("*.po"):
        with path.open("rb") as file:
            known |= {
                part
                for message in read_po(file, locale="en")
                if message.id and message.string
                for part in ([message.id] if isinstance(message.id, str) else message.id)
            }
    for words in sorted(_words(plugin) - known):
        yield f"{words!r} has no English"


_CALL: Final = re.compile(r"""\b(?:_|N_|text)\(\s*(["'])(?P<words>.+?)\1""")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def _words(plugin: Plugin) -> set[str]:
    words = {plugin.manifest.title, plugin.manifest.summary}
    words |= {item.purpose for item in plugin.manifest.personal_data}
    words |= {permission.title for permission in plugin.declared.permissions}
    words |= {line.label for line in plugin.declared.navigation}
    words |= {channel.title for channel in plugin.declared.channels}
    for gate in plugin.declared.gates:
        words |= {gate.title, gate.hint}
    for field in fields_of(plugin.manifest.settings):
        words |= {field.title, field.hint, field.section, *(title for _, title in field.choices)}
    for path in _texts(plugin, "*.html", "*.py"):
        words |= {found["words"] for found in _CALL.finditer(path.read_text(encoding="utf-8"))}
    return {text for text in words if _HAN.search(text)}


_UNCLEAN: Final = re.compile(r"\bstyle\s*=|\son[a-z]+\s*=|hx-on|\|\s*safe\b|<script(?![^>]*\bsrc=)")


def _templates(plugin: Plugin) -> Iterator[str]:
    for path in _texts(plugin, "*.html"):
        for found in _UNCLEAN.finditer(path.read_text(encoding="utf-8")):
            yield f"{path.name} holds {found.group().strip()!r}"


def _personal(plugin: Plugin) -> Iterator[str]:
    for item in plugin.manifest.personal_data:
        table, _, column = item.column.partition(".")
        known = Base.metadata.tables.get(table)
        if known is None or column not in known.columns:
            yield f"{item.column} does not exist"


def _imports(plugin: Plugin) -> Iterator[str]:
    for path in _texts(plugin, "*.py"):
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name.partition(".")[0] == "huiyin" and name != "huiyin.sdk":
                yield f"{path.name} imports {name}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _texts(plugin: Plugin, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(plugin.folder.rglob(pattern))


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "sdk_only": Rule("Imports nothing of the platform but huiyin.sdk", _imports),
        "settings_described": Rule("Every setting has a title, every number its bounds", _settings),
        "both_languages": Rule("Every word people read is there in English too", _english),
        "clean_templates": Rule(
            "No inline style, script or event handler, nothing marked safe", _templates
        ),
        "personal_data": Rule("What is kept about people is declared, with its end", _personal),
        "without_javascript": Rule("Everything works with JavaScript off"),
        "tested": Rule("What it does is tested, and with the plugin off too"),
    }
)
