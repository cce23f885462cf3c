"""The parts of a mail: the words to read, and the files to keep."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any, Final

from huiyin_channel_email import limits
from huiyin_channel_email.decoding import Faults, header_text, text_of
from huiyin_channel_email.htmltext import words_of

MOST: Final = 50  # files that are taken out of one mail
WEIGHT: Final = 2 * limits.LARGEST  # bytes of them all: a mail in a mail in a mail counts thrice
_MESSAGES: Final = frozenset({"message/delivery-status", "text/rfc822-headers"})
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_ENDINGS: Final = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "application/pdf": "pdf",
    "text/calendar": "ics", "text/csv": "csv", "text/html": "html", "text/plain": "txt",
}  # fmt: skip


def leaves(message: Message) -> Iterator[Message]:
    """Every part that holds something itself, those of messages inside too."""
    for part in message.walk():
        if not part.is_multipart():
            yield part


def payload_of(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def body_of(message: Message, faults: Faults) -> str:
    """The words of the mail itself, without files and messages inside."""
    return "\n\n".join(text for text in _texts(message, faults) if text.strip()).strip()


def _texts(part: Message, faults: Faults) -> list[str]:
    kind = part.get_content_type()
    if part.is_multipart():
        if part.get_content_maintype() == "message":
            return []
        below = [child for child in part.get_payload() if isinstance(child, Message)]
        if kind == "multipart/alternative":
            return _best(below, faults)
        return [text for child in below for text in _texts(child, faults)]
    if part.get_content_maintype() != "text" or is_file(part):
        return []
    text = text_of(payload_of(part), str(part.get_content_charset() or ""), faults)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return [words_of(text) if kind == "text/html" else text]


def _best(choices: list[Message], faults: Faults) -> list[str]:
    """Of several forms of one text the plain one, unless there is nothing in it."""
    plain = [c for c in choices if c.get_content_type() == "text/plain"]
    for group in (plain, [c for c in choices if c not in plain]):
        found = [text for child in group for text in _texts(child, faults) if text.strip()]
        if found:
            return found
    return []


def is_file(part: Message) -> bool:
    """Whether a part is something to keep, not something to read."""
    disposition = str(part.get_content_disposition() or "")
    if disposition == "attachment" or part.get_filename():
        return True
    return part.get_content_maintype() not in {"text", "multipart", "message"}


class Bag:
    """The files taken out of a mail, written to a folder under numbers."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self.folder = folder
        self.faults = faults
        self.files: list[dict[str, Any]] = []
        self.weight = 0

    def fill(self, message: Message) -> None:
        """Take every file, and every message inside as a file of its own."""
        for part in message.walk():
            if part.get_content_type() == "message/rfc822" and part is not message:
                self._take_message(part)
            elif not part.is_multipart() and is_file(part):
                self._take_part(part)

    def _take_part(self, part: Message) -> None:
        data, kind = payload_of(part), part.get_content_type()
        name = header_text(part.get_filename() or "", self.faults)
        if kind in _TNEF or name.lower() == "winmail.dat":
            if self._unwrap(data):
                return
            self.faults.add("winmail")
        inline = str(part.get_content_disposition() or "") == "inline" or bool(part["content-id"])
        self._put(name or f"附件.{_ENDINGS.get(kind, 'bin')}", data, inline=inline)

    def _take_message(self, part: Message) -> None:
        inner = part.get_payload(0) if part.is_multipart() else None
        if isinstance(inner, Message):
            name = header_text(str(inner.get("subject", "")), self.faults)[:80] or "邮件"
            self._put(f"{name}.eml", inner.as_bytes(), inline=False)

    def _unwrap(self, data: bytes) -> bool:
        """The files in an Outlook container; False when it cannot be opened."""
        from tnefparse import TNEF  # noqa: PLC0415 - seldom needed, slow to import

        try:
            found = [(a.long_filename() or a.name, a.data) for a in TNEF(data).attachments]
        except Exception:  # noqa: BLE001 - a container of strangers may break in any way
            return False
        for name, content in found:
            self._put(header_text(str(name), self.faults), bytes(content or b""), inline=False)
        return bool(found)

    def _put(self, name: str, data: bytes, *, inline: bool) -> None:
        if not data:
            self.faults.add("left_out")
            return
        if len(self.files) >= MOST or self.weight + len(data) > WEIGHT:
            self.faults.add("too_many_files")
            return
        self.weight += len(data)
        path = str(len(self.files) + 1)
        (self.folder / path).write_bytes(data)
        self.files.append({"name": name[:200], "path": path, "size": len(data), "inline": inline})
