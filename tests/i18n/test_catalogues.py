"""Every word people read is there in English, and every Chinese one is set as an editor would.

Chinese is the key, so the words are collected where they stand: in templates, in the Python
sources, and in the tables of the house.
"""
# long: one collector of words, read by every test below it

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend/src/huiyin_frontend"
CORE = ROOT / "platform/src/huiyin"
HAN = re.compile(r"[\u3400-\u9fff]")
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")  # its punctuation too
TEMPLATES = Environment(autoescape=True)


@dataclass(frozen=True, order=True)
class Word:
    """One key and where it stands; ``many`` is its plural, ``context`` tells apart."""

    key: str
    place: str
    many: str = ""
    context: str = ""


@dataclass(frozen=True)
class Part:
    """A distribution: its own words, and the catalogues that may speak for it."""

    name: str
    folder: Path
    catalogues: tuple[Path, ...]

    def files(self, pattern: str) -> list[Path]:
        return [p for p in sorted(self.folder.rglob(pattern)) if "skeleton" not in p.parts]


HOUSE = (FRONTEND / "locale/en",)
PARTS = [
    Part("huiyin", CORE, HOUSE),
    Part("huiyin_frontend", FRONTEND, HOUSE),
    *(
        Part(folder.name, folder, (*HOUSE, folder / "locale/en"))
        for folder in sorted(ROOT.glob("plugins/*/src/*"))
        if folder.is_dir()
    ),
]


# -- where words stand -------------------------------------------------------------------------


def words_of_template(source: str, place: str) -> Iterator[Word]:
    """Keys of ``_(…)``, ``_.plural(…)`` and ``_.context(…)``; both arms of a choice count."""
    for call in TEMPLATES.parse(source).find_all(nodes.Call):
        where = f"{place}:{call.lineno}"
        args = [list(_template_texts(arg)) for arg in call.args]
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            yield from (Word(text, where) for text in (args[0] if args else []))
        elif _is_method_of_translator(call.node):
            yield from _method(call.node.attr, args, where)


def _is_method_of_translator(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.Getattr)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "_"
    )


