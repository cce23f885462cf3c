"""Tables on a telephone: a row becomes a card whose values say what they are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [
    path
    for folder in (ROOT / "frontend/src", ROOT / "plugins")
    for path in sorted(folder.rglob("templates/**/*.html"))
]
TABLE = re.compile(r'<table class="tbl\b([^"]*)".*?</table>', re.DOTALL)
HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
HEADING = re.compile(r"<th(?:\s[^>]*)?>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<tr(?:\s[^>]*)?>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<td(\s[^>]*)?>(.*?)</td>", re.DOTALL)


def tables():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        for found in TABLE.finditer(text):
            place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
            yield place, found[1].split(), found[0]


def headings(table):
    head = HEAD.search(table)
    return HEADING.findall(head[1]) if head else []


def test_a_table_of_four_columns_is_cards_or_a_grid():
    assert [
        place
        for place, classes, table in tables()
        if len(headings(table)) > 3 and not {"cards", "matrix", "inbox"} & set(classes)
    ] == []


def test_each_value_on_a_card_says_what_it_is():
    """All but the title (with what stands small above it) and what can be done."""
    silent = []
    for place, classes, table in tables():
        if "cards" not in classes:
            continue
        titles = headings(table)
        for row in ROW.findall(table.partition("</thead>")[2]):
            cells = CELL.findall(row)
            if "colspan" in row or len(cells) != len(titles):
                continue
            for i, (attributes, words) in enumerate(cells):
                acts = not titles[i] or 'class="vh"' in titles[i]
                if i > 1 and not acts and "data-th=" not in attributes:
                    silent.append(f"{place}: {words[:60]}")
    assert silent == []
