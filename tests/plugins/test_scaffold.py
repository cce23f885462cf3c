"""A new plugin works from the first minute."""

import importlib
import os
import subprocess
import sys

import pytest

from huiyin.identity import policy
from huiyin.plugins import PluginHost, quality, scaffold
from huiyin.plugins.manifest import Kind


@pytest.fixture
def unknown():
    """What a plugin registers is forgotten again."""
    known = dict(policy._extra)
    yield
    policy._extra.clear()
    policy._extra.update(known)
    policy.permissions_of.cache_clear()


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    importlib.invalidate_caches()


def run_tests(project, home):
    """The plugin's own tests, as its author runs them."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", [Kind.SURVEY, Kind.CHANNEL])
def test_a_new_plugin_loads_keeps_the_rules_and_passes_its_tests(
    tmp_path, home, installer, unknown, kind
):
    name = f"sample_{kind}"
    project = scaffold.create(tmp_path / name, name, kind)
    installer.install(project, home, tmp_path / "build")
    importlib.invalidate_caches()
    host = PluginHost((name,), found=installer.found_in(home))
    assert list(host.plugins) == [name], host.refused
    plugin = host.plugin(name)
    assert plugin.manifest.kind is kind
    assert quality.check(plugin) == []
    assert host.route_handlers()
    done = run_tests(project, home)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", list(Kind))
def test_there_is_a_skeleton_for_every_kind(tmp_path, kind):
    scaffold.create(tmp_path / kind, "toy", kind)
    source = (tmp_path / kind / "src" / "huiyin_toy" / "plugin.py").read_text(encoding="utf-8")
    assert f"Kind.{kind.name}" in source
    for path in (tmp_path / kind).rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")


@pytest.mark.parametrize("name", ["Bad", "class", "a__b", "with-dash", ""])
def test_a_name_that_python_or_the_house_cannot_use_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="lower_case"):
        scaffold.create(tmp_path / "x", name, "survey")


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="mood"):
        scaffold.create(tmp_path / "x", "toy", "mood")


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        scaffold.create(tmp_path, "toy", "survey")


def test_the_strangers_own_tests_pass_from_its_wheel(stranger_home, installer):
    done = run_tests(installer.STRANGER, stranger_home)
    assert done.returncode == 0, done.stdout + done.stderr
