"""A new plugin that works from the first minute: ``huiyin plugin new``."""

from __future__ import annotations

import keyword
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from huiyin.plugins.manifest import KIND_TITLES, Kind

SKELETON: Final = "skeleton"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def create(target: Path, name: str, kind: str) -> Path:
    """Write the project of a plugin into ``target`` and answer with that folder.

    ``name`` is lower_case, such as ``survey_satisfaction``; ``kind`` one of ``Kind``.  Raises
    ``ValueError`` for another name or kind, ``FileExistsError`` when the folder holds anything.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(f"a plugin's name is lower_case, not {name!r}")
    chosen = Kind(kind)
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(target)
    words = {
        "name": name,
        "slug": name.replace("_", "-"),
        "Name": "".join(part.title() for part in name.split("_")),
        "kind": chosen.name,
        "kind_title": KIND_TITLES[chosen],
        "huiyin": ".".join(version("huiyin").split(".")[:2]),
    }
    folders = ["common", "channel" if chosen is Kind.CHANNEL else "page"]
    root = Path(str(files("huiyin.plugins"))) / SKELETON
    for folder in folders:
        for source in sorted((root / folder).rglob("*.in")):
            place = str(source.relative_to(root / folder)).removesuffix(".in")
            path = target / place.replace("NAME", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = Template(source.read_text(encoding="utf-8")).substitute(words)
            path.write_text(text, encoding="utf-8")
    return target
