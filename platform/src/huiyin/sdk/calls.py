"""Writing a telephone call down on a case, as the composer of the case page does."""

from __future__ import annotations

from huiyin.cases import service
from huiyin.cases.models import Case
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor


def log_call(
    session: ScopedSession, actor: Actor, number: str, body: str, *, reached: bool = True
) -> Case:
    """A line of the case's timeline; whoever writes it handles the case from then on.

    A call in which nobody was ``reached`` is an internal note: the clocks do not take it for
    contact with the complainant.  Raises what any act on a case may raise.
    """
    return service.talk(session, actor, number, "call" if reached else "note", body)
