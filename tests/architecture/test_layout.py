"""The arrangement of the repository that Python itself depends on."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"platform", "plugins", "tenants", "frontend", "infra", "tests"}
FILES = {
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
}


def strangers(root: Path) -> set[str]:
    """Names at the top that have no place there."""
    allowed = {True: FOLDERS, False: FILES}
    return {
        entry.name
        for entry in root.iterdir()
        if not entry.name.startswith(".")
        and entry.name != "__pycache__"
        and entry.name not in allowed[entry.is_dir()]
    }


def collected_below(folder: Path) -> list[str]:
    """Files of ``folder`` that pytest would take for tests."""
    return sorted(
        str(path.relative_to(folder))
        for pattern in ("test_*.py", "*_test.py", "conftest.py")
        for path in folder.rglob(pattern)
    )


def test_platform_is_still_the_standard_librarys():
    done = subprocess.run(
        [sys.executable, "-c", "import platform; print(platform.__file__); platform.system()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).parent == Path(sysconfig.get_path("stdlib"))


def test_no_folder_at_the_top_is_a_package():
    assert [str(path) for path in ROOT.glob("*/__init__.py")] == []


def test_nothing_below_platform_is_taken_for_a_test():
    assert collected_below(ROOT / "platform") == []


def test_only_what_belongs_at_the_top_is_there():
    assert strangers(ROOT) == set()
    assert {name for name in FOLDERS if (ROOT / name).is_dir()} == FOLDERS


def test_these_rules_can_fail(tmp_path):
    for name in ("src", "tests", ".ci"):
        (tmp_path / name).mkdir()
    for name in ("README.md", "notes.txt", "tests/conftest.py", "tests/test_x.py", "infra"):
        (tmp_path / name).touch()
    assert strangers(tmp_path) == {"src", "notes.txt", "infra"}
    assert collected_below(tmp_path) == ["tests/conftest.py", "tests/test_x.py"]


def test_a_platform_package_would_shadow_the_standard_librarys(tmp_path):
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import platform; print(platform.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().startswith(str(tmp_path))
