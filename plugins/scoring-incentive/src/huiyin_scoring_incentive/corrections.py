"""A figure set right by an appeal: for what lists nothing to leave out, or lacks something.

Whoever decides gives the value as people read it and how many things stand behind it; both, and
what was there before, are kept with the appeal and shown in the explanation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from huiyin.sdk import N_, FigureUnit, Invalid, Message
from huiyin_scoring_incentive import rounds, scoring
from huiyin_scoring_incentive.lint import RANGE
from huiyin_scoring_incentive.schemas import DecisionForm


@dataclass(frozen=True, slots=True)
class Correction:
    """``value`` is in the unit people read: 80 means 80 %."""

    part: scoring.Part  # as it was
    value: float
    n: int

    @property
    def figure(self) -> str:
        return self.part.figure

    @property
    def given(self) -> scoring.Input:
        scale = scoring.scale(rounds.frozen_figure(self.part))
        return scoring.Input(self.value / scale, self.n)

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.figure, "value": self.value, "n": self.n, "was": self.part.value,
            "was_n": self.part.n,
        }  # fmt: skip

    def marked(self, result: scoring.Result) -> tuple[scoring.Part, ...]:
        """The parts of the new score, the corrected one saying what it was."""
        return tuple(
            msgspec.structs.replace(p, corrected=True, was=self.part.value, was_n=self.part.n)
            if p.figure == self.figure
            else p
            for p in result.parts
        )


def asked(
    form: DecisionForm, parts: Mapping[str, scoring.Part], left_out: Collection[str]
) -> Correction | None:
    """What a decision sets right.  Raises ``Invalid`` at the field."""
    if not form.figure:
        if form.value is not None or form.n is not None:
            raise Invalid({"figure": Message(N_("请选择要更正的指标"))})
        return None
    part = parts.get(form.figure)
    if part is None:
        raise Invalid({"figure": Message(N_("请从给出的选项中选择"))})
    if form.figure in left_out:
        raise Invalid({"figure": Message(N_("同一指标不能既剔除事项又更正数值"))})
    low, high = RANGE[FigureUnit(part.unit)]
    if form.value is None or not math.isfinite(form.value) or not low <= form.value <= high:
        said = N_("请填写 {low} 到 {high} 之间的数字")
        raise Invalid({"value": Message(said, {"low": f"{low:g}", "high": f"{high:g}"})})
    if part.unit == FigureUnit.COUNT:
        return Correction(part, form.value, int(form.value))
    if form.n is None:
        raise Invalid({"n": Message(N_("请填写更正后的样本数"))})
    return Correction(part, form.value, form.n)
