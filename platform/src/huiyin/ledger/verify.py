"""Check an exported ledger with nothing but Python 3.10: ``python verify.py export.json``.

This one file is given to people who trust neither the firm nor the platform.  It imports nothing
but the standard library and repeats the few lines of Merkle arithmetic it needs, because whoever
reads it must be able to read all of it.  Exit code 0: nothing wrong found; 1: the first bad entry
is named; 2: the file could not be read.  What cannot be proven is printed each time.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import struct
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "huiyin-ledger/1"
GENESIS = bytes(32)
Held = Sequence[tuple[int, bytes]]  # a number and a hash, kept outside
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)


def N_(text: str) -> str:  # noqa: N802 - the name extraction tools know
    return text


# Every finding, in Chinese and in English.
PROBLEMS = {
    "unreadable": (N_("第 {seq} 条无法读取"), "entry {seq} cannot be read"),
    "missing": (N_("第 {seq} 条缺失"), "entry {seq} is missing"),
    "order": (N_("第 {seq} 条重复或次序颠倒"), "entry {seq} is repeated or out of order"),
    "leaf": (N_("第 {seq} 条的内容与其摘要不符"), "entry {seq} does not match its own hash"),
    "prev": (N_("第 {seq} 条与前一条接不上"), "entry {seq} does not follow the one before"),
    "hash": (N_("第 {seq} 条的链值不符"), "the chain value of entry {seq} is wrong"),
    "index": (N_("第 {seq} 条的检索栏与内容不符"), "entry {seq} is filed under other facts"),
    "opened": (N_("第 {seq} 条的承诺值与打开的内容不符"), "entry {seq} committed to another value"),
    "head": (N_("账本末端与第 {seq} 条不符"), "the ledger's head does not match entry {seq}"),
    "beyond": (N_("第 {seq} 条超出账本末端"), "entry {seq} lies beyond the ledger's head"),
    "root": (N_("第 {seq} 至 {size} 条与检查点不符"), "entries {seq}-{size} fail a checkpoint"),
    "pinned": (
        N_("第 {seq} 至 {size} 条与您手中的检查点不符"),
        "entries {seq}-{size} differ from the checkpoint you hold",
    ),
    "note": (N_("第 {seq} 条处检查点的文本与数值不符"), "the note of checkpoint {seq} is wrong"),
    "receipt": (N_("您手中的回执与第 {seq} 条不符"), "the receipt you hold is not entry {seq}"),
    "absent": (N_("节选中没有您手中的第 {seq} 条"), "the extract lacks {seq}, which you hold"),
    "inclusion": (N_("不能证明第 {seq} 条在检查点之内"), "no checkpoint contains entry {seq}"),
    "consistency": (N_("检查点自第 {seq} 条起不相续"), "checkpoints part ways at entry {seq}"),
}
# What no run of this file proves, and what this one did not.
UNPROVEN = {
    "lies": ("登记时就不实的内容，仍然不实", "what was untrue when entered stays untrue"),
    "omission": ("从未登记的事无从知道", "what was never entered cannot be seen"),
    "time": ("时间以平台时钟为准", "times are those of the platform's clock"),
    "unsigned": ("检查点未经签名", "checkpoints are not signed"),
    "unpinned": ("没有外部凭据可比，整本重写不能发现", "a complete rewriting goes unseen"),
    "tail": ("第 {n} 条之后如有改写，不能发现", "a rewriting after entry {n} goes unseen"),
    "closed": ("{n} 项承诺值未打开，未核对", "{n} commitments were not opened or checked"),
    "extract": ("这是节选，是否齐全不能证明", "in an extract entries may have been left out"),
    "loose": ("{n} 条尚未被检查点覆盖", "{n} entries are not covered by a checkpoint yet"),
}


@dataclass(frozen=True)
class Problem:
    """The first thing wrong; ``seq`` is the first entry it can concern."""

    code: str
    seq: int
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "zh") -> str:
        return PROBLEMS[self.code][language == "en"].format(seq=self.seq, **self.params)


@dataclass(frozen=True)
class Entry:
    """One entry as it was exported; ``filed`` is (kind, object, actor) where there is an index."""

    seq: int
    at_us: int
    doc: bytes
    leaf: bytes
    prev: bytes
    hash: bytes
    filed: tuple[str, str, str | None] | None = None
    opened: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """A checkpoint; ``outside`` when the reader brought it along."""

    size: int
    root: bytes
    outside: bool = False


@dataclass(frozen=True)
class Verdict:
    """What was found in a bundle, and which of ``UNPROVEN`` remain open (with a number each)."""

    entries: int
    problem: Problem | None
    unproven: Mapping[str, int]


def leaf_hash(seq: int, at_us: int, tenant: uuid.UUID, doc: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + struct.pack(">qq", seq, at_us) + tenant.bytes + doc).digest()


def link(prev: bytes, leaf: bytes) -> bytes:
    return hashlib.sha256(b"chain1" + prev + leaf).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def push(frontier: list[bytes], size: int, leaf: bytes) -> None:
    while size & 1:
        leaf, size = node(frontier.pop(), leaf), size >> 1
    frontier.append(leaf)


def fold(frontier: Sequence[bytes]) -> bytes:
    answer = frontier[-1] if frontier else hashlib.sha256(b"").digest()
    for left in reversed(frontier[:-1]):
        answer = node(left, answer)
    return answer


def climb(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root an inclusion proof leads to; ``ValueError`` if it is too long or too short."""
    if size == 1 and index == 0 and not path:
        return leaf
    if not 0 <= index < size or not path:
        raise ValueError("not an inclusion proof")
    half = 1 << ((size - 1).bit_length() - 1)
    if index < half:
        return node(climb(leaf, index, half, path[:-1]), path[-1])
    return node(path[-1], climb(leaf, index - half, size - half, path[:-1]))


