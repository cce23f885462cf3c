"""The notice of channels: what stands on it, and its QR code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import segno
from markupsafe import Markup

from huiyin.sdk import Desk, Message, dates_if_filed
from huiyin_channel_web.words import FORCES, PLEDGED

_QUIET: Final = 4  # modules of white around the code, as the standard asks

_FRAME: Final = Markup(
    '<svg class="qr" viewBox="0 0 {0} {0}" aria-hidden="true" focusable="false">'
    '<rect class="qr-paper" width="{0}" height="{0}"/><path class="qr-ink" d="{1}"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Pledge:
    """A promise without a day: ``text`` takes ``{within}``."""

    text: str
    within: Message
    force: str


def pledges() -> list[Pledge]:
    """What is promised to everybody who files, as the time limits stand."""
    return [
        Pledge(PLEDGED[told.kind], told.within, FORCES.get(told.force, ""))
        for told in dates_if_filed()
        if told.kind in PLEDGED
    ]


def public_address(desk: Desk, path: str = "") -> str:
    """The full address of a public page of this firm."""
    site = desk.site.settings.public_url or str(desk.request.base_url)
    return f"{site.rstrip('/')}/p/{desk.tenant.slug}{path}"


def qr(address: str) -> Markup:
    """The address as a QR code: one path, drawn with classes and no inline style."""
    matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    size = len(matrix) + 2 * _QUIET
    drawn = "".join(
        f"M{x + _QUIET} {y + _QUIET}h{run}v1h-{run}z"
        for y, row in enumerate(matrix)
        for x, run in _runs(row)
    )
    return _FRAME.format(size, drawn)


def _runs(row: list[int]) -> list[tuple[int, int]]:
    """Beginning and length of each stretch of dark modules."""
    found: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((x, 1))
    return found
