"""Packs of checks as files: TOML, JSON or a table, read strictly.

A pack says what others may be held to, so a file that contradicts itself is refused as a whole,
and every fault is named with the file, the item and what to do.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

import msgspec

from huiyin.sdk import N_, Message
from huiyin_checklist_regulatory.terms import (
    DUTIES,
    EVERY_SEVERITY,
    SURENESS,
    Confidence,
    Duty,
    Force,
    Scope,
)

MOST_BYTES: Final = 1_000_000
MOST_ITEMS: Final = 300
MOST_FAULTS: Final = 200

Meta = msgspec.Meta
_Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
_ItemId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$")]
_Version = Annotated[str, Meta(pattern=r"^\d{1,4}(\.\d{1,4}){0,3}$")]
_Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,20}$")]
_Figure = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}:[a-z_]{1,60}$")]
_Line = Annotated[str, Meta(max_length=200)]
_Title = Annotated[str, Meta(min_length=1, max_length=120)]
_Text = Annotated[str, Meta(min_length=1, max_length=600)]
_Quote = Annotated[str, Meta(max_length=2000)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing that is not known here."""


class Source(_Strict, frozen=True, kw_only=True):
    """A document that items point to."""

    instrument_zh: _Title
    instrument_en: _Title
    number: _Line = ""
    force: Force
    scope: Scope
    url: Annotated[str, Meta(pattern=r"^(https?://\S{1,290})?$")] = ""
    effective_from: date | None = None
    effective_to: date | None = None


class Cite(_Strict, frozen=True, kw_only=True):
    """Where in a source an item stands, and how sure we are of it."""

    source: _Key
    article_zh: _Line = ""
    article_en: _Line = ""
    quote: _Quote = ""
    confidence: Confidence
    verified_by: Annotated[str, Meta(max_length=80)] = ""
    verified_at: date | None = None


class Item(_Strict, frozen=True, kw_only=True):
    """One thing to check."""

    item_id: _ItemId
    text_zh: _Text
    text_en: _Text
    duty: Duty
    severity_if_fail: Annotated[str, Meta(pattern="^S[1-4]$")]
    evidence_types_zh: Annotated[tuple[_Title, ...], Meta(max_length=10)] = ()
    evidence_types_en: Annotated[tuple[_Title, ...], Meta(max_length=10)] = ()
    figures: Annotated[tuple[_Figure, ...], Meta(max_length=5)] = ()
    when: Annotated[tuple[_Key, ...], Meta(max_length=8)] = ()
    cites: Annotated[tuple[Cite, ...], Meta(max_length=8)] = ()
    counsel_tick: str = ""

    @property
    def confidence(self) -> Confidence:
        """That of the least sure of its sources; without any, nothing is sure."""
        known = [cite.confidence for cite in self.cites]
        return max(known, key=SURENESS.index, default=Confidence.UNCERTAIN)


class Pack(_Strict, frozen=True, kw_only=True):
    """A whole pack."""

    pack_id: _Id
    version: _Version
    title_zh: _Title
    title_en: _Title
    jurisdiction: Annotated[str, Meta(pattern=r"^[A-Z]{2,8}$")]
    effective_from: date
    effective_to: date | None = None
    when: Annotated[tuple[_Key, ...], Meta(max_length=8)] = ()
    sources: dict[_Key, Source] = {}
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=MOST_ITEMS)]

    @property
    def order(self) -> tuple[int, ...]:
        return order_of(self.version)

    def hash(self) -> str:
        """SHA-256 of the content, however the file was laid out."""
        return digest(msgspec.to_builtins(self))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file; ``fix`` says what to do about it."""

    item: str  # "" for the pack itself
    field: str
    fix: Message


class PackRefused(Exception):
    """A file that is no pack we could stand behind."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = list(faults[:MOST_FAULTS])


def order_of(version: str) -> tuple[int, ...]:
    """Versions compare by their numbers: 2026.9 comes before 2026.11."""
    return tuple(int(part) for part in version.split("."))


