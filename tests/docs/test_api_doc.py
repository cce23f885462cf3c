"""The guide to the API names every operation of the staff, with its permission, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huiyin.web.routes import MARK

GUIDE = Path(__file__).parents[2] / "platform" / "docs" / "api.md"
BELOW = "/api/v1/t/{tenant:str}"
ROW = re.compile(r"^\| `([A-Z]+ /[^`]*)` \| `([\w.]+)` \| \S", re.MULTILINE)


@pytest.fixture
def operations(place):
    """Each operation of the staff as the guide writes it, with its permission."""
    return {
        f"{method} {re.sub(r':[a-z]+', '', route.path.removeprefix(BELOW))}": handler.opt[MARK]
        for route in place.routes
        if route.path.startswith(BELOW)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS", "HEAD"}
    }


def test_every_operation_stands_in_the_guide_with_its_permission(operations):
    assert dict(ROW.findall(GUIDE.read_text(encoding="utf-8"))) == operations
    assert len(operations) > 40