def replay(
    old: int, new: int, path: Sequence[bytes], root: bytes, *, whole: bool = True
) -> tuple[bytes, bytes]:
    """Both roots a consistency proof leads to, given the old one; ``ValueError`` as above."""
    if old == new and len(path) == (0 if whole else 1):
        return (root, root) if whole else (path[0], path[0])
    if not 0 < old < new or not path:
        raise ValueError("not a consistency proof")
    half, side = 1 << ((new - 1).bit_length() - 1), path[-1]
    if old <= half:
        before, after = replay(old, half, path[:-1], root, whole=whole)
        return before, node(after, side)
    before, after = replay(old - half, new - half, path[:-1], root, whole=False)
    return node(side, before), node(side, after)


class Chain:
    """Takes entries one by one in order; the first problem found is kept and the rest ignored."""

    def __init__(self, tenant: uuid.UUID, marks: Iterable[Mark], receipts: Held = ()) -> None:
        self.tenant = tenant
        self.subject: str | None = None  # an extract is about one thing only
        self.marks: dict[int, list[Mark]] = {}
        for mark in marks:
            self.marks.setdefault(mark.size, []).append(mark)
        self.receipts = list(receipts)
        self.problem: Problem | None = None
        self.size = self.closed = self.sealed = 0
        self.last, self.frontier = GENESIS, list[bytes]()

    def add(self, entry: Entry) -> bool:
        """Whether all is well so far."""
        due = self.size + 1
        if self.problem is None and entry.seq != due:
            code = "missing" if entry.seq > due else "order"
            self.problem = Problem(code, min(due, entry.seq))
        self.problem = self.problem or self.content(entry) or self._grow(entry)
        return self.problem is None

    def content(self, entry: Entry) -> Problem | None:
        """What an entry can be asked without its neighbours."""
        code = None
        if leaf_hash(entry.seq, entry.at_us, self.tenant, entry.doc) != entry.leaf:
            code = "leaf"
        elif link(entry.prev, entry.leaf) != entry.hash:
            code = "hash"
        elif any(n == entry.seq and value != entry.hash for n, value in self.receipts):
            code = "receipt"
        try:
            code = code or self._said(entry)
        except UNREADABLE:
            code = "unreadable"
        return Problem(code, entry.seq) if code else None

    def _said(self, entry: Entry) -> str | None:
        doc = strict(entry.doc)
        if doc["v"] != 1:
            return "unreadable"
        if self.subject not in (None, doc["object"]):
            return "index"
        if entry.filed and entry.filed != (doc["kind"], doc["object"], doc["actor"]):
            return "index"
        self.closed += len(doc["commits"].keys() - entry.opened.keys())
        for name, (salt, value) in entry.opened.items():
            if hmac.new(salt, value, hashlib.sha256).hexdigest() != doc["commits"].get(name):
                return "opened"
        return None

    def _grow(self, entry: Entry) -> Problem | None:
        if entry.prev != self.last:
            return Problem("prev", entry.seq)
        push(self.frontier, self.size, entry.leaf)
        self.size, self.last = entry.seq, entry.hash
        for mark in self.marks.get(self.size, ()):
            if mark.root != fold(self.frontier):
                code = "pinned" if mark.outside else "root"
                return Problem(code, self.sealed + 1, {"size": self.size})
        self.sealed = self.size if self.size in self.marks else self.sealed
        return None

    def end(self, seq: int, value: bytes, frontier: Sequence[bytes] | None = None) -> None:
        """Compare with what the head says: how many entries, the last hash, the compact range."""
        promised = max(seq, *self.marks, *(number for number, _ in self.receipts), 0)
        if self.size > seq:
            self.problem = self.problem or Problem("beyond", seq + 1)
        elif self.size < promised:
            self.problem = self.problem or Problem("missing", self.size + 1)
        elif value != self.last or self.frontier != (
            self.frontier if frontier is None else list(frontier)
        ):
            self.problem = self.problem or Problem("head", seq)


