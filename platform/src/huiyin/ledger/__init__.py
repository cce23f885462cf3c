"""The chained, append-only account of what was done, and how to check it."""

from huiyin.ledger.service import Mark, Receipt, append, checkpoint, shred

__all__ = ["Mark", "Receipt", "append", "checkpoint", "shred"]
