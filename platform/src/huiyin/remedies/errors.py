"""What can go wrong between drafting a plan and its approval."""

from __future__ import annotations

from typing import ClassVar

from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_


class PlanChanged(Conflict):
    """An approval binds the plan that was read, and no other."""

    code = "plan_changed"
    default: ClassVar[str] = N_("方案在打开之后有变动，请重新阅读最新版本后再审批")


class PlanMissing(Conflict):
    code = "plan_missing"
    default: ClassVar[str] = N_("还没有可提交的方案，请先填写并保存处理方案")


class AlreadyApproved(Conflict):
    """Two approvals are the judgement of two people."""

    status = 403
    code = "second_person_required"
    default: ClassVar[str] = N_("金额超过单人审批额度，第二次审批须由另一位审批人办理")
