"""Every table of the core, imported so that the metadata is whole."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Final

SLICES: Final = (
    "identity",
    "tenancy",
    "ledger",
    "queue",
    "plugins",
    "parties",
    "policies",
    "clocks",
    "cases",
    "assignment",
    "evidence",
    "remedies",
    "letters",
    "intake",
    "archive",
    "onboarding",
)


def load() -> None:
    """Import the models of every slice; a slice without tables has no such module."""
    for name in SLICES:
        if find_spec(f"huiyin.{name}.models"):
            importlib.import_module(f"huiyin.{name}.models")


load()
