"""How well an item's source stands, and what may therefore be said of an item that is not met.

Only here is a breach ever put into words: a duty that binds this firm, its sources in force and
read word for word, and counsel's tick for the very text of the item.  Everything else is 待核实.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from huiyin.sdk import N_, Message
from huiyin_checklist_regulatory.models import Vouch
from huiyin_checklist_regulatory.packfile import Item
from huiyin_checklist_regulatory.terms import (
    DUTY_TITLES,
    Answer,
    Confidence,
    Duty,
    Voucher,
)

BREACH: Final = N_("违规：{source}")
UNVERIFIED: Final = N_("待核实")
VERIFIED: Final = N_("已核实")
SHORT: Final = N_("未达到：{duty}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has read the sources, and which counsel has ticked the item."""

    read_by: str = ""
    read_on: date | None = None
    counsel: str = ""
    counsel_on: date | None = None

    @property
    def verified(self) -> bool:
        return bool(self.read_by and self.counsel and self.read_on and self.counsel_on)

    def as_json(self) -> dict[str, Any]:
        return {
            "read_by": self.read_by, "read_on": _iso(self.read_on), "counsel": self.counsel,
            "counsel_on": _iso(self.counsel_on),
        }  # fmt: skip

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Standing:
        return cls(
            kept.get("read_by", ""), _day(kept.get("read_on")), kept.get("counsel", ""),
            _day(kept.get("counsel_on")),
        )  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def standing_of(item: Item, vouches: Iterable[Vouch], *, imported: bool) -> Standing:
    """What the pack says of its sources, and what this firm has vouched for since.

    Of an ``imported`` pack only the latter: anybody can write a reader's name into a file.
    """
    kinds = {vouch.kind: vouch for vouch in vouches}
    read, counsel = kinds.get(Voucher.READ), kinds.get(Voucher.COUNSEL)
    by, on = ("", None) if imported else _read_in_pack(item)
    if read is not None:
        by, on = read.person, read.on
    return Standing(
        by, on, counsel.person if counsel else "", counsel.on if counsel else None
    )  # fmt: skip


def _read_in_pack(item: Item) -> tuple[str, date | None]:
    """Read only when each source was: the last reader, and when."""
    if item.confidence is not Confidence.READ:
        return "", None
    last = max(item.cites, key=lambda cite: cite.verified_at or date.min)
    return last.verified_by, last.verified_at


def verdict(
    item: Item, answer: Answer | None, standing: Standing, source: str, *, binds: bool
) -> Message | None:
    """What is said beside an item that is not met; ``source`` is its citation.

    Nothing more is said than 待核实 without a verified and ticked source, nor where the item did
    not bind the firm (``binds``) over the whole time that was checked.
    """
    if answer is not Answer.NOT_MET:
        return None
    if not (standing.verified and binds):
        return Message(UNVERIFIED)
    if item.duty in {Duty.MUST, Duty.UK}:
        return Message(BREACH, {"source": source})
    return Message(SHORT, {"duty": Message(DUTY_TITLES[item.duty])})
