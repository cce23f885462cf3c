"""What can be wrong with something that came in."""

from __future__ import annotations

from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_


class AlreadySettled(Conflict):
    """Somebody, or the clock, has decided already."""

    default = N_("这封来件刚刚已有去向，请刷新后再看")
