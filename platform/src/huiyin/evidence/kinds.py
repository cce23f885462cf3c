"""What a file is, told by its bytes; its name only chooses among kinds with the same beginning.

Nothing is ever opened here.  What a browser could run is kept as plain bytes to be downloaded,
what a machine could run is not taken at all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from huiyin.kit.text import clean

PLAIN_BYTES: Final = "application/octet-stream"
LONGEST_NAME: Final = 120

# offset, beginning, media type
MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
)
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
# Containers by ending; those with macros stay plain bytes.
ZIPPED: Final = {
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "zip": "application/zip",
}
TEXTS: Final = {"txt": "text/plain", "csv": "text/csv", "eml": "message/rfc822"}

# Programs, by their beginning or by the ending that makes a system run them.
RUNS: Final = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa")
RUNS_NOT: Final = (b"#!AMR",)
# fmt: off
RUNS_BY_NAME: Final = frozenset({
    "apk", "app", "bat", "bin", "class", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "iso",
    "jar", "js", "jse", "lnk", "msc", "msi", "msp", "pif", "ps1", "py", "reg", "scr", "sh", "sys",
    "vb", "vbe", "vbs", "wsf",
})
# fmt: on
_MARKUP: Final = re.compile(rb"\s*<(?:!|\?|/?[a-zA-Z])")


def ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def runs(name: str, head: bytes) -> bool:
    """Whether a machine would run it: such files are refused."""
    if head.startswith(RUNS_NOT):
        return False
    return ending(name) in RUNS_BY_NAME or head.startswith(RUNS)


def media_type(name: str, head: bytes) -> str:
    """The type of a file from its first bytes (some hundred), plain bytes when in doubt."""
    for offset, magic, kind in MAGIC:
        if head[offset:].startswith(magic) and _whole(kind, head):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return ZIPPED.get(ending(name), PLAIN_BYTES)
    if ending(name) in TEXTS and _is_text(head):
        return TEXTS[ending(name)]
    return PLAIN_BYTES


def by_ending(ending_: str) -> str:
    """The type that an ending alone promises, for files that the house itself named."""
    return {**ZIPPED, **TEXTS}.get(ending_, PLAIN_BYTES)


def _whole(kind: str, head: bytes) -> bool:
    return kind not in {"image/webp", "audio/wav"} or head.startswith(b"RIFF")


def _is_text(head: bytes) -> bool:
    """Readable characters, and nothing a browser would take for a page."""
    if b"\0" in head or _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            head.decode(encoding)
        except UnicodeDecodeError as fault:
            if fault.start > len(head) - 4:  # a character cut by the end of the sample
                return True
        else:
            return True
    return False


def clean_name(name: str) -> str:
    """The name without path, controls and direction marks, 120 characters at most, ending kept."""
    name = clean(re.split(r"[\\/]", name)[-1])
    kept = "".join(c for c in name if unicodedata.category(c) not in {"Cf", "Cc", "Zl", "Zp"})
    kept = kept.strip(" .") or "文件"
    if len(kept) > LONGEST_NAME:
        tail = f".{ending(kept)}" if 0 < len(ending(kept)) <= 10 else ""
        kept = kept[: LONGEST_NAME - len(tail)] + tail
    return kept
