"""One call to one of our hosts: https, the vetted address, no redirects, little time and room.

``HUIYIN_WECOM_GATEWAY`` leads every call through a relay of the operator's own instead, which is
told the host as the first segment of the path: for providers that know only fixed addresses.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

from huiyin.sdk import Unreachable, connect_outside

VARIABLE: Final = "HUIYIN_WECOM_GATEWAY"
WITHIN: Final = 5.0  # seconds for an answer in words
ANSWER: Final = 64 * 1024  # bytes of one
_PIECE: Final = 64 * 1024
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Failed(Exception):
    """A call that came to no answer.  ``sent``: the other side may have acted on it."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("sent" if sent else "not sent")
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``whole`` is False when there was more than we take."""

    status: int
    kind: str
    disposition: str
    body: bytes
    whole: bool


def call(
    method: str, host: str, target: str, body: bytes | None = None, *, most: int = ANSWER,
    within: float = WITHIN,
) -> Answer:  # fmt: skip
    """Ask once.  ``target`` is path and query; it may hold secrets and is never logged.

    Raises ``Failed``.
    """
    end = time.monotonic() + within
    connection, prefix = _connection(host, within)
    sent = False
    try:
        headers = {"Host": connection.host, "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = True  # from the first byte on nobody can know
        connection.request(method, f"{prefix}{target}", body, headers)
        answer = connection.getresponse()
        taken, whole = _read(answer, most, end)
        return Answer(
            answer.status, (answer.getheader("Content-Type") or "").partition(";")[0].strip(),
            answer.getheader("Content-Disposition") or "", taken, whole,
        )  # fmt: skip
    except (OSError, HTTPException, ValueError):
        raise Failed(sent=sent) from None
    finally:
        connection.close()


def _read(answer: HTTPResponse, most: int, end: float) -> tuple[bytes, bool]:
    taken = bytearray()
    while len(taken) <= most:
        if time.monotonic() > end:
            raise TimeoutError
        piece = answer.read1(_PIECE)
        if not piece:
            if answer.length:
                raise IncompleteRead(bytes(taken), answer.length)
            return bytes(taken), True
        taken += piece
    return bytes(taken[:most]), False


def _connection(host: str, within: float) -> tuple[HTTPConnection, str]:
    """A connection with its socket made already, so that no name is looked up again."""
    gateway = os.environ.get(VARIABLE, "")
    scheme, name, port, prefix = "https", host, 443, ""
    if gateway:
        parts = urlsplit(gateway)
        scheme, name = parts.scheme, parts.hostname or ""
        port = parts.port or (443 if scheme == "https" else 80)
        prefix = f"{parts.path.rstrip('/')}/{host}"
        if scheme != "https" and name not in _HERE:
            raise Failed(sent=False)
    try:
        bare = connect_outside(name, port, min(within, WITHIN))
    except (OSError, Unreachable):
        raise Failed(sent=False) from None
    try:
        ready = _encrypted(bare, name) if scheme == "https" else bare
    except (OSError, ValueError):
        bare.close()
        raise Failed(sent=False) from None
    made = HTTPConnection(name, port)
    made.sock = ready
    return made, prefix


def _encrypted(bare: socket.socket, name: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(bare, server_hostname=name)
