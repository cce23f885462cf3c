"""Who may do what: the plugin's own permissions, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from huiyin.sdk import N_, Actor, Colleague, PluginPermission, Role

_HANDLERS: Final = frozenset({Role.COMPLAINT_OFFICER, Role.INVESTIGATOR})
_JUDGES: Final = frozenset({Role.APPROVER, Role.SUPERVISOR})
_TOP: Final = frozenset({Role.EXECUTIVE_VIEWER})

# Whoever handles cases is scored; whoever judges them is not, and so can publish without gain.
SCORED: Final = _HANDLERS

OWN: Final = "scoring_incentive:own"
SEE: Final = "scoring_incentive:see"
WRITE: Final = "scoring_incentive:write"
PUBLISH: Final = "scoring_incentive:publish"
DECIDE: Final = "scoring_incentive:decide"
SIGNALS: Final = "scoring_incentive:signals"
NOMINATE: Final = "scoring_incentive:nominate"
AWARD: Final = "scoring_incentive:award"

PERMISSIONS: Final = (
    PluginPermission(OWN, N_("查看公式与本人得分"), _HANDLERS | _JUDGES | _TOP),
    PluginPermission(SEE, N_("查看全部得分"), _JUDGES | _TOP),
    PluginPermission(WRITE, N_("拟定公式、开启评分"), _JUDGES),
    PluginPermission(PUBLISH, N_("签署与发布得分"), _JUDGES),
    PluginPermission(DECIDE, N_("决定申诉"), _JUDGES | _TOP),
    PluginPermission(SIGNALS, N_("查看防博弈信号"), frozenset({Role.SUPERVISOR})),
    PluginPermission(NOMINATE, N_("致谢与提名"), _HANDLERS | _JUDGES),
    PluginPermission(AWARD, N_("审批年度奖励"), frozenset({Role.APPROVER}) | _TOP),
)


def is_scored(colleague: Colleague) -> bool:
    return colleague.active and bool(colleague.roles & SCORED)


@dataclass(frozen=True, slots=True)
class Reader:
    """What one person may see of others, asked for by the templates."""

    sees: bool
    writes: bool
    publishes: bool
    decides: bool
    signals: bool
    nominates: bool
    awards: bool

    @classmethod
    def of(cls, actor: Actor) -> Reader:
        return cls(*map(actor.can, (SEE, WRITE, PUBLISH, DECIDE, SIGNALS, NOMINATE, AWARD)))
