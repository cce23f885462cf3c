"""RFC 6962 Merkle trees over leaves that are hashed already.

Checkpoints hand out one root for the whole book; from it a stranger can be shown that an entry is
in the book (inclusion), and that a later book only continues an earlier one (consistency).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node; the prefix keeps it apart from every leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def push(frontier: list[bytes], size: int, leaf: bytes) -> None:
    """Add a leaf to the compact range of the ``size`` leaves before it."""
    while size & 1:
        leaf = node(frontier.pop(), leaf)
        size >>= 1
    frontier.append(leaf)


def fold(frontier: Sequence[bytes]) -> bytes:
    """The root of a compact range."""
    if not frontier:
        return EMPTY
    answer = frontier[-1]
    for left in reversed(frontier[:-1]):
        answer = node(left, answer)
    return answer


class Tree:
    """All levels over a fixed list of leaves, for drawing many proofs from one pass."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.size = len(leaves)
        level = list(leaves)
        self._levels = [level]
        while len(level) > 1:
            pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            # A node without a sibling moves up as it is: RFC 6962's tree, read from below.
            level = pairs + level[len(pairs) * 2 :]
            self._levels.append(level)

    @property
    def root(self) -> bytes:
        return self._levels[-1][0] if self.size else EMPTY

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of the leaf at ``index`` (from 0); raises ``IndexError`` outside."""
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} among {self.size}")
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the first ``old`` leaves are where they were; ``ValueError`` outside."""
        if not 0 < old <= self.size:
            raise ValueError(f"no consistency from {old} to {self.size}")
        path: list[bytes] = []
        start, end, whole = 0, self.size, True
        while old != end:
            half = start + (1 << ((end - start - 1).bit_length() - 1))
            if old <= half:
                path.append(self._subtree(half, end))
                end = half
            else:
                path.append(self._subtree(start, half))
                start, whole = half, False
        if not whole:
            path.append(self._subtree(start, end))
        return path[::-1]

    def _subtree(self, start: int, end: int) -> bytes:
        height = (end - start - 1).bit_length()
        return self._levels[height][start >> height]


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaves; the hash of nothing when there are none."""
    return Tree(leaves).root


def proves_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether the path leads from the leaf at ``index`` to the root over ``size`` leaves."""
    if not 0 <= index < size:
        return False
    last, answer = size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            answer = node(step, answer)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            answer = node(answer, step)
        index, last = index >> 1, last >> 1
    return last == 0 and answer == root


def proves_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the book of ``new`` entries begins with the very book of ``old`` entries."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            before, after = node(step, before), node(step, after)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            after = node(after, step)
        index, last = index >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
