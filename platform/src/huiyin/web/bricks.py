"""The smallest parts of a page, made once for each set of arguments and then remembered.

A list of fifty rows shows the same marks hundreds of times; as macros they were most of its cost.
Arguments are told apart by type too, so that what is escaped is never taken for what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

_REMEMBERED: Final = 4096
_SLA_ICONS: Final[Mapping[str, str]] = {
    "late": "alarm", "soon": "clock", "held": "pause", "done": "checkc",
}  # fmt: skip
_HEX: Final = "0123456789ABCDEF"


def bricks(static: Callable[[str], str]) -> dict[str, Callable[..., Markup]]:
    """``ic``, ``avatar``, ``who``, ``dots9`` and ``sla``, as templates call them."""

    @lru_cache(_REMEMBERED, typed=True)
    def ic(name: str, cls: str = "") -> Markup:
        """An icon of the one sheet."""
        return Markup('<svg class="ic{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
            f" {cls}" if cls else "", static("icons.svg"), name
        )

    @lru_cache(_REMEMBERED, typed=True)
    def sla(state: str, text: str) -> Markup:
        """Time left: the words carry the state, the colour repeats it."""
        shown = ic(_SLA_ICONS.get(state, "clock"))
        return Markup('<span class="sla{}">{}{}</span>').format(
            f" {state}" if state else "", shown, text
        )

    return {"ic": ic, "sla": sla, "avatar": avatar, "who": who, "dots9": dots9}


class Kept:
    """Pieces of pages by everything that stands on them: the same words, the same piece.

    A key holds all that was written into its piece, so that nothing is ever shown that the
    reader's own query did not just answer.  What is beyond the bound is forgotten all at once.
    """

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most, self._pieces = most, dict[Hashable, Markup]()

    def get(self, key: Hashable) -> Markup | None:
        return self._pieces.get(key)

    def put(self, key: Hashable, piece: Markup) -> Markup:
        if len(self._pieces) >= self._most:
            self._pieces.clear()
        self._pieces[key] = piece
        return piece


@lru_cache(_REMEMBERED, typed=True)
def avatar(name: Any, size: str = "", alone: bool = False) -> Markup:
    """A first character; the colour follows the name, the same on every page."""
    shade = "abcd"[_HEX.find(quote(str(name))[-1:]) % 4]
    spoken = Markup('role="img" aria-label="{}"').format(name)
    label = spoken if alone else Markup('aria-hidden="true"')
    return Markup('<span class="avatar {}{}" {}>{}</span>').format(
        shade,
        f" {size}" if size else "",
        label,
        name[:1],
    )


@lru_cache(_REMEMBERED, typed=True)
def who(name: Any) -> Markup:
    return Markup('<span class="who">{}{}</span>').format(avatar(name), name)


@lru_cache(_REMEMBERED, typed=True)
def dots9(stage_index: int) -> Markup:
    """The nine stages: done, current, ahead."""
    dots = "".join(
        '<i class="d"></i>'
        if i < stage_index
        else '<i class="c"></i>'
        if i == stage_index
        else "<i></i>"
        for i in range(1, 10)
    )
    return Markup(f'<span class="dots9" aria-hidden="true">{dots}</span>')  # noqa: S704 - ours
