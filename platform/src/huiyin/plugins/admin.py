"""The pages on which a firm switches plugins on and decides about their settings.

Looking needs the permission of whoever publishes, so that the second person sees what the first
has written; every act names its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.kit.errors import Conflict, Invalid, NotFound, Stale
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import whole
from huiyin.plugins import activation, checking, drafts, health, presenting, settings
from huiyin.plugins.activation import PluginState
from huiyin.plugins.drafts import CONFIGURE, PUBLISH
from huiyin.plugins.fields import FieldKind, fields_of
from huiyin.plugins.host import PluginHost
from huiyin.plugins.settings import ORIGIN_TITLES, Origin
from huiyin.tenancy.models import SettingVersion
from huiyin.web.desk import Desk
from huiyin.web.forms import Form
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page

TABS: Final = (
    ("config", N_("配置")),
    ("access", N_("权限与数据")),
    ("runs", N_("运行记录")),
    ("versions", N_("版本记录")),
)
# Inputs carry the setting's name after this, so that no setting can pass for a control.
INPUT: Final = "v."


def host_of(desk: Desk) -> PluginHost:
    """The host behind the site; a site without one has no such pages."""
    host = desk.site.extensions
    if not isinstance(host, PluginHost):
        raise NotFound
    return host


def plugin_path(desk: Desk, name: str, tab: str = "") -> str:
    query = f"?tab={tab}" if tab else ""
    return f"/t/{desk.tenant.slug}/admin/plugins/{name}{query}"


class PluginController(Controller):
    """The list, the page of each plugin, and what is done there."""

    path = "/t/{tenant:str}/admin/plugins"

    @page("/", name="admin:plugins", permission=PUBLISH)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        states = activation.overview(host_of(desk), desk.session)
        words = desk.request.query_params.get("q", "")[:80].strip()
        standing = desk.request.query_params.get("state", "")
        shown = presenting.narrowed(states, words, standing, desk._)
        return desk.page(
            "admin/plugins.html",
            groups=presenting.grouped(shown),
            total=len(states),
            words=words,
            standing=standing,
            standings=presenting.STANDINGS,
            trouble=[state for state in states if state.set_aside_at or state.load_error],
        )

    @page("/{plugin:str}", name="admin:plugin", permission=PUBLISH)
    def show(self, desk: NamedDependency[Desk], plugin: FromPath[str]) -> Response[Any]:
        return show(desk, plugin)

    @action("/{plugin:str}/draft", name="admin:plugin_draft", permission=CONFIGURE)
    def draft(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            return desk.redirect(plugin_path(desk, plugin), _change(desk, plugin, data))

        def again(form: Form, status: int) -> Response[Any]:
            return show(desk, plugin, form=form, status=status)

        # What is secret is never shown again, not even to whoever just typed it.
        known = fields_of(host_of(desk).plugin(plugin).manifest.settings)
        secret = {field.name for field in known if field.is_secret}
        typed = {k: _one(v) for k, v in _typed(data).items() if k not in secret}
        return or_again(desk, {**typed, "reason": str(data.get("reason", ""))}, act, again)

    @action("/{plugin:str}/submit", name="admin:plugin_submit", permission=CONFIGURE)
    def submit(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        host, reason = host_of(desk), str(data.get("reason", "")).strip()[:300]
        if not settings.diff(host, desk.session, plugin):
            raise Conflict(N_("没有待发布的改动，请先修改配置"))
        if not reason:
            error = Invalid({"reason": N_("请写明变更理由，供复核人核对")})
            form = Form.failed({"reason": reason}, error, desk._)
            return show(desk, plugin, form=form, status=422)
        drafts.draft(host, desk.session, desk.actor, plugin, {}, reason=reason)
        said = N_("已提交复核，由另一位管理员或审批人发布后生效")
        return desk.redirect(plugin_path(desk, plugin), said)

    @action("/{plugin:str}/discard", name="admin:plugin_discard", permission=CONFIGURE)
    def discard(
        self,
        desk: NamedDependency[Desk],
        plugin: FromPath[str],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        drafts.discard(host_of(desk), desk.session, desk.actor, plugin)
        return desk.redirect(plugin_path(desk, plugin), N_("草稿已撤销"))

    @action("/{plugin:str}/publish", name="admin:plugin_publish", permission=PUBLISH)
    def publish(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        host = host_of(desk)
        host.plugin(plugin)
        draft = settings.drafted(desk.session, plugin, lock=True)
        if draft is not None and not draft.reason:
            raise Conflict(N_("拟定人尚未写明变更理由，请先由其补充并提交复核"))
        if draft is not None and presenting.seal_of(draft) != data.get("seal"):
            raise Stale(N_("草稿刚有改动，请重新核对后再发布"))
        version = drafts.publish(host, desk.session, desk.actor, plugin)
        said = Message(N_("第 {n} 版已发布生效"), {"n": version.version})
        return desk.redirect(plugin_path(desk, plugin), said)

    @action("/{plugin:str}/rollback", name="admin:plugin_rollback", permission=CONFIGURE)
    def rollback(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        given = whole(str(data.get("version", "")))
        if given is None:
            raise NotFound
        reason = desk._(Message(N_("退回第 {n} 版"), {"n": given}))
        drafts.rollback(host_of(desk), desk.session, desk.actor, plugin, given, reason=reason)
        said = N_("已按该版本拟好草稿，由另一位管理员或审批人发布后生效")
        return desk.redirect(plugin_path(desk, plugin), said)

    @page("/{plugin:str}/switch", name="admin:plugin_switch_page", permission=CONFIGURE)
    def switch_page(self, desk: NamedDependency[Desk], plugin: FromPath[str]) -> Response[Any]:
        return _confirm_switch(desk, _state(desk, plugin))

    @action("/{plugin:str}/switch", name="admin:plugin_switch", permission=CONFIGURE)
    def switch(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        """The form says which way, so that two clicks do not undo each other."""
        wanted = str(data.get("to", ""))
        if wanted not in {"on", "off"}:
            raise NotFound
        turn = activation.activate if wanted == "on" else activation.deactivate
        turn(host_of(desk), desk.session, desk.actor, plugin)
        said = N_("插件已启用") if wanted == "on" else N_("插件已停用，数据保留")
        return desk.redirect(plugin_path(desk, plugin), said)

    @action("/{plugin:str}/test", name="admin:plugin_test", permission=CONFIGURE)
    def test(
        self, desk: NamedDependency[Desk], plugin: FromPath[str], data: FormData
    ) -> Response[Any]:
        host = host_of(desk)
        known = host.plugin(plugin)
        if not host.is_active(desk.session, plugin):
            raise Conflict(N_("插件未启用，启用后再测试"))
        checking.ask(desk.session, desk.actor, known, str(data.get("channel", ""))[:80])
        return desk.redirect(plugin_path(desk, plugin, "runs"), N_("测试已开始，请稍后刷新"))

    @action("/{plugin:str}/release", name="admin:plugin_release", permission=CONFIGURE)
    def release(
        self,
        desk: NamedDependency[Desk],
        plugin: FromPath[str],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        activation.release(host_of(desk), desk.session, desk.actor, plugin)
        return desk.redirect(plugin_path(desk, plugin, "runs"), N_("插件已重新启用"))


# -- the page of one plugin --------------------------------------------------------------------


def show(desk: Desk, name: str, *, form: Form | None = None, status: int = 200) -> Response[Any]:
    """The page of a plugin, with a form to be mended if there is one."""
    host_of(desk).plugin(name)
    states = activation.overview(host_of(desk), desk.session)
    asked = desk.request.query_params.get("tab", "")
    tab = asked if asked in dict(TABS) else "config"
    plugin = host_of(desk).plugin(name)
    access = presenting.access_of(plugin, desk._)
    here = plugin_path(desk, name)
    context: dict[str, Any] = {}
    if tab == "runs":
        context["runs"] = presenting.runs_of(desk.session, name)
        ctx = host_of(desk).lend(
            name, session=desk.session, actor=desk.actor, tenant=desk.tenant, translator=desk._,
            desk=desk,
        )  # fmt: skip
        context["channels"] = checking.cards(ctx, plugin)
    elif tab == "versions":
        context["versions"] = settings.history(desk.session, name)
    return desk.page(
        "admin/plugin.html",
        status=status,
        state=_named(states, name),
        here=here,
        tab=tab,
        tabs=[
            (f"{here}?tab={code}", title, _tally(code, access, plugin.manifest.personal_data))
            for code, title in TABS
        ],
        groups=presenting.grouped(states),
        access=access,
        personal_data=plugin.manifest.personal_data,
        version_title=presenting.version_title,
        patience=health.PATIENCE,
        **_config(desk, name, form),
        **_names(desk, context.get("versions", ())),
        **context,
    )


def _tally(code: str, access: presenting.Access, personal: tuple[Any, ...]) -> int | None:
    return access.count + len(personal) if code == "access" else None


def _names(desk: Desk, versions: Any) -> dict[str, Any]:
    people = {v.author_id for v in versions} | {v.publisher_id for v in versions}
    return {"names": presenting.names_of(desk.session, people)}


def _config(desk: Desk, name: str, form: Form | None) -> dict[str, Any]:
    """The fields as the draft says, or else as published, and what waits."""
    host, session = host_of(desk), desk.session
    draft, live = settings.drafted(session, name), settings.live(session, name)
    values = settings.values_of(host, session, name, draft or live)
    mine = draft is None or draft.author_id == desk.actor.id
    typed = {value.field.name: presenting.in_input(value.value) for value in values}
    typed["reason"] = draft.reason if draft else ""
    sections: dict[str, list[Any]] = {}
    for value in values:
        sections.setdefault(value.field.section, []).append(value)
    people = presenting.names_of(session, [draft.author_id] if draft else [])
    return {
        "sections": sections,
        "form": Form({**typed, **form.values}, form.errors, form.summary) if form else Form(typed),
        "origins": ORIGIN_TITLES,
        "own": Origin.OWN,
        "kinds": FieldKind,
        "in_words": presenting.in_words,
        "unit_in_words": presenting.unit_in_words,
        "secrets_set": _secrets(desk, draft or live),
        "draft": draft,
        "author": people.get(draft.author_id, "") if draft else "",
        "mine": mine,
        "changes": presenting.change_lines(name, settings.diff(host, session, name), desk._),
        "trial": settings.dry_run(desk.hooks, name) if draft else [],
        "seal": presenting.seal_of(draft) if draft else "",
        "may_edit": desk.actor.can(CONFIGURE) and mine,
        "may_configure": desk.actor.can(CONFIGURE),
        "may_publish": desk.actor.can(PUBLISH) and not mine,
    }


def _secrets(desk: Desk, version: SettingVersion | None) -> dict[str, tuple[str, str]]:
    """When and by whom each secret was set, never the secret."""
    boxes: Mapping[str, Any] = version.secrets if version else {}
    names = presenting.names_of(desk.session, [UUID(box["by"]) for box in boxes.values()])
    return {name: (box["at"][:10], names.get(UUID(box["by"]), "")) for name, box in boxes.items()}


def _state(desk: Desk, name: str) -> PluginState:
    """The plugin as it stands with the firm; raises ``NotFound``."""
    host_of(desk).plugin(name)
    return _named(activation.overview(host_of(desk), desk.session), name)


def _named(states: Iterable[PluginState], name: str) -> PluginState:
    return next(state for state in states if state.name == name and not state.load_error)


# -- what a form changes -----------------------------------------------------------------------


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings the form let the person change; an unticked box is a no."""
    offered = data.get("_fields", [])
    offered = offered if isinstance(offered, list) else [offered]
    return {str(name): data.get(f"{INPUT}{name}", "") for name in offered}


