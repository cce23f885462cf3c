"""The guide for authors of plugins cannot lie: names and signatures are compared with the code."""

import inspect
import re
from pathlib import Path

import pytest

import huiyin.sdk
from huiyin.plugins import hookspecs, quality
from huiyin.plugins.context import TenantContext
from huiyin.plugins.fields import UNITS, FieldKind
from huiyin.plugins.manifest import Manifest
from huiyin.plugins.terms import Area, Channel, Weight

GUIDE = (Path(__file__).parents[2] / "platform" / "docs" / "plugins.md").read_text(encoding="utf-8")


def signature(hook):
    """A hook as the guide writes it."""
    found = inspect.signature(getattr(hookspecs, hook))
    parameters = ", ".join(f"{p.name}: {p.annotation}" for p in found.parameters.values())
    return f"`{hook}({parameters}) -> {found.return_annotation}`"


def section(title):
    """The text below a heading, up to the next of its rank."""
    rank = title.partition(" ")[0]
    return re.split(rf"^{rank} ", GUIDE.split(f"{title}\n", 1)[1], flags=re.MULTILINE)[0]


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_each_hook_is_described_with_its_signature(hook):
    assert signature(hook) in GUIDE


def test_no_hook_is_described_that_does_not_exist():
    told = re.findall(r"^`(\w+)\(.*\) -> .*`$", section("## Hooks"), flags=re.MULTILINE)
    assert told == list(hookspecs.HOOKS)


@pytest.mark.parametrize(
    ("title", "hooks"),
    [
        ("### Declaring: once, at start-up", hookspecs.DECLARING),
        ("### Asking: inside a request", hookspecs.ASKING),
        ("### Reacting: in the worker, after the commit", hookspecs.REACTING),
    ],
)
def test_each_hook_stands_under_its_kind(title, hooks):
    told = re.findall(r"^`(\w+)\(", section(title), flags=re.MULTILINE)
    assert told == list(hooks)


def test_every_hookspec_is_of_one_kind():
    specified = {name for name, value in vars(hookspecs).items() if hasattr(value, "huiyin_spec")}
    assert specified == set(hookspecs.HOOKS)


def test_the_sdk_is_listed_whole_and_nothing_else():
    told = re.findall(r"`(\w+)`", section("## `huiyin.sdk`"))
    assert sorted(told) == sorted(huiyin.sdk.__all__)
    assert len(told) == len(set(told))


def test_everything_in_the_sdk_is_there():
    assert [name for name in huiyin.sdk.__all__ if not hasattr(huiyin.sdk, name)] == []


def test_the_kinds_of_settings_are_those_there_are():
    told = re.findall(r"^\| `(\w+)` \|", section("## Settings"), flags=re.MULTILINE)
    assert told == [kind.value for kind in FieldKind]
    for unit in UNITS:
        assert f"`{unit}`" in section("## Settings")


def test_the_rules_of_quality_are_those_there_are():
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section("## Quality"), flags=re.MULTILINE))
    assert told == {name: rule.promise for name, rule in quality.RULES.items()}


@pytest.mark.parametrize("field", Manifest.__slots__)
def test_each_field_of_the_manifest_is_named(field):
    assert f"`{field}`" in section("## What it consists of")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in sorted({*TenantContext.__dataclass_fields__, *vars(TenantContext)})
        if not name.startswith("_")
        and name not in {"plugin", "slug", "source", "templates", "translator", "csrf_token"}
    ],
)
def test_what_is_lent_is_told(name):
    assert f"`ctx.{name}" in section("## What you are lent") or f"`ctx.{name}`" in GUIDE


def test_the_areas_weights_and_facts_of_a_channel_are_named():
    for word in (*(area.name for area in Area), *(weight.name for weight in Weight)):
        assert f"`{word}`" in GUIDE
    for name in Channel.__dataclass_fields__:
        assert f"`{name}`" in section("### Declaring: once, at start-up")
