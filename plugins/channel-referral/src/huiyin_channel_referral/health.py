"""How the roads on paper are: what waits, what is late, and whose authority is not settled."""

from __future__ import annotations

from collections.abc import Sequence

from huiyin.sdk import N_, Check, Condition, Message, TenantContext
from huiyin_channel_referral import agents, register


def of_transfers(ctx: TenantContext) -> Sequence[Check]:
    n = register.counts(ctx, "owed", "soon", "late", firm=True)
    late = Condition.BAD if n["late"] else Condition.WARN if n["soon"] else Condition.GOOD
    said = N_("待回复 {owed} 件，其中临近期限 {soon} 件，已逾期 {late} 件")
    return (Check(Message(N_("转办回复")), late, Message(said, dict(n))),)


def of_papers(ctx: TenantContext) -> Sequence[Check]:
    n = agents.counts(ctx, "waiting", "expiring", "expired", firm=True)
    bad = Condition.WARN if any(n.values()) else Condition.GOOD
    said = N_("待核实 {waiting} 份，即将到期 {expiring} 份，已过期 {expired} 份")
    return (Check(Message(N_("代理与授权")), bad, Message(said, dict(n))),)
