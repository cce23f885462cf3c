"""What can be wrong with a rule of assignment."""

from __future__ import annotations

from typing import ClassVar

from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_


class TooManyRules(Conflict):
    """A list that nobody can read any more decides things nobody meant."""

    code = "too_many_rules"
    default: ClassVar[str] = N_("规则最多 50 条，请先合并或删除不用的规则")
