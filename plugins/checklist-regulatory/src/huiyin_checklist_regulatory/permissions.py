"""Who may do what with self-checks: the table that routes, pages and tests read."""

from __future__ import annotations

from typing import Final

from huiyin.sdk import N_, PluginPermission, Role

READ: Final = "checklist_regulatory:read"
ANSWER: Final = "checklist_regulatory:answer"
RUN: Final = "checklist_regulatory:run"
REVIEW: Final = "checklist_regulatory:review"
PACKS: Final = "checklist_regulatory:packs"
VOUCH: Final = "checklist_regulatory:vouch"
TICK: Final = "checklist_regulatory:tick"
ACT: Final = "checklist_regulatory:act"
ASSESS: Final = "checklist_regulatory:assess"

_ADMIN, _OFFICER, _INVESTIGATOR = Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER, Role.INVESTIGATOR
_APPROVER, _SUPERVISOR, _EXECUTIVE = Role.APPROVER, Role.SUPERVISOR, Role.EXECUTIVE_VIEWER

PERMISSIONS: Final = (
    PluginPermission(
        READ, N_("查看自查结果"),
        frozenset({_ADMIN, _OFFICER, _INVESTIGATOR, _APPROVER, _SUPERVISOR, _EXECUTIVE}),
    ),
    PluginPermission(ANSWER, N_("填写检查项"), frozenset({_OFFICER, _INVESTIGATOR, _APPROVER})),
    PluginPermission(RUN, N_("发起与提交自查"), frozenset({_APPROVER})),
    PluginPermission(REVIEW, N_("复核自查与跟踪问题"), frozenset({_APPROVER, _SUPERVISOR})),
    PluginPermission(PACKS, N_("管理清单包与机构事实"), frozenset({_ADMIN, _APPROVER})),
    PluginPermission(
        VOUCH, N_("登记原文核对"), frozenset({_INVESTIGATOR, _APPROVER, _SUPERVISOR})
    ),
    PluginPermission(TICK, N_("登记律师确认"), frozenset({_APPROVER})),
    PluginPermission(
        ACT, N_("承担整改与复测"), frozenset({_OFFICER, _INVESTIGATOR, _APPROVER, _SUPERVISOR})
    ),
    PluginPermission(ASSESS, N_("自评二十项制度"), frozenset({_APPROVER, _SUPERVISOR})),
)  # fmt: skip
