"""Every controller of the core, in one list."""

from __future__ import annotations

from typing import Final

from litestar.types import ControllerRouterHandler

from huiyin.cases.acts import CaseController, PeopleController, RecordController
from huiyin.cases.controllers import ListController
from huiyin.web.accounts import AccountController

HANDLERS: Final[tuple[ControllerRouterHandler, ...]] = (
    AccountController,
    ListController,
    RecordController,
    CaseController,
    PeopleController,
)
PANELS: Final = ()
