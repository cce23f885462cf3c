"""What is loaded, what is not, and that the site starts either way."""

import dataclasses
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import msgspec
import pytest
from litestar import Controller, get

from huiyin.identity import policy
from huiyin.plugins import PersonalData, PluginHost, listed
from huiyin.plugins.hookspecs import HOOKS
from huiyin.plugins.loading import SHIPPED
from huiyin.plugins.terms import Area, PluginGate, PluginPermission, PluginRoutes
from huiyin.web.routes import page
from huiyin.web.site import NavItem


@pytest.fixture(autouse=True)
def clean(rogues):
    known = dict(policy._extra)
    yield
    policy._extra.clear()
    policy._extra.update(known)
    policy.permissions_of.cache_clear()


@pytest.fixture
def load(rogues, entry):
    """A host that was asked to load one home-made plugin."""

    def host(name="toy", manifest=rogues.GOOD, **hooks):
        rogues.module(name, manifest, **hooks)
        found = [entry(name, f"rogue_{name}.plugin", f"huiyin-{name}")]
        return PluginHost((name,), found=found)

    return host


def reason(host):
    (refusal,) = [one for one in host.refused if one.listed]
    assert not host.plugins
    return refusal.reason


def test_an_entry_point_alone_is_not_an_invitation(rogues, entry):
    rogues.module("toy")
    host = PluginHost((), found=[entry("toy", "rogue_toy.plugin", "huiyin-toy")])
    assert not host.plugins
    assert [(r.name, r.listed) for r in host.refused] == [("toy", False)]


def test_a_listed_name_from_another_distribution_is_not_loaded(rogues, entry):
    rogues.module("toy")
    found = [entry("toy", "rogue_toy.plugin", "evil-toy")]
    host = PluginHost(("toy",), found=found)
    assert not host.plugins
    assert any("comes from evil-toy" in refusal.reason for refusal in host.refused)


def test_another_version_than_the_listed_one_is_not_loaded(rogues, entry):
    rogues.module("toy")
    found = [entry("toy", "rogue_toy.plugin", "huiyin-toy", "2.0")]
    assert PluginHost(("toy=huiyin-toy==2.0",), found=found).plugins
    host = PluginHost(("toy=huiyin-toy==1.0",), found=found)
    assert not host.plugins
    assert "installed is 2.0" in host.refused[0].reason


def test_plugins_come_in_the_order_of_their_names(rogues, entry):
    names = ["zebra", "apple", "mango"]
    for name in names:
        rogues.module(name)
    found = [entry(name, f"rogue_{name}.plugin", f"huiyin-{name}") for name in names]
    assert list(PluginHost(tuple(names), found=found).plugins) == sorted(names)


def test_what_is_listed_and_not_installed_is_reported():
    assert reason(PluginHost(("absent",), found=())) == "listed and not installed"


@pytest.mark.parametrize("line", ["", "Web", "a=b=c", "toy==1.0"])
def test_a_list_that_cannot_be_read_stops_the_start(line):
    with pytest.raises(ValueError, match="not a plugin of the form"):
        PluginHost((line,), found=())


def test_the_list_comes_from_the_environment():
    assert listed({}) == SHIPPED
    assert listed({"HUIYIN_PLUGINS": ""}) == ()
    assert listed({"HUIYIN_PLUGINS": "channel_web, toy=acme-toy==1"}) == (
        "channel_web",
        "toy=acme-toy==1",
    )


def test_an_import_error_does_not_stop_the_site(entry):
    host = PluginHost(("toy",), found=[entry("toy", "no_such_module.plugin", "huiyin-toy")])
    assert "ModuleNotFoundError" in reason(host)
    assert host.route_handlers() == []


def test_a_plugin_without_a_manifest_is_refused(load):
    assert "MANIFEST" in reason(load(manifest=None))


def test_a_misspelt_hook_is_refused(load):
    assert "case_pannels" in reason(load(case_pannels=lambda ctx, case: None))


def test_a_hook_with_an_unknown_argument_is_refused(load):
    assert "PluginValidationError" in reason(load(case_panels=lambda ctx, kase: None))


def test_a_declaration_that_raises_is_refused(load):
    def navigation():
        raise RuntimeError("no")

    assert "RuntimeError" in reason(load(navigation=navigation))


class Mutable(msgspec.Struct):
    days: int = 1


class WithoutDefault(msgspec.Struct, frozen=True):
    days: int


class Strange(msgspec.Struct, frozen=True):
    anything: dict[str, str] = {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "title"),
        ({"kind": "mood"}, "no kind"),
        ({"settings": Mutable}, "frozen"),
        ({"settings": WithoutDefault}, "needs a default"),
        ({"settings": Strange}, "no form can show"),
        ({"personal_data": (PersonalData(column="investor.name", purpose="x",
                                         retention_months=1),)}, "investor.name"),
    ],
)  # fmt: skip
def test_a_bad_manifest_is_refused(load, rogues, change, words):
    assert words in reason(load(manifest=dataclasses.replace(rogues.GOOD, **change)))


