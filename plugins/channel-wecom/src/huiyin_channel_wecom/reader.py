"""A conversation read: who, what was said, which files.

This runs in a confined process and knows nothing of the platform: bytes in, a ``dict`` in the
shape of ``huiyin.sdk.Reading`` out.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Final

TEXT: Final = 1_000_000
FILES: Final = 200
FILE: Final = 32 * 1024 * 1024
WORDS: Final = 8 * 1024 * 1024
TITLE: Final = 40


def read(raw: bytes, folder: Path) -> dict[str, Any]:
    """Read one bundle; its files go into ``folder`` under numbers."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as box:
            told = json.loads(_entry(box, "conversation.json", WORDS))
            return _reading(box, told, folder)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError):
        return {"faults": ["fault"]}


def _entry(box: zipfile.ZipFile, name: str, most: int) -> bytes:
    with box.open(name) as source:
        data = source.read(most + 1)
    if len(data) > most:
        raise ValueError
    return data


def _reading(box: zipfile.ZipFile, told: dict[str, Any], folder: Path) -> dict[str, Any]:
    faults: set[str] = set()
    own = [line for line in told["messages"] if line["who"] == "customer"]
    text = "\n".join(str(line["text"]) for line in own)
    if len(text) > TEXT:
        faults.add("text_cut")
    written = [str(line["text"]) for line in own if line["kind"] == "text"]
    digest = hashlib.sha256("\n".join(sorted(str(line["key"]) for line in own)).encode())
    return {
        "sender": {"handle": str(told["handle"])[:320]},
        "subject": (written or [""])[0].strip().partition("\n")[0][:TITLE],
        "sent_at": own[0]["at"] if own and own[0]["at"] else None,
        "text": text[:TEXT],
        "quoted": _answers(told["messages"])[:TEXT],
        "files": _files(box, own, folder, faults),
        "identity": digest.hexdigest(),
        "faults": sorted(faults),
    }


def _answers(lines: list[dict[str, Any]]) -> str:
    """What colleagues wrote in between, in the provider's own program."""
    said = [f"{line['at']} {line['text']}" for line in lines if line["who"] == "staff"]
    return "\n".join(said)


def _files(
    box: zipfile.ZipFile, lines: list[dict[str, Any]], folder: Path, faults: set[str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        if line.get("missing"):
            faults.add("file_missing")
        if "file" not in line:
            continue
        if len(found) >= FILES:
            faults.add("too_many_files")
            break
        data, path = _entry(box, f"files/{line['file']}", FILE), str(len(found) + 1)
        (folder / path).write_bytes(data)
        found.append({"name": str(line["name"])[:200], "path": path, "size": len(data)})
    return found
