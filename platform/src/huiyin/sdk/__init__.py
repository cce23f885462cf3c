"""Everything a plugin may import.  Anything not listed in ``__all__`` may change.

platform/docs/plugins.md says what each name is for.
"""

from huiyin.cases.filing import Filed, Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import (
    INTAKE_TITLES,
    PUBLIC_TITLES,
    SEVERITY_TITLES,
    STAGE_TITLES,
    Audience,
    IntakeType,
    Outcome,
    PublicStage,
    Severity,
    Source,
    Stage,
)
from huiyin.cases.tracking import (
    PublicStep,
    Tracked,
    ask_review,
    by_code,
    say,
    track,
    withdraw,
)
from huiyin.cases.verbs import VERBS, Verb
from huiyin.db import ScopedSession, TenantModel, columns, tenant_key
from huiyin.identity.actor import Actor, complainant_actor, system_actor
from huiyin.identity.policy import PUBLIC, Role
from huiyin.kit.errors import (
    Conflict,
    HuiyinError,
    Invalid,
    NotFound,
    Refused,
    Throttled,
    TooLarge,
)
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.text import clean, mask_email, mask_name, mask_phone
from huiyin.kit.time import at_local, local, now, today
from huiyin.parties.models import Fund, Investor
from huiyin.plugins.context import TenantContext
from huiyin.plugins.fields import SecretStr
from huiyin.plugins.hooks import context_of
from huiyin.plugins.manifest import Kind, Manifest, NoSettings, PersonalData
from huiyin.plugins.markers import hookimpl
from huiyin.plugins.rehearsal import rehearse
from huiyin.plugins.terms import (
    Area,
    Capability,
    Channel,
    Event,
    NextStep,
    Opinion,
    Panel,
    PluginGate,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    Weight,
)
from huiyin.policies.catalogue import categories, outside_routes, public_topics
from huiyin.queue.registry import GiveUp, Retry
from huiyin.tenancy.models import Tenant
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.routes import FormData, UploadData, action, api, page
from huiyin.web.site import NavItem

__all__ = [
    "INTAKE_TITLES",
    "N_",
    "PUBLIC",
    "PUBLIC_TITLES",
    "SEVERITY_TITLES",
    "STAGE_TITLES",
    "VERBS",
    "Actor",
    "Area",
    "Audience",
    "Capability",
    "Case",
    "Channel",
    "Conflict",
    "Desk",
    "Entry",
    "Event",
    "Filed",
    "Filing",
    "Form",
    "FormData",
    "Fund",
    "GiveUp",
    "HuiyinError",
    "IntakeType",
    "Invalid",
    "Investor",
    "Kind",
    "Manifest",
    "Message",
    "NavItem",
    "NextStep",
    "NoSettings",
    "NotFound",
    "Opinion",
    "Outcome",
    "Panel",
    "PersonalData",
    "PluginGate",
    "PluginJob",
    "PluginPermission",
    "PluginRoutes",
    "PublicStage",
    "PublicStep",
    "Refused",
    "Retry",
    "Role",
    "ScopedSession",
    "SecretStr",
    "Severity",
    "Source",
    "Stage",
    "Tenant",
    "TenantContext",
    "TenantModel",
    "Throttled",
    "TooLarge",
    "Tracked",
    "UploadData",
    "Verb",
    "Weight",
    "action",
    "api",
    "ask_review",
    "at_local",
    "by_code",
    "categories",
    "clean",
    "columns",
    "complainant_actor",
    "context_of",
    "defaults",
    "file_complaint",
    "hookimpl",
    "local",
    "mask_email",
    "mask_name",
    "mask_phone",
    "now",
    "outside_routes",
    "page",
    "parse",
    "public_topics",
    "rehearse",
    "say",
    "system_actor",
    "tenant_key",
    "today",
    "track",
    "uuid7",
    "withdraw",
]
