"""What comes in as text."""

import pytest

from huiyin.kit.text import whole


def test_a_number_is_a_few_plain_digits():
    assert whole("0") == 0
    assert whole("0042") == 42
    assert whole("2026", most=4) == 2026


@pytest.mark.parametrize("text", ["", "²", "٣", "１", "-1", "+1", "1_0", " 1", "1.0", "9" * 5000])
def test_nothing_else_is(text):
    assert whole(text) is None


def test_how_long_it_may_be_is_said():
    assert whole("20261", most=4) is None
