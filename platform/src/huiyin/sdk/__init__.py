"""Everything a plugin may import.  Anything not listed in ``__all__`` may change.

platform/docs/plugins.md says what each name is for.
"""

from huiyin.archive.figures import FIGURES as CORE_FIGURES
from huiyin.archive.records import CaseRecord, ClockOutcome, closed_cases
from huiyin.cases.change import find as find_case
from huiyin.cases.filing import (
    Filed,
    Filing,
    check_received,
    file_complaint,
    first_words,
    tracking_code,
)
from huiyin.cases.models import Case, Entry
from huiyin.cases.queries import visible as visible_cases
from huiyin.cases.stages import (
    INTAKE_TITLES,
    OUTCOME_TITLES,
    PART_TITLES,
    PUBLIC_TITLES,
    SEVERITY_TITLES,
    SOURCE_TITLES,
    STAGE_TITLES,
    Audience,
    CaseState,
    EntryKind,
    IntakeType,
    Outcome,
    Part,
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
    may_ask_review,
    review_asked,
    say,
    track,
    withdraw,
)
from huiyin.cases.transfers import (
    TransferLetter,
    answer_transfer,
    extend_transfer,
    receive_transfer,
)
from huiyin.cases.transfers import check_dates as check_letter_dates
from huiyin.cases.verbs import VERBS, Verb
from huiyin.db import Ready, ScopedSession, TenantModel, columns, tenant_key
from huiyin.evidence.holding import holds_blobs
from huiyin.evidence.kinds import clean_name as clean_file_name
from huiyin.evidence.kinds import media_type as media_type_of
from huiyin.evidence.kinds import runs as is_program
from huiyin.evidence.service import Upload
from huiyin.evidence.service import add as add_files
from huiyin.evidence.service import list_of as files_of
from huiyin.evidence.service import read as read_file
from huiyin.evidence.store import BlobStore
from huiyin.identity.actor import Actor, complainant_actor, system_actor
from huiyin.identity.policy import PUBLIC, Role
from huiyin.identity.throttle import Throttle
from huiyin.intake.schemas import Raw, Reading, Receipt
from huiyin.kit.errors import (
    Conflict,
    HuiyinError,
    Invalid,
    NotFound,
    Refused,
    Throttled,
    TooLarge,
)
from huiyin.kit.failpoints import failpoint
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.outbound import Unreachable
from huiyin.kit.outbound import connect as connect_outside
from huiyin.kit.tables import CSV, XLSX, Cell, Line, read_table, write_csv, write_xlsx
from huiyin.kit.text import clean, mask_email, mask_name, mask_phone, whole
from huiyin.kit.time import at_local, local, local_date, now, today
from huiyin.letters.mailer import Undeliverable
from huiyin.letters.paper import Paper, PaperCode, PaperSection, PaperTable, paper_pdf
from huiyin.letters.replies import mail_domain
from huiyin.letters.service import letters_of
from huiyin.letters.service import pdf_of as letter_pdf
from huiyin.parties.models import Fund, Investor
from huiyin.plugins.apart import apart
from huiyin.plugins.context import TenantContext
from huiyin.plugins.fields import SecretStr
from huiyin.plugins.figures import (
    NATURE_TITLES,
    Figure,
    FigureBook,
    FigureFailed,
    FigureUnit,
    Measured,
    Nature,
    Period,
    Proof,
)
from huiyin.plugins.hooks import context_of
from huiyin.plugins.listening import ServiceContext
from huiyin.plugins.manifest import Kind, Manifest, NoSettings, PersonalData
from huiyin.plugins.markers import hookimpl
from huiyin.plugins.rehearsal import rehearse
from huiyin.plugins.terms import (
    CAPABILITY_TITLES,
    Area,
    Capability,
    Channel,
    Check,
    Condition,
    Event,
    HelpTopic,
    NavCount,
    NextStep,
    Opinion,
    Panel,
    PluginCommand,
    PluginGate,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    PluginService,
    Weight,
)
from huiyin.policies.catalogue import categories, causes, outside_routes, public_topics
from huiyin.queue.registry import GiveUp, Retry
from huiyin.sdk.calls import log_call
from huiyin.sdk.days import add_workdays, is_workday, workdays_between
from huiyin.sdk.intake import (
    Arrived,
    arrival_of,
    arrivals_from,
    arrivals_waiting,
    complainant_address,
    last_arrival,
    last_message_id,
    may_know_arrival,
    receive,
    reply_to,
)
from huiyin.sdk.mail import Attachment, Mail, can_mail, public_link, send_mail
from huiyin.sdk.people import (
    Colleague,
    barred_from_judging,
    barred_from_judging_any,
    colleagues,
    mail_address,
    parts_in,
)
from huiyin.sdk.public import (
    ToldDate,
    check_form_token,
    complainant_cards,
    count_try,
    dates_if_filed,
    form_token,
    sealed,
    take_back_try,
    told_dates,
)
from huiyin.sdk.transfers import LetterClock, letter_clocks
from huiyin.tenancy.models import Tenant
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.headers import is_origin, let_frame
from huiyin.web.live import Heard, live
from huiyin.web.live import Line as LiveLine
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, UploadData, action, api, page
from huiyin.web.site import NavItem

