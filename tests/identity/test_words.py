"""Everything identity says is there in English too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import huiyin.identity
import huiyin.kit.errors
import huiyin_frontend
from huiyin.identity.policy import table

CATALOGUE = Path(huiyin_frontend.__file__).parent / "locale/en/identity.po"
PACKAGE = Path(huiyin.identity.__file__).parent


@pytest.fixture(scope="module")
def english():
    with CATALOGUE.open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale="en") if m.id}


def marked(path: Path) -> set[str]:
    """Every literal a module marks for translation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "N_"
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_title_of_the_policy_is_translated(english):
    rules = table()
    titles = {e.title for e in (*rules.roles.values(), *rules.permissions.values())}
    assert titles
    assert sorted(t for t in titles if not english.get(t)) == []


def test_every_sentence_of_identity_and_of_the_errors_is_translated(english):
    said = {"系统", "投诉人"} | marked(Path(huiyin.kit.errors.__file__))
    for path in PACKAGE.glob("*.py"):
        said |= marked(path)
    assert len(said) > 25
    assert sorted(s for s in said if not english.get(s)) == []


def test_a_translation_keeps_the_places_of_its_sentence(english):
    for chinese, text in english.items():
        for name in ("{n}", "{a}", "{b}", "{role}"):
            assert (name in chinese) == (name in text), chinese