def strict(raw: bytes | str) -> Any:
    """JSON in which no key stands twice: two readers must not read two things."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    return json.loads(raw, object_pairs_hook=once)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError("not a number")
    return value


def _hash(value: str) -> bytes:
    """32 bytes, in hex or, as in a checkpoint's note, in base64."""
    raw = bytes.fromhex(value) if len(value) == 64 else base64.b64decode(value, validate=True)
    if len(raw) != 32:
        raise ValueError("not a hash")
    return raw


def _held(value: str) -> tuple[int, bytes]:
    number, _, digest = value.partition(":")
    return _whole(int(number)), _hash(digest)


def entry_of(raw: Mapping[str, Any]) -> Entry:
    """One entry of a bundle; raises what ``UNREADABLE`` lists."""
    opened = {
        name: (bytes.fromhex(part["salt"]), bytes.fromhex(part["value_hex"]))
        for name, part in raw.get("opened", {}).items()
    }
    numbers = _whole(raw["seq"]), _whole(raw["at_us"])
    hashes = _hash(raw["leaf"]), _hash(raw["prev"]), _hash(raw["hash"])
    return Entry(*numbers, raw["doc"].encode(), *hashes, opened=opened)


def _book(chain: Chain, bundle: Mapping[str, Any]) -> None:
    """A whole ledger: every entry, then the head."""
    for raw in bundle["entries"]:
        try:
            entry = entry_of(raw)
        except UNREADABLE:
            chain.problem = Problem("unreadable", chain.size + 1)
        if chain.problem or not chain.add(entry):
            return
    chain.end(_whole(bundle["head"]["seq"]), _hash(bundle["head"]["hash"]))


def _extract(chain: Chain, bundle: Mapping[str, Any], marks: Sequence[Mark]) -> int:
    """The entries about one thing, each proven to be in the last checkpoint; how many are not."""
    problem, chain.subject = _continuous(bundle, marks), str(uuid.UUID(bundle["object"]))
    last, loose, seen = marks[-1] if marks else Mark(0, b""), 0, [0]
    for raw in bundle["entries"]:
        try:
            entry = entry_of(raw)
            path = [_hash(step) for step in raw.get("inclusion", ())]
        except UNREADABLE:
            problem = problem or Problem("unreadable", seen[-1] + 1)
            break
        if entry.seq <= seen[-1]:
            problem = problem or Problem("order", entry.seq)
        problem = problem or chain.content(entry)
        seen.append(entry.seq)
        loose += entry.seq > last.size
        if entry.seq <= last.size and not _within(entry, last, path):
            problem = problem or Problem("inclusion", entry.seq)
    roots = {mark.size: mark.root for mark in marks}
    for size, pinned in chain.marks.items():
        if any(roots.get(size, mark.root) != mark.root for mark in pinned):
            problem = problem or Problem("pinned", 1, {"size": size})
    held = chain.marks.keys() - roots.keys() | {n for n, _ in chain.receipts} - set(seen)
    chain.problem = problem or (Problem("absent", min(held)) if held else None)
    return loose