__all__ = [
    "CAPABILITY_TITLES",
    "CORE_FIGURES",
    "CSV",
    "INTAKE_TITLES",
    "NATURE_TITLES",
    "N_",
    "OUTCOME_TITLES",
    "PART_TITLES",
    "PUBLIC",
    "PUBLIC_TITLES",
    "SEVERITY_TITLES",
    "SOURCE_TITLES",
    "STAGE_TITLES",
    "VERBS",
    "XLSX",
    "Actor",
    "Area",
    "Arrived",
    "Attachment",
    "Audience",
    "BlobStore",
    "Capability",
    "Case",
    "CaseRecord",
    "CaseState",
    "Cell",
    "Channel",
    "Check",
    "ClockOutcome",
    "Colleague",
    "Condition",
    "Conflict",
    "Desk",
    "Entry",
    "EntryKind",
    "Event",
    "Figure",
    "FigureBook",
    "FigureFailed",
    "FigureUnit",
    "Filed",
    "Filing",
    "Form",
    "FormData",
    "Fund",
    "GiveUp",
    "Heard",
    "HelpTopic",
    "HuiyinError",
    "IntakeType",
    "Invalid",
    "Investor",
    "Kind",
    "LetterClock",
    "Line",
    "LiveLine",
    "Mail",
    "Manifest",
    "Measured",
    "Message",
    "Nature",
    "NavCount",
    "NavItem",
    "NextStep",
    "NoSettings",
    "NotFound",
    "Opinion",
    "Outcome",
    "Panel",
    "Paper",
    "PaperCode",
    "PaperSection",
    "PaperTable",
    "Part",
    "Period",
    "PersonalData",
    "PluginCommand",
    "PluginGate",
    "PluginJob",
    "PluginPermission",
    "PluginRoutes",
    "PluginService",
    "Proof",
    "PublicStage",
    "PublicStep",
    "Raw",
    "Reading",
    "Ready",
    "Receipt",
    "Refused",
    "Retry",
    "Role",
    "ScopedSession",
    "SecretStr",
    "ServiceContext",
    "Severity",
    "Source",
    "Stage",
    "Tenant",
    "TenantContext",
    "TenantModel",
    "Throttle",
    "Throttled",
    "ToldDate",
    "TooLarge",
    "Tracked",
    "TransferLetter",
    "Undeliverable",
    "Unreachable",
    "Upload",
    "UploadData",
    "Verb",
    "Weight",
    "action",
    "add_files",
    "add_workdays",
    "answer_transfer",
    "apart",
    "api",
    "arrival_of",
    "arrivals_from",
    "arrivals_waiting",
    "ask_review",
    "at_local",
    "barred_from_judging",
    "barred_from_judging_any",
    "by_code",
    "can_mail",
    "categories",
    "causes",
    "check_form_token",
    "check_letter_dates",
    "check_received",
    "clean",
    "clean_file_name",
    "closed_cases",
    "colleagues",
    "columns",
    "complainant_actor",
    "complainant_address",
    "complainant_cards",
    "connect_outside",
    "context_of",
    "count_try",
    "dates_if_filed",
    "defaults",
    "extend_transfer",
    "failpoint",
    "file_complaint",
    "files_of",
    "find_case",
    "first_words",
    "form_token",
    "holds_blobs",
    "hookimpl",
    "is_origin",
    "is_program",
    "is_workday",
    "last_arrival",
    "last_message_id",
    "let_frame",
    "letter_clocks",
    "letter_pdf",
    "letters_of",
    "live",
    "local",
    "local_date",
    "log_call",
    "mail_address",
    "mail_domain",
    "mask_email",
    "mask_name",
    "mask_phone",
    "may_ask_review",
    "may_know_arrival",
    "media_type_of",
    "now",
    "or_again",
    "outside_routes",
    "page",
    "paper_pdf",
    "parse",
    "parts_in",
    "public_link",
    "public_topics",
    "read_file",
    "read_table",
    "receive",
    "receive_transfer",
    "rehearse",
    "reply_to",
    "review_asked",
    "say",
    "sealed",
    "send_mail",
    "system_actor",
    "take_back_try",
    "tenant_key",
    "today",
    "told_dates",
    "track",
    "tracking_code",
    "uuid7",
    "visible_cases",
    "whole",
    "withdraw",
    "workdays_between",
    "write_csv",
    "write_xlsx",
]
