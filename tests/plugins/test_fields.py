"""From the struct to the form."""

from importlib import import_module

import pytest

from huiyin.plugins.fields import FieldKind, fields_of


@pytest.fixture
def fields(stranger):
    shape = import_module("acme_call_back.settings").CallBackSettings
    return {field.name: field for field in fields_of(shape)}


def test_each_field_has_its_kind(fields):
    assert {name: field.kind for name, field in fields.items()} == {
        "hours": FieldKind.DURATION,
        "tries": FieldKind.NUMBER,
        "tone": FieldKind.CHOICE,
        "greeting": FieldKind.TEXT,
        "required": FieldKind.BOOL,
        "numbers": FieldKind.LIST,
        "exchange_key": FieldKind.SECRET,
    }


def test_the_stranger_uses_every_kind(fields):
    assert {field.kind for field in fields.values()} == set(FieldKind)


def test_a_field_says_everything_the_form_needs(fields):
    hours = fields["hours"]
    assert (hours.title, hours.hint) == ("回电时限", "自受理起算，公司承诺")
    assert (hours.low, hours.high, hours.default) == (1, 72, 24)
    assert (hours.unit, hours.section, hours.type_label) == ("小时", "回电", "时长")
    assert hours.key("call_back") == "call_back.hours"
    assert fields["tone"].choices == (("plain", "平实"), ("warm", "亲切"))
    assert fields["greeting"].longest == 40
