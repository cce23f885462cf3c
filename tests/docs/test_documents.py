"""README and decisions keep up with the code: what can be set, run or found is written down."""

import hashlib
import re
from pathlib import Path

import click
import pytest

from huiyin.app.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "platform" / "docs" / "decisions").glob("*.md"))
HIDDEN = re.compile(r"(^|/)(\.|node_modules)")
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not HIDDEN.search(path.relative_to(ROOT).as_posix())
)
LONGEST_DECISION = 80
VARIABLE = re.compile(r"\bHUIYIN_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def used_variables():
    return {
        name
        for source in (ROOT / "platform" / "src", *ROOT.glob("plugins/*/src"))
        for path in source.rglob("*.py")
        for name in VARIABLE.findall(path.read_text(encoding="utf-8"))
    }


def table_of(title, text):
    """The first cells of the table below a heading, without their code marks."""
    section = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE))


def commands(command, words=("huiyin",)):
    """Every command that does something, with the words that lead to it."""
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            yield from commands(command.get_command(ctx, name), (*words, name))
    else:
        yield " ".join(words)


def broken_links(path, text):
    """Targets inside the repository that are not there."""
    targets = (t for t in LINK.findall(text) if not re.match(r"[a-z]+:", t))
    return sorted(target for target in targets if not (path.parent / target).exists())


def test_every_variable_is_explained_and_no_other():
    assert used_variables() == table_of("Settings", README)


def test_there_are_variables_to_explain():
    assert {"HUIYIN_HOME", "HUIYIN_DATABASE_URL", "HUIYIN_PLUGINS"} <= used_variables()


def test_every_command_is_explained_and_no_other():
    assert set(commands(main)) == table_of("The command line", README)


def test_every_folder_at_the_top_tells_what_it_is_and_is_on_the_map():
    folders = [p for p in ROOT.iterdir() if p.is_dir() and not HIDDEN.search(p.name)]
    folders = [folder for folder in folders if folder.name != "__pycache__"]
    assert [f.name for f in folders if not (f / "README.md").is_file()] == []
    assert [f.name for f in folders if f"]({f.name}/README.md)" not in README] == []


def test_every_plugin_we_ship_is_listed():
    text = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    shipped = {project.parent.name for project in (ROOT / "plugins").glob("*/pyproject.toml")}
    assert shipped
    assert {name for name in shipped if f"]({name}/README.md)" not in text} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_and_picture_is_there(path):
    assert broken_links(path, path.read_text(encoding="utf-8")) == []


def test_a_link_to_nowhere_is_noticed(tmp_path):
    (tmp_path / "here.md").touch()
    text = "[a](here.md#part) ![b](gone.png) [c](https://huiyin.example/) [d](#here)"
    assert broken_links(tmp_path / "README.md", text) == ["gone.png"]


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_is_one_page_with_its_reasons_and_its_price(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_DECISION
    assert text.startswith(f"# {path.name[:4]}. ")
    assert "\nStatus: " in text
    for heading in ("## Why", "## What"):
        assert f"\n{heading}\n" in text


def test_decisions_are_numbered_without_gaps():
    assert [path.name[:4] for path in DECISIONS] == [
        f"{number:04d}" for number in range(1, len(DECISIONS) + 1)
    ]


def test_the_licence_is_the_unmodified_one():
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_the_threat_model_names_files_that_exist():
    text = (ROOT / "platform" / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|sql|toml))`", text))
    bases = [ROOT / base for base in ("platform/src/huiyin", "tests", "plugins")]
    assert len(named) > 20
    assert sorted(n for n in named if not any((base / n).is_file() for base in bases)) == []
