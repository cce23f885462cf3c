"""The words of an HTML mail.  Its looks, scripts, pictures and trackers are left behind."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

LONGEST: Final = 2_000_000  # characters that are read
_SILENT: Final = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS: Final = frozenset(
    {"p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
     "pre", "hr", "section", "article", "header", "footer", "address", "dl", "dt", "dd", "body"}
)  # fmt: skip
_VOID: Final = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "wbr"})


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT and tag not in _VOID:
            self.silent += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag in {"td", "th"}:
            self.pieces.append("\t")
        elif tag in _BLOCKS:
            self.pieces.append("\n- " if tag == "li" else "\n")
        elif tag == "a":
            target = dict(attrs).get("href") or ""
            self.links.append(target if target.startswith(("http://", "https://")) else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "a" and self.links:
            target = self.links.pop()
            if target and target not in "".join(self.pieces[-3:]):
                self.pieces.append(f" ({target[:500]})")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(re.sub(r"[ \r\n\t\f]+", " ", data))


def words_of(html: str) -> str:
    """The text of a page, its blocks on lines of their own."""
    parser = _Words()
    parser.feed(html[:LONGEST])
    parser.close()
    lines = [line.strip(" ") for line in "".join(parser.pieces).replace("\xa0", " ").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