def _one(value: Any) -> str:
    return str(value[-1] if isinstance(value, list) and value else value or "")


def _change(desk: Desk, name: str, data: Mapping[str, Any]) -> str:
    """Write what was typed, and do what the button pressed asks; answers what to say."""
    host, session, actor = host_of(desk), desk.session, desk.actor
    verb, _, target = str(data.get("_do", "save")).partition(":")
    typed = {k: _one(v) for k, v in _typed(data).items() if k != target}
    known = settings.values_of(
        host, session, name, settings.drafted(session, name) or settings.live(session, name)
    )
    standing = {value.field.name: value for value in known}
    changed = {
        k: v
        for k, v in typed.items()
        if k not in standing or _differs(standing[k].field.kind, v, standing[k].value)
    }
    if changed:
        drafts.draft(host, session, actor, name, changed)
    if verb == "override" and target in standing and not standing[target].field.is_secret:
        drafts.draft(host, session, actor, name, {target: standing[target].inherited})
        return N_("已改为本机构自定，修改后提交复核")
    if verb == "restore":
        drafts.restore(host, session, actor, name, target)
        return N_("已恢复继承，提交复核后生效")
    if verb == "undo":
        drafts.undo(host, session, actor, name, target)
        return N_("已撤销这项改动")
    return N_("草稿已保存，写明理由后提交复核") if changed else N_("没有改动")


