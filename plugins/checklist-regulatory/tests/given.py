"""A figure that another plugin lends, for tests that quote one."""

from huiyin.sdk import Figure, FigureUnit, Measured, Nature, today


def half(ctx, period):
    del ctx
    return [Measured(0.5, 4)] if period.until >= today() else []


LIVE = Figure(
    name="other:half", title="一半", definition="就是一半", unit=FigureUnit.SHARE,
    nature=Nature.CONTROL, measure=half,
)  # fmt: skip