def digest(value: Any) -> str:
    """SHA-256 of JSON with its keys sorted."""
    text = json.dumps(
        msgspec.to_builtins(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def item_hash(pack: Pack, item: Item) -> str:
    """What a counsel's tick binds: the item with the sources it points to."""
    cited = {cite.source: pack.sources[cite.source] for cite in item.cites}
    return digest([item, cited])


# -- reading -----------------------------------------------------------------------------------


def load(content: bytes, name: str, facts: Mapping[str, Any]) -> Pack:
    """The pack of a TOML or JSON file.  Raises ``PackRefused`` with everything that is wrong."""
    return check(decode(content, name), facts)


def decode(content: bytes, name: str) -> dict[str, Any]:
    """The raw tables of a file."""
    if len(content) > MOST_BYTES:
        raise _refuse("", "file", N_("文件超过 1 MB，请拆成几个清单包"))
    try:
        text = content.decode("utf-8-sig")
        raw = json.loads(text) if name.lower().endswith(".json") else tomllib.loads(text)
    except UnicodeDecodeError:
        raise _refuse("", "file", N_("请把文件另存为 UTF-8 编码")) from None
    except tomllib.TOMLDecodeError as fault:
        raise _refuse(
            "", "file", N_("不是完整的 TOML，请改正：{where}"), where=_where(fault)
        ) from None
    except (json.JSONDecodeError, RecursionError) as fault:
        line = getattr(fault, "lineno", 1)
        raise _refuse(
            "", "file", N_("不是完整的 JSON，请改正第 {line} 行附近"), line=line
        ) from None
    if not isinstance(raw, dict):
        raise _refuse("", "file", N_("最外层须是一张表，包含 pack_id、version 和 items"))
    return raw


def _where(fault: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"line (\d+)", str(fault))
    return f"line {found[1]}" if found else "end of file"


def check(raw: dict[str, Any], facts: Mapping[str, Any]) -> Pack:
    """A pack of raw tables; ``facts`` are the keys that rules of applicability may name."""
    faults: list[Fault] = [*_shape_faults(raw)]
    if faults:
        raise PackRefused(faults)
    pack = msgspec.convert(raw, Pack)
    faults = [*_pack_faults(pack, facts), *_item_faults(pack, facts)]
    if faults:
        raise PackRefused(faults)
    return pack


def _refuse(item: str, field: str, text: str, **params: object) -> PackRefused:
    return PackRefused([Fault(item, field, Message(text, params))])


_TABLES: Final = (("sources", dict), ("items", list))


def _shape_faults(raw: dict[str, Any]) -> list[Fault]:
    """Faults of form, item by item, so that all are told at once."""
    for name, kind in _TABLES:
        if not isinstance(raw.get(name, kind()), kind):
            return [
                Fault(
                    "",
                    name,
                    Message(N_("「{field}」的写法不对，请对照导出的样例"), {"field": name}),
                )
            ]
    faults: list[Fault] = []
    head = {k: v for k, v in raw.items() if k not in {"items", "sources"}}
    probe = {"item_id": "0", "text_zh": "x", "text_en": "x", "duty": "G", "severity_if_fail": "S1"}
    faults += _converted({**head, "items": [probe]}, Pack, "")
    for key, value in raw.get("sources", {}).items():
        faults += _converted(value, Source, f"sources.{str(key)[:20]}")
    items = raw.get("items", [])
    if not 1 <= len(items) <= MOST_ITEMS:
        return [
            *faults,
            Fault("", "items", Message(N_("请写 1 到 {n} 项 items"), {"n": MOST_ITEMS})),
        ]
    for index, value in enumerate(items, start=1):
        named = str(value.get("item_id", "")) if isinstance(value, dict) else ""
        faults += _converted(value, Item, named[:20] or f"#{index}")
        if len(faults) >= MOST_FAULTS:
            break
    return faults


def _converted(value: Any, shape: type[msgspec.Struct], item: str) -> list[Fault]:
    """Every unknown and missing field; then, of the rest, the first that is not written well."""
    faults: list[Fault] = []
    if isinstance(value, dict):
        known = {f.name: f.required for f in msgspec.structs.fields(shape)}
        unknown = [str(name)[:80] for name in value if name not in known]
        absent = [name for name, needed in known.items() if needed and name not in value]
        faults += [Fault(item, name, Message(UNKNOWN, {"field": name})) for name in unknown]
        faults += [Fault(item, name, Message(ABSENT, {"field": name})) for name in absent]
        if absent:
            return faults
        value = {name: held for name, held in value.items() if name in known}
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as fault:
        faults.append(Fault(item, *_explained(str(fault))))
    return faults


UNKNOWN: Final = N_("无法识别的栏目「{field}」，请删除或改正拼写")
ABSENT: Final = N_("缺少「{field}」，请补上")


def _explained(fault: str) -> tuple[str, Message]:
    """msgspec's sentence as a field and what to do about it."""
    at = re.search(r"at `\$\.?(.*?)`$", fault)
    path = re.sub(r"\[\.\.\.\]|\[\d+\]", "", at[1]) if at else ""
    if unknown := re.search(r"unknown field `(.+?)`", fault):
        name = f"{path}.{unknown[1]}".strip(".")
        return name, Message(
            N_("无法识别的栏目「{field}」，请删除或改正拼写"), {"field": name[:80]}
        )
    if absent := re.search(r"missing required field `(.+?)`", fault):
        name = f"{path}.{absent[1]}".strip(".")
        return name, Message(ABSENT, {"field": name[:80]})
    if "Invalid enum value" in fault:
        choices = " / ".join(_CHOICES.get(path.rpartition(".")[2], ()))
        return path, Message(
            N_("「{field}」不在可选值内，请改为：{choices}"), {"field": path, "choices": choices}
        )
    return path, Message(
        N_("「{field}」的写法或长度不对，请对照导出的样例"), {"field": path or "file"}
    )


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "duty": tuple(Duty),
    "force": tuple(Force),
    "scope": tuple(Scope),
    "confidence": tuple(Confidence),
    "severity_if_fail": EVERY_SEVERITY,
}


# -- contradictions ----------------------------------------------------------------------------


def _pack_faults(pack: Pack, facts: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    if pack.effective_to is not None and pack.effective_to < pack.effective_from:
        faults.append(_fault("", "effective_to", N_("失效日期早于生效日期，请改正其中一个")))
    faults += [
        _fault("", "when", N_("没有「{field}」这项事实，请删除或改正"), key)
        for key in pack.when
        if key not in facts
    ]
    for key, source in pack.sources.items():
        begun, ended = source.effective_from, source.effective_to
        if begun and ended and ended < begun:
            faults.append(
                _fault(f"sources.{key}", "effective_to", N_("失效日期早于生效日期，请改正其中一个"))
            )
    return faults


def _item_faults(pack: Pack, facts: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[str] = set()
    for item in pack.items:
        if item.item_id in seen:
            faults.append(_fault(item.item_id, "item_id", N_("这一项出现了两次，请合并或改编号")))
        seen.add(item.item_id)
        faults += [_fault(item.item_id, *found) for found in _of_item(item, facts)]
        faults += [_fault(item.item_id, *found) for found in _of_cites(pack, item)]
    return faults


def _of_item(item: Item, facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    if len(item.evidence_types_zh) != len(item.evidence_types_en):
        found.append(("evidence_types_en", N_("中英文证据种类的个数不同，请一一对应")))
    if item.counsel_tick:
        found.append(("counsel_tick", N_("律师确认不能随文件带入，请清空，导入后由审批人登记")))
    found += [
        ("when", N_("没有「{field}」这项事实，请删除或改正"), key)
        for key in item.when
        if key not in facts
    ]
    return found


def _of_cites(pack: Pack, item: Item) -> list[tuple[str, ...]]:
    """A duty needs a source that could be one; a source said to be read needs its reader."""
    found: list[tuple[str, ...]] = []
    for cite in item.cites:
        source = pack.sources.get(cite.source)
        if source is None:
            found.append(
                ("cites.source", N_("sources 中没有「{field}」，请补上这份文件"), cite.source)
            )
        read = bool(cite.verified_by and cite.verified_at)
        if cite.confidence is Confidence.READ and not read:
            found.append(
                ("cites.verified_by", N_("写「V」须同时写明核对人 verified_by 和日期 verified_at"))
            )
        if cite.confidence is not Confidence.READ and (cite.verified_by or cite.verified_at):
            found.append(("cites.confidence", N_("有核对人或核对日期的，confidence 须为「V」")))
    if item.duty in DUTIES:
        claims = [c for c in item.cites if _carries(pack.sources.get(c.source), item.duty)]
        if not claims:
            found.append(
                ("cites", N_("标为「应当」却没有出处，请补充文件与条款，或把 duty 改为 G"))
            )
        elif item.duty is not Duty.LIKELY and not any(c.article_zh for c in claims):
            found.append(
                ("cites.article_zh", N_("标为「应当」须写明条款号，写不出的请改为 M? 或 G"))
            )
    return found


_OUTSIDE: Final = frozenset({Force.STANDARD, Force.INTERNAL, Force.PRACTICE})


def _carries(source: Source | None, duty: Duty) -> bool:
    """Whether a duty of this kind can rest on the source at all."""
    if source is None or source.force in _OUTSIDE:
        return False
    if duty is Duty.UK:
        return source.scope is Scope.UK
    if duty is Duty.MUST:
        return source.scope is Scope.BINDS
    return source.scope in {Scope.BINDS, Scope.CONFIRM}


def _fault(item: str, field: str, text: str, value: str = "") -> Fault:
    return Fault(item, field, Message(text, {"field": value} if value else {}))