def _differs(kind: FieldKind, typed: str, value: Any) -> bool:
    if kind is FieldKind.SECRET:
        return bool(typed)
    if kind is FieldKind.LIST:
        return typed.split() != str(presenting.in_input(value)).split()
    return typed.strip() != str(presenting.in_input(value))


# -- on and off --------------------------------------------------------------------------------

_EFFECTS: Final = {
    "on": (
        N_("页面、导航与任务随即可用"),
        N_("停用期间等待的任务会继续办理"),
    ),
    "off": (
        N_("页面与导航立即隐藏，公开地址不可访问"),
        N_("任务暂停等待，不会丢失"),
        N_("数据与配置全部保留，重新启用即恢复"),
    ),
}


def _confirm_switch(desk: Desk, state: PluginState) -> Response[Any]:
    wanted = "off" if state.active else "on"
    here = plugin_path(desk, state.name)
    return desk.page(
        "confirm.html",
        block="sheet",
        title=desk._(
            Message(
                N_("停用「{plugin}」") if state.active else N_("启用「{plugin}」"),
                {"plugin": Message(state.title)},
            )
        ),
        effects=[desk._(effect) for effect in _EFFECTS[wanted]],
        form=Form(),
        form_action=f"{here}/switch",
        action_label=desk._(N_("停用插件") if state.active else N_("启用插件")),
        cancel_href=here,
        danger=state.active,
        fields_template="admin/_switch.html",
        to=wanted,
    )