class Unnamed(Controller):
    @page("/", name="index", permission="case.read")
    def index(self, desk):
        raise AssertionError


class Open(Controller):
    @page("/", name="toy:index", permission="public")
    def index(self, desk):
        raise AssertionError


class Inside(Controller):
    @page("/", name="toy:index", permission="case.read")
    def index(self, desk):
        raise AssertionError


class Bare(Controller):
    @get("/", name="toy:index", sync_to_thread=False)
    def index(self) -> str:
        return ""


def group(area, handler, *roots):
    return lambda: (PluginRoutes(area=area, handlers=(handler,), roots=roots),)


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ({"routes": group(Area.STAFF, Unnamed)}, "not named toy:"),
        ({"routes": group(Area.STAFF, Open)}, "no permission that fits"),
        ({"routes": group(Area.STAFF, Bare)}, "no permission that fits"),
        ({"routes": group(Area.PUBLIC, Inside)}, "no permission that fits"),
        ({"routes": group(Area.API, Inside)}, "must be made with"),
        ({"routes": group(Area.PUBLIC, Open, "complain")}, "is not below complain"),
        ({"routes": group(Area.PUBLIC, Open, "static")}, "not to be had"),
        ({"routes": group(Area.STAFF, Inside, "complain")}, "only public pages"),
        ({"permissions": lambda: (PluginPermission("case.x", "", frozenset()),)}, "case.x"),
        ({"gates": lambda: (PluginGate("plan_approved", "approval", "x"),)}, "plan_approved"),
        ({"navigation": lambda: (NavItem("", "/admin", "x", "y", "case.read"),)}, "leads out"),
        ({"channels": lambda: (SimpleNamespace(name="x"),)}, "no Channel"),
    ],
)  # fmt: skip
def test_a_declaration_that_reaches_too_far_is_refused(load, hooks, words):
    assert words in reason(load(**hooks))


def test_the_same_public_address_goes_to_the_first_on_the_list(rogues, entry):
    class Other(Controller):
        @page("/", name="zoo:index", permission="public")
        def index(self, desk):
            raise AssertionError

    rogues.module("toy", routes=group(Area.PUBLIC, Open, ""))
    rogues.module("zoo", routes=group(Area.PUBLIC, Other, ""))
    found = [entry(name, f"rogue_{name}.plugin", f"huiyin-{name}") for name in ("zoo", "toy")]
    for first, second in (("zoo", "toy"), ("toy", "zoo")):
        host = PluginHost((first, second), found=found)
        assert list(host.plugins) == [first]
        (refusal,) = host.refused
        assert (refusal.name, refusal.reason) == (second, f"/ is taken by {first}")


STRAY = """
from types import ModuleType
from importlib.metadata import EntryPoint
import sys
from sqlalchemy.orm import Mapped, mapped_column
from huiyin.db import PlatformModel, TenantModel
from huiyin.plugins import Kind, Manifest, PluginHost

package, plugin = ModuleType("rogue_toy"), ModuleType("rogue_toy.plugin")
package.__path__, package.__file__ = [], "/nowhere/rogue_toy/__init__.py"
plugin.MANIFEST = Manifest(title="x", summary="y", kind=Kind.ASSIST)
sys.modules.update({"rogue_toy": package, "rogue_toy.plugin": plugin})

class Stray(BASE):
    __tablename__ = "TABLE"
    __module__ = "rogue_toy.models"
    word: Mapped[str]

class Dist:
    name, version = "huiyin-toy", "1"

entry = EntryPoint("toy", "rogue_toy.plugin", "huiyin.plugins")
object.__setattr__(entry, "dist", Dist)
host = PluginHost(("toy",), found=[entry])
print(*(refusal.reason for refusal in host.refused), sep="")
"""


@pytest.mark.parametrize(
    ("base", "table", "words"),
    [
        ("TenantModel", "stray", "the table stray is not named plugin_toy__"),
        ("TenantModel", "plugin_toy__version", "is not named"),
        ("PlatformModel", "plugin_toy__stray", "not behind the tenants' wall"),
        ("TenantModel", "plugin_toy__stray", ""),
    ],
)
def test_a_table_outside_the_prefix_or_the_wall_is_refused(base, table, words):
    """In a process of its own: a model cannot be taken back."""
    script = STRAY.replace("BASE", base).replace("TABLE", table)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert words in done.stdout
    assert bool(words) == bool(done.stdout.strip())


def test_the_strangers_wheel_is_loaded_with_its_metadata(stranger):
    (plugin,) = stranger.plugins.values()
    assert (plugin.name, plugin.distribution, plugin.version) == (
        "call_back", "acme-call-back", "1.2.0",
    )  # fmt: skip
    assert [folder.parent.name for folder in stranger.template_folders()] == ["acme_call_back"]
    assert stranger.static_folders()
    assert stranger.locale_folders()
    assert stranger.migrations() == {"call_back": "acme_call_back"}


def test_the_stranger_uses_every_hook(stranger):
    """A hook that nobody uses would be a guess."""
    module = import_module("acme_call_back.plugin")
    assert [hook for hook in HOOKS if not hasattr(module, hook)] == []
