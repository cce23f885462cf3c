"""The firm's own tables: whole, unique, translated, and judged as they say."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import Translator, load
from huiyin.policies import catalogue as c
from huiyin.policies import service

FILES = ("taxonomy.toml", "causes.toml", "severity.toml", "routes.toml")
SHOWN = {"title", "hint", "plain", "reason", "text", "note", "tests", "handling", "basis"}
LOCALE = Path(str(files("huiyin_frontend"))) / "locale"


@pytest.fixture(scope="module")
def po() -> dict[str, str]:
    with (LOCALE / "en" / "policies.po").open("rb") as file:
        found = read_po(file, locale="en")
    return {str(message.id): str(message.string) for message in found if message.id}


@pytest.fixture(scope="module")
def english() -> Translator:
    return load([LOCALE])["en"]


def shown(node: Any, key: str = "") -> Iterator[str]:
    """Every sentence of a file that somebody may read."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield from shown(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from shown(child, key)
    elif isinstance(node, str) and key in SHOWN:
        yield node


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("huiyin.policies") / name).read_text(encoding="utf-8"))


def test_there_are_46_leaves_in_12_groups_and_32_causes_in_8() -> None:
    assert len(c.categories()) == 46
    assert list(c.groups()) == list("ABCDEFGHIJKL")
    sizes = Counter(leaf.group for leaf in c.categories().values())
    assert [sizes[group] for group in c.groups()] == [5, 4, 5, 3, 3, 4, 3, 4, 4, 3, 4, 4]
    assert list(c.causes()) == [f"RC{g}-{n}" for g in range(1, 9) for n in range(1, 5)]
    assert list(c.cause_groups()) == [f"RC{g}" for g in range(1, 9)]


def test_a_code_says_its_group() -> None:
    assert all(leaf.code[0] == leaf.group for leaf in c.categories().values())
    assert all(cause.code.split("-")[0] == cause.group for cause in c.causes().values())


def test_titles_are_not_used_twice() -> None:
    for table in (c.categories(), c.groups(), c.causes(), c.public_topics()):
        assert max(Counter(item.title for item in table.values()).values()) == 1


def test_a_code_used_twice_is_refused() -> None:
    leaf = c.categories()["A1"]
    with pytest.raises(ValueError, match="A1"):
        c._by_code([leaf, leaf])


def test_each_leaf_has_a_level_a_topic_and_known_instruments() -> None:
    for leaf in c.categories().values():
        assert leaf.severity in c.severity_rules()
        assert leaf.topic in c.public_topics()
        assert {rule.partition("-")[0] for rule in leaf.rules} <= set(c.instruments())
    assert {leaf.topic for leaf in c.categories().values()} == set(c.public_topics())


def test_levels_and_review_flags_are_those_of_the_taxonomy() -> None:
    leaves = c.categories().values()
    severe = {level: {x.code for x in leaves if x.severity == level} for level in ("S3", "S4")}
    assert severe["S4"] == {"G1", "I2", "K2"}
    assert severe["S3"] == {"A2", "B1", "B3", "C2", "D1", "G2", "H3", "I1", "I3", "L3"}
    reviewed = "A1 A2 A3 A5 B1 B2 B3 B4 C1 C2 C3 E3 G1 H2 H3 H4 I1 I2 I3 K1 K2 K3 L3"
    assert {x.code for x in leaves if c.needs_legal_review(x.code)} == set(reviewed.split())


@pytest.mark.parametrize("name", FILES)
def test_every_sentence_has_its_english(name: str, po: dict[str, str]) -> None:
    missing = [text for text in shown(read(name)) if not po.get(text)]
    assert missing == []


@pytest.mark.parametrize("name", ["catalogue.py", "service.py"])
def test_every_sentence_in_the_code_has_its_english(name: str, po: dict[str, str]) -> None:
    with (files("huiyin.policies") / name).open("rb") as file:
        found = [
            str(message) for _, message, _, _ in extract("python", file, keywords={"N_": None})
        ]
    assert found
    assert [text for text in found if not po.get(text)] == []


def test_the_english_in_the_tables_is_that_of_the_catalogue(po: dict[str, str]) -> None:
    for table in (c.categories(), c.groups(), c.causes(), c.cause_groups()):
        for item in table.values():
            assert item.english == po[item.title]


def test_placeholders_survive_translation(po: dict[str, str]) -> None:
    for key, text in po.items():
        assert set(re.findall(r"{\w*}", key)) == set(re.findall(r"{\w*}", text))


def test_nothing_calls_itself_statutory() -> None:
    for name in FILES:
        for text in shown(read(name)):
            assert "法定" not in text.replace("法定代表人", "")


def test_routes_outside_promise_no_time_and_no_duty() -> None:
    assert [route.code for route in c.outside_routes()] == [
        "12386", "association", "mediation", "dispute",
    ]  # fmt: skip
    for route in c.outside_routes():
        assert not any(word in route.text for word in ("工作日", "必须", "应当", "依法", "内答复"))
        assert "您可以" in route.text
        assert bool(c.route_mark(route)) == (route.confidence is not c.Confidence.DESIGN)


