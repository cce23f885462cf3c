"""Every controller of the core, in one list."""

from __future__ import annotations

from typing import Final

from litestar.types import ControllerRouterHandler

from huiyin.assignment.controllers import AssignmentController
from huiyin.cases.acts import CaseController
from huiyin.cases.acts_people import PeopleController
from huiyin.cases.acts_retype import LowerController, RetypeController
from huiyin.cases.api import CaseApi, CaseListApi
from huiyin.cases.api_asked import AskedApi, ExtensionApi
from huiyin.cases.api_people import PeopleApi
from huiyin.cases.bulk import BulkController
from huiyin.cases.controllers import ListController
from huiyin.cases.library import LibraryController
from huiyin.cases.palette import PaletteController
from huiyin.cases.public_api import PublicCaseApi
from huiyin.cases.records import RecordController
from huiyin.evidence.api import EvidenceApi
from huiyin.evidence.controllers import EvidenceController
from huiyin.evidence.controllers import panel as evidence_panel
from huiyin.intake.controllers import ArrivalController
from huiyin.letters.api import LetterApi
from huiyin.letters.controllers import ExtensionController, LetterController
from huiyin.letters.controllers import panel as letters_panel
from huiyin.plugins.admin import PluginController
from huiyin.plugins.handbook import HandbookController
from huiyin.remedies.api import ApprovalApi, PlanApi
from huiyin.remedies.approvals import ApprovalController
from huiyin.remedies.controllers import PlanController
from huiyin.web.accounts import AccountController
from huiyin.web.firm import FirmController
from huiyin.web.grants import GrantController
from huiyin.web.links import LinkController
from huiyin.web.people import MemberController
from huiyin.web.personal import SettingsController

HANDLERS: Final[tuple[ControllerRouterHandler, ...]] = (
    AccountController,
    SettingsController,
    MemberController,
    GrantController,
    LinkController,
    FirmController,
    PluginController,
    HandbookController,
    LibraryController,
    ListController,
    PaletteController,
    BulkController,
    RecordController,
    CaseController,
    PeopleController,
    RetypeController,
    LowerController,
    EvidenceController,
    PlanController,
    ApprovalController,
    LetterController,
    ExtensionController,
    ArrivalController,
    AssignmentController,
    PublicCaseApi,
    CaseListApi,
    CaseApi,
    PeopleApi,
    AskedApi,
    ExtensionApi,
    PlanApi,
    ApprovalApi,
    LetterApi,
    EvidenceApi,
)
PANELS: Final = (evidence_panel, letters_panel)
