"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiyin.sdk import (
    N_,
    Area,
    Case,
    Event,
    Figure,
    HelpTopic,
    Kind,
    Manifest,
    Message,
    NavItem,
    Panel,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    Role,
    TenantContext,
    hookimpl,
)
from huiyin_training_records import (
    assigning,
    coverage,
    demo,
    imports,
    postal,
    purging,
    seeding,
    terms,
)
from huiyin_training_records.api import ApiController
from huiyin_training_records.pages_consult import ConsultController, ExpertsController
from huiyin_training_records.pages_courses import CoursesController, DraftController
from huiyin_training_records.pages_library import EditionController, LibraryController
from huiyin_training_records.pages_my import MyController
from huiyin_training_records.pages_public import CertificateController
from huiyin_training_records.pages_records import (
    CoverageController,
    ImportsController,
    RecordsController,
)
from huiyin_training_records.pages_sessions import SessionsController
from huiyin_training_records.panel import panel_of
from huiyin_training_records.purging import KEPT
from huiyin_training_records.settings import TrainingRecordsSettings

TEND: Final = "tend"
_EVERYBODY: Final = frozenset(terms.ROLE_TITLES)
_MANAGERS: Final = frozenset({Role.TENANT_ADMIN, Role.APPROVER})
_READERS: Final = _MANAGERS | {Role.SUPERVISOR}
_PATH: Final = "/w/x/training-records"
_GROUP: Final = N_("学习")

MANIFEST: Final = Manifest(
    title=N_("培训与法规"),
    summary=N_("课程、测验、证书与岗位覆盖，法规库与律师咨询"),
    kind=Kind.TRAINING,
    settings=TrainingRecordsSettings,
    listens=(assigning.REVIEWED, assigning.FOUND, assigning.CLOSED),
    personal_data=(
        PersonalData(
            column=f"{terms.PREFIX}assignment.account_id",
            purpose=N_("成员的培训记录，用于证明培训义务的履行"),
            retention_months=KEPT["trainings"],
        ),
        PersonalData(
            column=f"{terms.PREFIX}attempt.answers",
            purpose=N_("测验的作答，用于复核成绩"),
            retention_months=KEPT["answers"],
        ),
        PersonalData(
            column=f"{terms.PREFIX}attestation.typed_name",
            purpose=N_("学习声明的签署记录"),
            retention_months=KEPT["trainings"],
        ),
        PersonalData(
            column=f"{terms.PREFIX}certificate.holder",
            purpose=N_("证书上的姓名，核验时遮盖显示"),
            retention_months=KEPT["trainings"],
        ),
        PersonalData(
            column=f"{terms.PREFIX}expert.contact",
            purpose=N_("外部讲师、专家和律师的联系方式"),
            retention_months=KEPT["contacts"],
        ),
        PersonalData(
            column=f"{terms.PREFIX}import_row.cells",
            purpose=N_("导入文件的逐行内容，用于核对错误"),
            retention_months=KEPT["imports"],
        ),
    ),
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(
            area=Area.STAFF,
            handlers=(
                MyController, CoursesController, DraftController, SessionsController,
                CoverageController, RecordsController, ImportsController, ExpertsController,
                LibraryController, EditionController, ConsultController,
            ),
        ),
        PluginRoutes(
            area=Area.PUBLIC, handlers=(CertificateController,), roots=("certificate",)
        ),
        PluginRoutes(area=Area.API, handlers=(ApiController,)),
    )  # fmt: skip


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (
        NavItem(_GROUP, _PATH, "book", N_("我的培训"), terms.LEARN),
        NavItem(_GROUP, f"{_PATH}/manage", "target", N_("培训管理"), terms.COVERAGE),
        NavItem(_GROUP, f"{_PATH}/library", "scale", N_("法规库"), terms.LEARN),
        NavItem(_GROUP, f"{_PATH}/consultations", "chat", N_("律师咨询"), terms.CONSULT),
    )


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (
        PluginPermission(terms.LEARN, N_("参加培训、查阅法规"), _EVERYBODY),
        PluginPermission(terms.MANAGE, N_("管理课程、记录与导入"), _MANAGERS),
        PluginPermission(terms.READ, N_("查阅全部培训记录"), _READERS),
        PluginPermission(
            terms.COVERAGE, N_("查看培训覆盖"), _READERS | {Role.EXECUTIVE_VIEWER}
        ),
        PluginPermission(terms.VERIFY, N_("核对法规"), frozenset({Role.APPROVER})),
        PluginPermission(
            terms.CONSULT, N_("提出与查看咨询"), terms.CONSULTING
        ),
    )  # fmt: skip


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=TEND, run=tend, every=timedelta(hours=6), timeout=300.0),
        PluginJob(name=postal.INVITE, run=postal.mail_invitation),
        PluginJob(name=postal.REMIND, run=postal.mail_reminder),
        PluginJob(name=imports.CHECK, run=imports.check, timeout=300.0),
        PluginJob(name=imports.APPLY, run=imports.apply, timeout=300.0),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(days=1), timeout=300.0),
        PluginJob(name=purging.FORGET, run=purging.forget),
    )


def tend(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Load what the library lacks, assign what posts ask for, remind those who are late."""
    seeding.sow(ctx)
    if ctx.settings(TrainingRecordsSettings).assign_by_post:
        assigning.assign_by_post(ctx)
    assigning.remind(ctx)


@hookimpl
def figures() -> Sequence[Figure]:
    return coverage.FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "training_records:learning", N_("怎样完成一项培训"),
            "training_records/help_learning.html", terms.LEARN,
        ),
        HelpTopic(
            "training_records:managing", N_("怎样管理培训与法规"),
            "training_records/help_managing.html", terms.COVERAGE,
        ),
    )  # fmt: skip


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    assigning.hear(ctx, event)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    """Trainings that go back to the case and regulations that matter for it."""
    body = panel_of(ctx, case)
    return Panel(Message(N_("培训与法规")), body) if body else None


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
