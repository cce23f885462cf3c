"""What people and programs send about plans."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from huiyin.cases.schemas import Money, Shape
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message

Long = Annotated[str, Meta(max_length=4_000)]
MOST_MEASURES = 20


class Measure(Shape, frozen=True, kw_only=True):
    """One thing to be done, by whom and by which day; approval makes it a task."""

    title: Annotated[str, Meta(min_length=2, max_length=200, title=N_("措施"))]
    owner_id: Annotated[uuid.UUID, Meta(title=N_("责任人"))] | None = None
    due_on: Annotated[date, Meta(title=N_("期限"))] | None = None


class PlanForm(Shape, frozen=True, kw_only=True):
    """The resolution plan as the API sends it and the service takes it."""

    goal: Annotated[str, Meta(min_length=2, max_length=2_000, title=N_("目标"))]
    measures: Annotated[
        tuple[Measure, ...], Meta(min_length=1, max_length=MOST_MEASURES, title=N_("措施"))
    ]
    amount: Annotated[Money, Meta(title=N_("金额"))] | None = None
    basis: Annotated[str, Meta(min_length=2, max_length=4_000, title=N_("依据"))]
    feasibility: Annotated[Long, Meta(title=N_("可行性"))] = ""
    precedent: Annotated[Long, Meta(title=N_("先例"))] = ""
    wish: Annotated[Long, Meta(title=N_("投诉人意向"))] = ""


class PlanFields(Shape, frozen=True, kw_only=True):
    """The same as a web form sends it: measures are rows of three inputs of the same names."""

    goal: Annotated[str, Meta(min_length=2, max_length=2_000, title=N_("目标"))]
    measure_title: Annotated[tuple[str, ...], Meta(title=N_("措施"))] = ()
    measure_owner: Annotated[tuple[str, ...], Meta(title=N_("责任人"))] = ()
    measure_due: Annotated[tuple[str, ...], Meta(title=N_("期限"))] = ()
    amount: Annotated[Money, Meta(title=N_("金额"))] | None = None
    basis: Annotated[str, Meta(min_length=2, max_length=4_000, title=N_("依据"))]
    feasibility: Annotated[Long, Meta(title=N_("可行性"))] = ""
    precedent: Annotated[Long, Meta(title=N_("先例"))] = ""
    wish: Annotated[Long, Meta(title=N_("投诉人意向"))] = ""

    def plan(self) -> PlanForm:
        """The plan, rows without a title left out.

        Raises ``Invalid`` at ``measure_title``, ``measure_owner`` or ``measure_due``.
        """
        measures = tuple(
            Measure(
                title=_title(title),
                owner_id=_owner(_at(self.measure_owner, row)),
                due_on=_due(_at(self.measure_due, row)),
            )
            for row, title in enumerate(self.measure_title)
            if title.strip()
        )
        if not 1 <= len(measures) <= MOST_MEASURES:
            message = Message(N_("请填写 1 至 {n} 项措施"), {"n": MOST_MEASURES})
            raise Invalid({"measure_title": message})
        return PlanForm(
            goal=self.goal, measures=measures, amount=self.amount, basis=self.basis,
            feasibility=self.feasibility, precedent=self.precedent, wish=self.wish,
        )  # fmt: skip


def _at(values: tuple[str, ...], row: int) -> str:
    return values[row].strip() if row < len(values) else ""


def _title(title: str) -> str:
    title = title.strip()
    if not 2 <= len(title) <= 200:
        raise Invalid({"measure_title": Message(N_("每项措施请写 2 至 200 个字"))})
    return title


def _owner(text: str) -> uuid.UUID | None:
    try:
        return msgspec.convert(text, uuid.UUID, strict=False) if text else None
    except msgspec.ValidationError:
        raise Invalid({"measure_owner": Message(N_("请从列表中选择责任人"))}) from None


def _due(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({"measure_due": Message(N_("请按 2026-03-18 的格式填写日期"))}) from None