def _within(entry: Entry, mark: Mark, path: Sequence[bytes]) -> bool:
    try:
        return climb(entry.leaf, entry.seq - 1, mark.size, path) == mark.root
    except ValueError:
        return False


def _continuous(bundle: Mapping[str, Any], marks: Sequence[Mark]) -> Problem | None:
    """Whether the last checkpoint only continues each one before it."""
    for old, raw in zip(marks[:-1], bundle["checkpoints"], strict=False):
        try:
            path = [_hash(step) for step in raw["consistency"]]
            roots = replay(old.size, marks[-1].size, path, old.root)
        except UNREADABLE:
            roots = None
        if roots != (old.root, marks[-1].root):
            return Problem("consistency", old.size + 1)
    return None


def check(bundle: Mapping[str, Any], pins: Held = (), receipts: Held = ()) -> Verdict:
    """Check a bundle; raises one of ``UNREADABLE`` when its frame is broken."""
    if bundle["format"] != FORMAT or bundle["scope"] not in ("ledger", "object"):
        raise ValueError("unknown format")
    marks = [Mark(_whole(raw["size"]), _hash(raw["root"])) for raw in bundle["checkpoints"]]
    outside = [Mark(*pin, outside=True) for pin in pins]
    chain = Chain(uuid.UUID(bundle["tenant"]), [*marks, *outside], receipts)
    extract, loose = bundle["scope"] == "object", 0
    if extract:
        loose = _extract(chain, bundle, marks)
    else:
        _book(chain, bundle)
    for mark, raw in zip(marks, bundle["checkpoints"], strict=True):
        lines = raw["note"].split("\n")
        if lines[1:3] != [str(mark.size), base64.b64encode(mark.root).decode()]:
            chain.problem = chain.problem or Problem("note", mark.size)
    held = max((number for number, _ in [*pins, *receipts]), default=0)
    tail = held if held < chain.size else 0
    unproven = {"lies": 1, "omission": 1, "time": 1, "unsigned": 1, "closed": chain.closed}
    unproven |= {"extract": extract, "loose": loose, "unpinned": not held, "tail": tail}
    unproven = {key: number for key, number in unproven.items() if number}
    return Verdict(len(bundle["entries"]), chain.problem, unproven)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a ledger, also against what you hold.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--pin", metavar="SIZE:ROOT", type=_held, action="append", default=[])
    parser.add_argument("--receipt", metavar="SEQ:HASH", type=_held, action="append", default=[])
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    options = parser.parse_args(arguments)
    english = options.language == "en"
    try:
        bundle = strict(options.export.read_bytes())
        verdict = check(bundle, options.pin, options.receipt)
    except (OSError, *UNREADABLE) as error:
        sys.stderr.write(f"{options.export}: {type(error).__name__}: {error}\n")
        return 2
    found = ("有问题：", "WRONG: ") if verdict.problem else ("未发现问题", "nothing wrong found")
    reason = verdict.problem.text(options.language) if verdict.problem else ""
    lines = [("共 {n} 条", "{n} entries")[english].format(n=verdict.entries)]
    lines.append(found[english] + reason)
    lines.append(("不能证明：", "Not proven:")[english])
    lines += [f"- {UNPROVEN[k][english].format(n=n)}" for k, n in verdict.unproven.items()]
    text = "\n".join(lines) + "\n"
    # A console that lacks a letter must not turn a verdict into a crash.
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
    return 1 if verdict.problem else 0


if __name__ == "__main__":
    sys.exit(main())
