"""Named places where a test may break the process, to prove that nothing is lost there.

``HUIYIN_FAILPOINT="outbox.after_insert:kill"`` kills the process, without any clean-up, where
the code passes that name; ``:raise`` raises ``FailpointHit`` instead, and ``@3`` waits for the
third passing.  Unset, a failpoint costs one look into the environment.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Final

VARIABLE: Final = "HUIYIN_FAILPOINT"
_passed: Counter[str] = Counter()


class FailpointHit(RuntimeError):
    """The fault that a test asked for."""


def failpoint(name: str) -> None:
    """Do nothing, or what ``HUIYIN_FAILPOINT`` says about this name.

    Raises ``FailpointHit`` when told to, and ``ValueError`` for an instruction nobody defined.
    """
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return
    wanted, _, deed = instruction.partition(":")
    if wanted != name:
        return
    deed, _, nth = deed.partition("@")
    _passed[instruction] += 1
    if nth and _passed[instruction] != int(nth):
        return
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif deed == "raise":
        raise FailpointHit(name)
    else:
        raise ValueError(f"{VARIABLE} knows kill and raise, not {deed!r}")
