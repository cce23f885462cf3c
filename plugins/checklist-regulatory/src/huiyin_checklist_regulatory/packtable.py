"""Packs as a table: one row for each item, its source in the same row, the pack's head in each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from huiyin.sdk import N_, Invalid, Line, Message, read_table, write_xlsx
from huiyin_checklist_regulatory.packfile import MOST_ITEMS, Fault, Pack, PackRefused

HEAD: Final = (
    "pack_id", "version", "title_zh", "title_en", "jurisdiction", "effective_from", "effective_to",
)  # fmt: skip
ITEM: Final = ("item_id", "text_zh", "text_en", "duty", "severity_if_fail")
LISTS: Final = ("evidence_types_zh", "evidence_types_en", "figures", "when")
SOURCE: Final = ("instrument_zh", "instrument_en", "number", "force", "scope", "url")
CITE: Final = ("article_zh", "article_en", "quote", "confidence", "verified_by", "verified_at")
COLUMNS: Final = (*HEAD, *ITEM, *LISTS, *SOURCE, *CITE)
NEEDED: Final = ("pack_id", "version", "effective_from", *ITEM)


def decode(content: bytes, name: str) -> dict[str, Any]:
    """The raw tables of a CSV or XLSX file.  Raises ``PackRefused``."""
    try:
        lines = read_table(io.BytesIO(content), name, NEEDED, most=MOST_ITEMS)
    except Invalid as wrong:
        raise PackRefused([Fault("", "file", m) for m in wrong.fields.values()]) from None
    if not lines:
        raise PackRefused([Fault("", "items", Message(N_("表里没有检查项，请至少填写一行")))])
    faults = [*_strangers(lines[0]), *_heads(lines)]
    if faults:
        raise PackRefused(faults)
    sources: dict[str, dict[str, Any]] = {}
    items = [_item(line, sources) for line in lines]
    return {**_filled(lines[0], HEAD), "sources": sources, "items": items}


def _strangers(line: Line) -> list[Fault]:
    text = N_("无法识别的栏目「{field}」，请删除或改正拼写")
    return [
        Fault("", name[:80], Message(text, {"field": name[:80]}))
        for name in line.cells
        if name not in COLUMNS
    ]


def _heads(lines: Sequence[Line]) -> list[Fault]:
    """The head is the same in every row, or left empty after the first."""
    first = lines[0].cells
    text = N_("第 {row} 行的「{field}」与第一行不同，一张表只能是一个清单包")
    return [
        Fault(
            line.cells.get("item_id", "")[:20],
            name,
            Message(text, {"row": line.number, "field": name}),
        )
        for line in lines[1:]
        for name in HEAD
        if line.cells.get(name) and line.cells[name] != first.get(name, "")
    ]


def _filled(line: Line, names: Sequence[str]) -> dict[str, Any]:
    return {name: line.cells[name] for name in names if line.cells.get(name)}


def _item(line: Line, sources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    item: dict[str, Any] = _filled(line, ITEM)
    for name in LISTS:
        if cell := line.cells.get(name):
            item[name] = [
                part.strip() for part in cell.replace(",", "、").split("、") if part.strip()
            ]
    source = _filled(line, SOURCE)
    if source:
        key = next((k for k, known in sources.items() if known == source), f"S{len(sources) + 1}")
        sources[key] = source
        item["cites"] = [{"source": key, **_filled(line, CITE)}]
    return item


def sample(pack: Pack) -> bytes:
    """A table to begin from: the first items of a pack, filled in."""
    rows = []
    for item in pack.items[:5]:
        cite = item.cites[0] if item.cites else None
        cells: Mapping[str, Any] = {
            **{name: getattr(pack, name) for name in HEAD},
            **{name: getattr(item, name) for name in ITEM},
            **{name: "、".join(getattr(item, name)) for name in LISTS},
            **({n: getattr(pack.sources[cite.source], n) for n in SOURCE} if cite else {}),
            **({n: getattr(cite, n) for n in CITE} if cite else {}),
            "pack_id": "my-firm", "version": "1",
        }  # fmt: skip
        rows.append([_shown(cells.get(name)) for name in COLUMNS])
    return write_xlsx({"items": (COLUMNS, rows)})


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
