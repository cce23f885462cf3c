"""From what a browser or a program sends to a value, or a message at every field."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec
import pytest

from huiyin.kit.errors import Invalid
from huiyin.web.forms import Form, defaults, parse, shown

Meta = msgspec.Meta


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: Annotated[str, Meta(min_length=2, max_length=5, title="话")]
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    amount: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0, "maximum": 100})] | None = None
    day: date | None = None
    colour: Colour = Colour.RED
    many: list[str] = []
    agreed: bool = False
    who: uuid.UUID | None = None


def fault(data, **given):
    with pytest.raises(Invalid) as caught:
        parse(Shape, data, **given)
    return {name: str(message) for name, message in caught.value.fields.items()}


def test_fields_of_a_form_become_values():
    form = parse(
        Shape,
        {
            "_csrf": "t",
            "_key": "k",
            "rev": "3",
            "lang": "en",
            "words": "  三个字 ",
            "count": "7",
            "amount": "¥1,2.50",
            "day": "2026-03-18",
            "colour": "blue",
            "many": "a",
            "agreed": "on",
            "who": "00000000-0000-0000-0000-000000000007",
        },
    )
    assert form == Shape(
        words="三个字",
        count=7,
        amount=Decimal("12.50"),
        day=date(2026, 3, 18),
        colour=Colour.BLUE,
        many=["a"],
        agreed=True,
        who=uuid.UUID(int=7),
    )


def test_empty_fields_take_their_defaults():
    empty = dict.fromkeys(("count", "amount", "day", "colour", "many", "who"), "")
    assert parse(Shape, {**empty, "words": "两字"}) == Shape(words="两字")


def test_all_faults_are_told_at_once():
    found = fault(
        {
            "words": "一",
            "count": "10",
            "amount": "1e9",
            "day": "3月",
            "colour": "x",
            "who": "x",
            "more": "1",
            "_method": "DELETE",
        }
    )
    assert set(found) == {"words", "count", "amount", "day", "colour", "who", "more", "_method"}
    assert found["words"] == "请至少写 2 个字"
    assert found["count"] == "请填写 1 到 9 之间的数字"
    assert found["amount"] == "请填写 0 到 100 之间的数字"
    assert found["day"] == "请按 2026-03-18 的格式填写日期"
    assert found["more"] == "无法识别的栏目，请删除"


@pytest.mark.parametrize("words", ["", "   ", "\u200b\n".strip("\u200b"), None])
def test_what_is_required_is_asked_for_by_its_title(words):
    assert fault({"words": words})["words"] == "请填写话"
    assert fault({})["words"] == "请填写话"


ODD = ["NaN", "Infinity", "-1", "100.01", "1.005", "1e-9", "二", "1e30", "9" * 40, "1e999999999"]


@pytest.mark.parametrize("amount", ODD)
def test_an_amount_is_money(amount):
    assert set(fault({"words": "两字", "amount": amount})) == {"amount"}


def test_an_amount_without_bounds_is_reckoned_with_or_refused():
    class Free(msgspec.Struct, frozen=True):
        amount: Decimal

    assert parse(Free, {"amount": "1200.50"}).amount == Decimal("1200.50")
    with pytest.raises(Invalid):
        parse(Free, {"amount": "1e30"})


@pytest.mark.parametrize(
    "words", ["a\x00b", "a\u202eb", "a\x1bb", "\ud800ab"], ids=["nul", "bidi", "escape", "half"]
)
def test_what_no_reader_should_get_is_taken_out(words):
    assert parse(Shape, {"words": words}).words == "ab"


def test_the_last_of_repeated_fields_counts():
    assert parse(Shape, {"words": ["第一", "第二"]}).words == "第二"


def test_a_program_must_send_the_right_types():
    right = {"words": "两字", "count": 7, "amount": "12.5", "day": "2026-03-18", "agreed": True}
    assert parse(Shape, right, strict=True).amount == Decimal("12.5")
    wrong = {"words": 12, "count": "7", "agreed": "on", "many": "a", "rev": 1, "_csrf": "x"}
    assert set(fault(wrong, strict=True)) == set(wrong)


@pytest.mark.parametrize("data", [[], "text", None, 7])
def test_only_an_object_is_a_form(data):
    assert list(fault(data, strict=True)) == [""]


def test_a_very_long_field_is_refused_before_it_is_looked_at():
    class Free(msgspec.Struct, frozen=True):
        words: str

    with pytest.raises(Invalid):
        parse(Free, {"words": "a" * 20_001})


def test_a_failed_form_keeps_what_was_typed():
    error = Invalid({"words": "请填写话"})
    form = Form.failed({"words": "一", "file": object()}, error, lambda message, **_: str(message))
    assert (form.get("words"), form.error("words")) == ("一", "请填写话")
    assert form.get("file") == ""


def test_a_fresh_form_shows_defaults_and_what_is_known():
    form = defaults(Shape, words="已知", day=date(2026, 3, 18))
    assert (form.get("words"), form.get("count"), form.get("day")) == ("已知", "1", "2026-03-18")
    assert (form.get("agreed"), form.get("colour"), shown(Decimal("1.50"))) == ("", "red", "1.50")
