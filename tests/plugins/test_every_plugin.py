"""What we promise about every plugin, whoever wrote it."""

from importlib.metadata import entry_points

import msgspec
import pytest

from huiyin.cases.stages import Stage
from huiyin.identity import policy
from huiyin.plugins import PluginHost, quality
from huiyin.plugins.loading import GROUP, distribution_of

INSTALLED = {entry.name: entry for entry in entry_points(group=GROUP)}


@pytest.fixture(params=sorted({*INSTALLED, "call_back"}))
def plugin(request):
    if request.param == "call_back":
        host = request.getfixturevalue("stranger")
    else:
        entry = INSTALLED[request.param]
        line = f"{entry.name}={distribution_of(entry)[0]}"
        known = dict(policy._extra)
        host = PluginHost((line,), found=[entry])
        policy._extra.clear()
        policy._extra.update(known)
    assert not host.refused
    return host.plugin(request.param)


def test_it_loads_and_its_settings_have_defaults(plugin):
    shape = plugin.manifest.settings
    assert msgspec.json.decode(b"{}", type=shape) == shape()


def test_what_it_declares_of_its_quality_is_true(plugin):
    assert quality.check(plugin) == []


def test_its_gates_stand_at_stages_there_are(plugin):
    assert {gate.stage for gate in plugin.declared.gates} <= {stage.value for stage in Stage}


def test_its_permissions_belong_to_roles_there_are(plugin):
    for permission in plugin.declared.permissions:
        assert permission.roles
        assert permission.roles <= set(policy.Role)


@pytest.mark.parametrize("rule", quality.RULES)
def test_a_rule_that_is_not_declared_is_noticed(stranger, rule, tmp_path, monkeypatch):
    plugin = stranger.plugin("call_back")
    text = (plugin.folder / quality.FILE).read_text(encoding="utf-8")
    monkeypatch.setattr(quality, "FILE", str(tmp_path / "quality.toml"))
    (tmp_path / "quality.toml").write_text(text.replace(f"[{rule}]", "[other]"), encoding="utf-8")
    assert quality.check(plugin) == ["other is no rule", f"{rule}: is not declared"]


@pytest.mark.parametrize(
    ("place", "text", "rule"),
    [
        ("templates/call_back/panel.html", '<p style="color:red">x</p>', "clean_templates"),
        ("templates/call_back/panel.html", "{{ x|safe }}", "clean_templates"),
        ("templates/call_back/panel.html", '<p>{{ _("没有译文") }}</p>', "both_languages"),
        ("models.py", "from huiyin.db import TenantModel", "sdk_only"),
        ("models.py", "import huiyin.queue.service", "sdk_only"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_noticed(stranger, place, text, rule):
    plugin = stranger.plugin("call_back")
    path = plugin.folder / place
    kept = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        problems = quality.check(plugin)
    finally:
        path.write_text(kept, encoding="utf-8")
    assert any(problem.startswith(f"{rule}: ") for problem in problems)
    assert quality.check(plugin) == []
