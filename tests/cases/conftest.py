"""A complaint that was filed by the API, and programs that work on it."""

from __future__ import annotations

import pytest

from .given import file


@pytest.fixture
def filed(public, tenant):
    """The receipt of one complaint: number and code."""
    return file(public).json()


@pytest.fixture
def staff(api, actor):
    """A program that may do all a complaint officer may."""
    return api(actor)


@pytest.fixture
def at(filed):
    return f"/api/v1/t/qinghe/cases/{filed['number']}"
