"""A session that is lent: nothing written with it stays, and nothing ends its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from huiyin.db import ScopedSession

# What a borrowed session does not do, because the transaction is somebody else's.
_ENDINGS: Final = ("commit", "rollback", "close", "reset", "invalidate")


class NotYours(RuntimeError):
    """A plugin tried to end a transaction that was only lent to it."""


def _refuse() -> None:
    raise NotYours("the session was lent; it is committed by whoever opened it")


@contextmanager
def lent(session: ScopedSession) -> Iterator[None]:
    """Whatever is written inside is taken back, and nothing inside ends the transaction."""
    savepoint = session.begin_nested()
    kept = {name: held for name in _ENDINGS if (held := vars(session).get(name))}  # lent twice
    vars(session).update(dict.fromkeys(_ENDINGS, _refuse))
    try:
        yield
    finally:
        for name in _ENDINGS:
            del vars(session)[name]
        vars(session).update(kept)
        if session.in_nested_transaction():
            savepoint.rollback()
