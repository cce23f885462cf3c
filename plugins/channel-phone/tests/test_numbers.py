"""However a number is written, it is the same number."""

import pytest

from huiyin.sdk import Invalid
from huiyin_channel_phone import numbers


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("13800006021", "13800006021"),
        ("138 0000 6021", "13800006021"),
        ("138-0000-6021", "13800006021"),
        ("+86 138-0000-6021", "13800006021"),
        ("+8613800006021", "13800006021"),
        ("8613800006021", "13800006021"),
        ("008613800006021", "13800006021"),
        ("013800006021", "13800006021"),
        ("１３８００００６０２１", "13800006021"),
        ("tel:+86-138-0000-6021", "13800006021"),
        ("sip:13800006021@pbx.example", "13800006021"),
        ("021-6000 0000", "02160000000"),
        ("(021)60000000", "02160000000"),
        ("+86 21 6000 0000", "02160000000"),
        ("021-60000000转801", "02160000000"),
        ("+86 400-000-0000", "4000000000"),
        ("95533", "95533"),
        ("+852 2345 6789", "+85223456789"),
        ("0085223456789", "+85223456789"),
        ("", ""),
        ("anonymous", ""),
        ("Unknown", ""),
        ("sip:anonymous@anonymous.invalid", ""),
        ("匿名", ""),
    ],
)
def test_a_number_is_made_comparable(typed, normal):
    assert numbers.normal(typed) == normal
    assert numbers.normal(normal) == normal


@pytest.mark.parametrize("typed", ["不详", "12", "1" * 21, "=1+1", "138x0000", "一三八零"])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(Invalid):
        numbers.normal(typed)


@pytest.mark.parametrize(
    "written",
    ["138 0000 6021", "+86 13800006021", "+8613800006021", "138-0000-6021", "0086 138 0000 6021"],
)
def test_a_record_is_found_however_it_was_typed(written):
    assert written in numbers.spellings("13800006021")


@pytest.mark.parametrize("written", ["021-60000000", "021-6000 0000", "(021) 60000000"])
def test_so_is_a_line_with_an_area_code(written):
    assert written in numbers.spellings("02160000000")


def test_a_number_is_shown_as_it_is_read_aloud():
    shown = [numbers.shown(n) for n in ("13800006021", "02160000000", "057160000000", "95533")]
    assert shown == ["138 0000 6021", "021-6000 0000", "0571-6000 0000", "95533"]
    assert numbers.spellings("") == set()