def test_an_instrument_nobody_has_read_is_marked(english: Translator) -> None:
    lines = [str(line) for line in c.rule_lines("A1")]
    assert lines == [
        "《证券期货投资者适当性管理办法》，待核实",
        "《私募投资基金监督管理条例》第 19 条",
    ]
    assert english(c.rule_lines("D2")[0]) == "The fund contract"
    assert "to be verified" in english(c.rule_lines("A1")[0])
    for code in c.categories():
        for line in c.rule_lines(code):
            assert english(line).isascii()
            assert "{" not in english(line)


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (("J2", None, "direct", False, False), "S1"),
        (("J2", 1, "direct", False, False), "S2"),
        (("J2", 99_999, "direct", False, False), "S2"),
        (("J2", 100_000, "direct", False, False), "S3"),
        (("J2", 0, "12386", False, False), "S3"),
        (("J2", 0, "csrc", False, False), "S3"),
        (("J2", 0, "amac", False, False), "S3"),
        (("J2", 0, "court", False, False), "S3"),
        (("J2", 0, "media", False, False), "S3"),
        (("J2", 0, "distributor", False, False), "S1"),
        (("J2", 0, "direct", True, False), "S3"),
        (("J2", 0, "direct", False, True), "S3"),
        (("C1", 0, "direct", False, False), "S2"),
        (("K2", 10, "12386", True, True), "S4"),
        ((None, 0, "direct", False, False), "S1"),
        ((None, 200_000, "direct", False, False), "S3"),
    ],
)
def test_the_gravest_fact_sets_the_level(
    facts: tuple[str | None, int | None, str, bool, bool], level: str
) -> None:
    suggested, reasons = c.suggest_severity(*facts)
    assert suggested == level
    assert bool(reasons) == (level != "S1" or facts[0] is not None)


def test_reasons_say_why_the_gravest_first(english: Translator) -> None:
    level, reasons = c.suggest_severity("J2", 30_000, "12386", False, False, limit=20_000)
    assert level == "S3"
    assert [english(reason) for reason in reasons] == [
        "Loss claimed is ¥30,000, at or above ¥20,000",
        "Transferred by the regulator or the association",
        "The category “Slow to respond or cannot be reached” is Minor by default",
    ]


def test_an_unknown_leaf_is_refused_at_its_field() -> None:
    for ask in (c.category_of, c.needs_legal_review, c.rule_lines):
        with pytest.raises(Invalid) as caught:
            ask("Z9")
        assert "category" in caught.value.fields
    with pytest.raises(Invalid):
        c.suggest_severity("Z9", 0, "direct", False, False)


@pytest.mark.parametrize(
    ("count", "investors", "level"),
    [
        (0, 0, ""), (1, 5, ""), (2, 20, ""), (2, 1, ""),
        (3, 0, "watch"), (4, 1000, "watch"), (3, 31, "watch"), (3, 30, "critical"),
        (5, 0, "alarm"), (9, 91, "alarm"), (9, 90, "critical"),
        (10, 0, "critical"), (10, 10_000, "critical"),
    ],
)  # fmt: skip
def test_complaints_become_a_group_at_3_5_10_and_10_per_cent(
    count: int, investors: int, level: str
) -> None:
    assert c.group_watch(count, investors) == level


def test_a_group_matter_is_of_the_gravest_level() -> None:
    steps = service.group_steps()
    assert [step.count for step in steps.values()] == [3, 5, 10]
    assert steps[c.GroupLevel.CRITICAL].severity == "S4"


def test_only_the_mild_levels_are_settled_at_once_and_answered_soon() -> None:
    rules = c.severity_rules()
    assert [code for code, rule in rules.items() if rule.summary] == ["S1", "S2"]
    assert [c.suggest_complexity(code) for code in rules] == ["simple"] * 2 + ["complex"] * 2


def test_lowering_is_known_and_raising_is_free() -> None:
    assert service.lowers("C1", "S1")
    assert not service.lowers("C1", "S2")
    assert not service.lowers("C1", "S4")
    with pytest.raises(Invalid) as caught:
        service.lowers("C1", "S9")
    assert "severity" in caught.value.fields


def test_compliance_is_heard_for_the_leaf_or_for_the_level() -> None:
    assert service.review_needed("C1", "S2")
    assert service.review_needed("J1", "S3")
    assert not service.review_needed("J1", "S2")


def test_pickers_hold_every_leaf_once() -> None:
    leaves = [leaf.code for _, found in service.grouped_categories() for leaf in found]
    assert leaves == list(c.categories())
    causes = [cause.code for _, found in service.grouped_causes() for cause in found]
    assert causes == list(c.causes())
    topics = [x.code for topic in c.public_topics() for x in service.categories_of_topic(topic)]
    assert sorted(topics) == sorted(c.categories())
    with pytest.raises(Invalid):
        service.categories_of_topic("weather")
    with pytest.raises(Invalid):
        service.cause_of("RC9-1")


def test_a_leaf_is_found_by_code_chinese_or_english(english: Translator) -> None:
    for words, code in (("k2", "K2"), ("泄露", "K2"), ("data leak", "K2"), ("wrong NAV", "D1")):
        assert code in {leaf.code for leaf in service.find_categories(words, english)}
    assert service.find_categories("没有这样的类别", english) == ()
