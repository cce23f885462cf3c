"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiyin.sdk import (
    N_,
    Area,
    Figure,
    HelpTopic,
    Kind,
    Manifest,
    NavItem,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_scoring_incentive import demonstration, purging, rounds, tasks
from huiyin_scoring_incentive.controllers import FormulaController, HomeController
from huiyin_scoring_incentive.controllers_people import (
    AwardController,
    CreditController,
    PersonController,
)
from huiyin_scoring_incentive.controllers_public import CommendationController, ScoreApi
from huiyin_scoring_incentive.controllers_rounds import (
    AppealController,
    RoundController,
    ScoreController,
)
from huiyin_scoring_incentive.figures import FIGURES
from huiyin_scoring_incentive.rights import OWN, PERMISSIONS, SIGNALS
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings


def _kept(column: str, purpose: str) -> PersonalData:
    return PersonalData(
        column=f"plugin_scoring_incentive__{column}", purpose=purpose,
        retention_months=purging.KEPT,
    )  # fmt: skip


MANIFEST: Final = Manifest(
    title=N_("激励"),
    summary=N_("看得见的评分公式、逐条说明的得分、申诉、致谢、年度奖励与公开表扬"),
    kind=Kind.SCORING,
    settings=ScoringIncentiveSettings,
    personal_data=(
        _kept("score.subject_name", N_("得分与说明，供本人、评议和申诉使用")),
        _kept("input.proofs", N_("得分依据的案件与事项，公布后不更改")),
        _kept("appeal.grounds", N_("本人的申诉及其决定")),
        _kept("credit.doer_name", N_("同事之间的致谢与经验教训采纳")),
        _kept("award.nominee_name", N_("提名与奖励记录；公开部分以本人同意为限")),
    ),
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(
            area=Area.STAFF,
            handlers=(
                HomeController, FormulaController, RoundController, ScoreController,
                AppealController, CreditController, AwardController, PersonController,
            ),
        ),
        PluginRoutes(
            area=Area.PUBLIC, handlers=(CommendationController,), roots=("commendations",)
        ),
        PluginRoutes(area=Area.API, handlers=(ScoreApi,)),
    )  # fmt: skip


@hookimpl
def navigation() -> Sequence[NavItem]:
    here = "/w/x/scoring-incentive"
    return (
        NavItem(N_("改进"), here, "award", N_("激励"), OWN),
        NavItem(N_("改进"), f"{here}/signals", "shield", N_("防博弈信号"), SIGNALS),
    )


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return PERMISSIONS


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=rounds.COUNT, run=tasks.count, timeout=300.0),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(days=1), timeout=300.0),
    )


@hookimpl
def figures() -> Sequence[Figure]:
    return FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "scoring_incentive:scores", N_("得分怎样算出来"),
            "scoring_incentive/help_scores.html", OWN,
        ),
        HelpTopic(
            "scoring_incentive:awards", N_("致谢、奖励与公开表扬"),
            "scoring_incentive/help_awards.html",
            OWN,
        ),
    )  # fmt: skip


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demonstration.fill(ctx)
