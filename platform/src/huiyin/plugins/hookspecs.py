# ruff: noqa: ARG001 - a specification uses none of its arguments
"""The places where a plugin may speak up.

*Declaring* hooks run once, at start-up, and return things to install.  *Asking* hooks run inside
a request and must be quick; whatever they write is taken back.  *Reacting* hooks run in the
worker after the commit, one job for each plugin, firm and event: a plugin that fails is tried
again alone and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from huiyin.plugins.markers import hookspec

if TYPE_CHECKING:
    from huiyin.cases.models import Case
    from huiyin.cases.verbs import Verb
    from huiyin.kit.i18n import Message
    from huiyin.plugins.context import TenantContext
    from huiyin.plugins.figures import Figure
    from huiyin.plugins.terms import (
        Channel,
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
    )
    from huiyin.web.site import NavItem


# -- declaring -------------------------------------------------------------------------------


@hookspec
def routes() -> Sequence[PluginRoutes]:
    """Pages and operations; each names its permission."""
    return ()


@hookspec
def navigation() -> Sequence[NavItem]:
    """Lines of the staff navigation, below the plugin's own address."""
    return ()


@hookspec
def permissions() -> Sequence[PluginPermission]:
    """Permissions of the plugin's own and the roles that hold them."""
    return ()


@hookspec
def jobs() -> Sequence[PluginJob]:
    """Work that the plugin puts off, or that returns."""
    return ()


@hookspec
def channels() -> Sequence[Channel]:
    """Ways by which complaints come in."""
    return ()


@hookspec
def services() -> Sequence[PluginService]:
    """What listens as long as the site runs, for all firms that have the plugin on."""
    return ()


@hookspec
def commands() -> Sequence[PluginCommand]:
    """Commands of ``huiyin`` for whoever runs the installation."""
    return ()


@hookspec
def gates() -> Sequence[PluginGate]:
    """What must be attested besides the core's own gates."""
    return ()


@hookspec
def figures() -> Sequence[Figure]:
    """Numbers that the firm's other plugins may quote, each with its definition."""
    return ()


@hookspec
def help_topics() -> Sequence[HelpTopic]:
    """Pages of the handbook."""
    return ()


# -- asking ----------------------------------------------------------------------------------


@hookspec
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    """A card for the side of the case page, or ``None`` for nothing."""
    return None


@hookspec
def complainant_cards(ctx: TenantContext, case: Case) -> Panel | None:
    """A card on the page on which the complainant follows the case, or ``None``."""
    return None


@hookspec
def gate_opinions(ctx: TenantContext, case: Case, verb: Verb) -> Sequence[Opinion]:
    """Objections to a verb about to be done: they warn or block, and never allow."""
    return ()


@hookspec
def next_steps(ctx: TenantContext, case: Case) -> Sequence[NextStep]:
    """What might be done next, besides what the stage asks for."""
    return ()


@hookspec
def nav_counts(ctx: TenantContext) -> Sequence[NavCount]:
    """Numbers beside the plugin's lines of the navigation, on every page."""
    return ()


@hookspec
def preview_settings(ctx: TenantContext, old: Any, new: Any) -> Sequence[Message]:
    """What the drafted settings would change for the cases in hand (试算)."""
    return ()


# -- reacting --------------------------------------------------------------------------------


@hookspec
def on_event(ctx: TenantContext, event: Event) -> None:
    """Something of a kind in ``Manifest.listens`` has happened and is committed."""


@hookspec
def demonstrate(ctx: TenantContext) -> None:
    """Fill a made-up firm of the demonstration, once, when all its cases are there."""


DECLARING: Final = (
    "routes", "navigation", "permissions", "jobs", "channels", "services", "commands", "gates",
    "figures", "help_topics",
)  # fmt: skip
ASKING: Final = (
    "case_panels", "complainant_cards", "gate_opinions", "next_steps", "nav_counts",
    "preview_settings",
)  # fmt: skip
REACTING: Final = ("on_event", "demonstrate")
HOOKS: Final = (*DECLARING, *ASKING, *REACTING)