def _template_texts(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _template_texts(node.expr1)
        if node.expr2 is not None:
            yield from _template_texts(node.expr2)
    elif isinstance(node, nodes.Or):
        yield from _template_texts(node.left)
        yield from _template_texts(node.right)


def _method(name: str, args: list[list[str]], where: str) -> Iterator[Word]:
    first, second = (args[0] if args else []), (args[1] if len(args) > 1 else [])
    if name == "plural" and first and second:
        yield Word(first[0], where, many=second[0])
    if name == "context" and first:
        yield from (Word(text, where, context=first[0]) for text in second)


def words_of_python(source: str, place: str) -> Iterator[Word]:
    """Keys of ``N_(…)``, ``Message(…)`` and of a translator called with a text."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if isinstance(node.func, ast.Subscript):  # context["_"](…)
            name = getattr(node.func.slice, "value", "")
        where = f"{place}:{node.lineno}"
        args = [list(_python_texts(arg)) for arg in node.args]
        if name in {"N_", "Message", "_", "translator"}:
            yield from (Word(text, where) for text in (args[0] if args else []) if text)
        elif name in {"plural", "context"} and isinstance(node.func, ast.Attribute):
            yield from _method(name, args, where)


def _python_texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _python_texts(node.body)
        yield from _python_texts(node.orelse)


# Tables whose texts are keys: file, and the names of the fields that people read.
TABLES = {
    "identity/policy.toml": {"title"},
    "clocks/default_policy.toml": {"title", "instrument", "article", "note"},
    "policies/taxonomy.toml": {"title", "hint", "plain"},
    "policies/causes.toml": {"title"},
    "policies/severity.toml": {"title", "tests", "handling", "reason", "note", "basis"},
    "policies/routes.toml": {"title", "text", "note"},
}


def words_of_table(data: object, fields: set[str], place: str) -> Iterator[Word]:
    if isinstance(data, dict):
        for name, value in data.items():
            if name in fields and isinstance(value, str | list):
                texts = [value] if isinstance(value, str) else value
                yield from (Word(t, place) for t in texts if isinstance(t, str) and HAN.search(t))
            yield from words_of_table(value, fields, place)
    elif isinstance(data, list):
        for item in data:
            yield from words_of_table(item, fields, place)


@cache
def words_of(part: Part) -> tuple[Word, ...]:
    """Every key of a distribution that is Chinese."""
    found: set[Word] = set()
    for path in part.files("*.html"):
        found |= set(words_of_template(path.read_text(encoding="utf-8"), _place(path)))
    for path in part.files("*.py"):
        found |= set(words_of_python(path.read_text(encoding="utf-8"), _place(path)))
    if part.folder == CORE:
        for name, fields in TABLES.items():
            data = tomllib.loads((CORE / name).read_text(encoding="utf-8"))
            found |= set(words_of_table(data, fields, name))
    return tuple(sorted(word for word in found if CHINESE.search(word.key)))


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- what the catalogues say -------------------------------------------------------------------


def entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale="en"):
                if entry.id:
                    yield f"{_place(path)}:{entry.lineno}", entry


@cache
def english(folders: tuple[Path, ...]) -> dict[tuple[str, str], Entry]:
    return {
        (_key(entry), entry.context or ""): entry
        for folder in folders
        for _, entry in entries(folder)
        if not entry.fuzzy and all(_texts(entry.string))
    }


def _key(entry: Entry) -> str:
    return entry.id if isinstance(entry.id, str) else entry.id[0]


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def placeholders(text: str) -> set[str]:
    """The names that a message fills in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def missing(words: tuple[Word, ...], known: dict[tuple[str, str], Entry]) -> list[str]:
    return [
        f"{word.place}: {word.key}"
        for word in words
        if (entry := known.get((word.key, word.context))) is None
        or (word.many and isinstance(entry.id, str))
    ]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_word_has_its_english(part):
    assert missing(words_of(part), english(part.catalogues)) == []


CATALOGUES = sorted({folder for part in PARTS for folder in part.catalogues})


def test_translations_fill_in_the_same_things():
    wrong = [
        f"{place}: {text}"
        for folder in CATALOGUES
        for place, entry in entries(folder)
        for text in _texts(entry.string)
        # The singular may leave the number out: "1 day left".
        if placeholders(text) - {"n"} != placeholders(_key(entry)) - {"n"}
        or not placeholders(text) <= set().union(*map(placeholders, _texts(entry.id)))
        or (isinstance(entry.id, str) and placeholders(text) != placeholders(entry.id))
    ]
    assert wrong == []


def test_english_is_english():
    allowed = {"中文"}
    mixed = [
        f"{place}: {text}"
        for folder in CATALOGUES
        for place, entry in entries(folder)
        for text in _texts(entry.string)
        if HAN.search(text) and text not in allowed
    ]
    assert mixed == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_no_two_catalogues_disagree(part):
    said: dict[tuple[str, str], dict[tuple[str, ...], str]] = defaultdict(dict)
    for folder in part.catalogues:
        for place, entry in entries(folder):
            said[_key(entry), entry.context or ""][_texts(entry.string)] = place
    assert {key: places for key, places in said.items() if len(places) > 1} == {}


# The words of the trade, each always rendered alike when it stands alone.
GLOSSARY = {
    "投诉": "complaint",
    "举报": "report of wrongdoing",
    "咨询": "enquiry",
    "意见建议": "suggestion",
    "投诉人": "complainant",
    "投资者": "investor",
    "案件": "case",
    "编号": "case no.",
    "查询码": "tracking code",
    "受理": "accept",
    "不予受理": "decline to accept",
    "初步调查": "preliminary enquiry",
    "深入调查": "investigation",
    "方案制定": "resolution plan",
    "审批": "approval",
    "实施": "implementation",
    "反馈": "response",
    "回访": "follow-up",
    "归档": "archive",
    "首接负责人": "first-contact owner",
    "调查员": "investigator",
    "审批人": "approver",
    "监督": "supervisor",
    "转交": "reassign",
    "协办": "assist",
    "加签": "add approver",
    "驳回": "return",
    "时限": "time limit",
    "届满": "expiry",
    "延期": "extension",
    "监管转办": "regulator transfer",
    "并案": "merge",
    "群体投诉": "group complaint",
    "证据": "evidence",
    "哈希链": "hash chain",
    "卷宗": "dossier",
    "回避检查": "conflict-of-interest check",
    "争议金额": "amount in dispute",
    "诉求": "remedy sought",
    "根因": "root cause",
    "整改": "corrective action",
    "热点": "hotspot",
    "托管人": "custodian",
    "代销机构": "distributor",
    "管理人": "manager",
    "复核": "review",
    "调解": "mediation",
    "顾问模板": "adviser template",
    "本机构": "this firm",
    "恢复继承": "restore inherited",
    "试算": "dry run",
    "态势": "posture",
    "工作日": "working day",
    "自然日": "calendar day",
}


# As the name of a stage, and not of the act.
NOUNS = {"受理": "acceptance"}


def test_the_words_of_the_trade_are_rendered_alike():
    strayed = {
        _key(entry): entry.string
        for _, entry in entries(HOUSE[0])
        if not entry.context
        and (wanted := GLOSSARY.get(_key(entry)))
        and entry.string.casefold().removesuffix("s") not in {wanted, wanted.removesuffix("s")}
        and entry.string.casefold() != NOUNS.get(_key(entry))
    }
    assert strayed == {}


# -- Chinese as it is set ----------------------------------------------------------------------

_H = r"[\u3400-\u9fff\u300a-\u300f\u201c\u201d]"
LINT = {
    "half-width punctuation beside Chinese": re.compile(
        rf"{_H} ?[,;?]|[,;?]{_H}|{_H}:(?!\d)|[\d）]:{_H}|\({_H}|{_H}\)|{_H} ?\("
    ),
    "exclamation mark": re.compile(r"[!！]"),
    "the old word for a case": re.compile("工单"),
    "blame instead of help": re.compile("非法(?!集资|经营|证券|获取|获利|占有)|操作失败|输入错误"),
    "half-width ellipsis": re.compile(rf"{_H}\.\.\."),
}
# A label or a button is no longer than this; what is longer may be prose.
LABEL = 9


def faults(word: Word) -> list[str]:
    found = [name for name, rule in LINT.items() if rule.search(word.key)]
    if word.key.endswith("。") and len(word.key) <= LABEL:
        found.append("full stop after a label")
    return found


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_chinese_is_set_with_care(part):
    assert [f"{w.place}: {w.key}: {f}" for w in words_of(part) for f in faults(w)] == []


# Names that every reader sees in their own script: the language, and the sign of the house.
OWN_NAMES = ("中文", ">回<")


def loose_texts(source: str, place: str) -> Iterator[str]:
    """Chinese in a template that no reader of English can have translated."""
    tree = TEMPLATES.parse(source)
    for data in tree.find_all(nodes.TemplateData):
        text = re.sub(r"<!--.*?-->", "", data.data, flags=re.DOTALL)
        for name in OWN_NAMES:
            text = text.replace(name, "")
        if HAN.search(text):
            yield f"{place}:{data.lineno}: {' '.join(text.split())[:80]}"


def test_no_chinese_stands_loose_in_a_template():
    loose = [
        line
        for part in PARTS
        for path in part.files("*.html")
        for line in loose_texts(path.read_text(encoding="utf-8"), _place(path))
    ]
    assert loose == []


# -- the tests themselves ----------------------------------------------------------------------


def test_words_are_found_where_they_stand():
    source = (
        "{{ _('甲') }}{{ _('乙' if x else '丙') }}{{ _(y or '丁') }}{{ _.plural('戊', '己', n) }}"
    )
    assert {w.key for w in words_of_template(source, "t")} == set("甲乙丙丁戊")
    python = "N_('甲')\ncontext['_']('庚')\nMessage('乙{n}' '丙')\n_.context('c', '己')"
    python += "\ndesk._('丁' if x else '戊')"
    assert {w.key for w in words_of_python(python, "p")} == {*"甲丁戊己庚", "乙{n}丙"}
    assert list(loose_texts("<b>你好</b>{{ _('好') }}", "t"))


@pytest.mark.parametrize(
    "text",
    ["请填写,再提交", "状态:正常", "投诉(重大)", "提交成功!", "工单", "保存。", "是否继续?"],
)
def test_the_lint_sees(text):
    assert faults(Word(text, "x"))


@pytest.mark.parametrize(
    "text", ["请填写，再提交", "状态：正常", "投诉（重大）", "今天 17:30 前", "件数（{n}）"]
)
def test_the_lint_lets_through(text):
    assert faults(Word(text, "x")) == []


def test_a_missing_word_is_missed():
    assert missing((Word("从未说过的话", "x"),), english(HOUSE)) == ["x: 从未说过的话"]
    assert len(words_of(PARTS[0])) > 500
    assert len(words_of(PARTS[1])) > 100
