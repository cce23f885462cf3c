"""A visitor of the chat over a real socket: forms for the beginning and the end, a line between."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

_CSRF = re.compile(r'name="_csrf" value="([^"]*)"')
_NUMBER = re.compile(r"[A-Z]{2,8}-\d{4}-\d{2,}")


class NoAnswerError(Exception):
    """The server could not be heard to its end, or said that it cannot now."""


@dataclass(slots=True)
class Visitor:
    """One browser, known by its cookie; ``address`` is its network, as a proxy tells it."""

    port: int
    firm: str
    address: str
    cookie: str = ""
    csrf: str = ""
    seen: int = 0  # the last sequence it has
    read: list[int] = field(default_factory=list)  # every sequence a line brought, as it came

    @property
    def path(self) -> str:
        return f"/p/{self.firm}/chat"

    def begin(self) -> None:
        """Open a talk.  One whose answer was lost is begun anew, and stays empty."""
        answer, _ = self._form({"act": "begin", "topic": "complaint", "consent": "on"})
        self.cookie = answer.getheader("Set-Cookie", "").partition(";")[0]
        _, page = self._ask("GET", f"{self.path}/")
        found = _CSRF.search(page)
        assert self.cookie
        assert found, page[-2000:]
        self.csrf = found[1]

    def convert(self, story: str) -> str:
        """Make it a complaint; the number.  Asked twice it is the same one."""
        card = {"act": "convert", "story": story, "phone": "13800006021", "consent": "on"}
        self._form({**card, "_csrf": self.csrf}, wanted=(303, 409))
        _, page = self._ask("GET", f"{self.path}/")
        found = _NUMBER.search(page)
        assert found, page[-2000:]
        return found[0]

    @contextmanager
    def line(self) -> Iterator[ClientConnection]:
        """An open line that has caught up."""
        headers = {
            "Cookie": self.cookie, "X-Forwarded-For": self.address, "Sec-Fetch-Site": "same-origin",
        }  # fmt: skip
        with connect(
            f"ws://127.0.0.1:{self.port}{self.path}/live",
            origin=f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]
            additional_headers=headers,
        ) as line:
            line.send(json.dumps({"type": "hello", "after": self.seen}))
            self.hear(line, "hello")
            yield line

    def say(self, line: ClientConnection, client_id: str, body: str) -> Mapping[str, Any]:
        """Say one thing and hear that it is kept, or why not."""
        line.send(json.dumps({"type": "say", "id": client_id, "body": body}))
        return self.hear(line, "ack", "refused")

    def hear(self, line: ClientConnection, *kinds: str) -> Mapping[str, Any]:
        """Read frames up to the first of these."""
        while True:
            frame = json.loads(line.recv(timeout=60))
            if frame["type"] == "said":
                self.seen = frame["seq"]
                self.read.append(frame["seq"])
            if frame["type"] in kinds:
                return dict(frame)

    def _form(
        self, fields: dict[str, str], *, wanted: tuple[int, ...] = (303,)
    ) -> tuple[http.client.HTTPResponse, str]:
        return self._ask("POST", f"{self.path}/", urlencode(fields), wanted=wanted)

    def _ask(
        self, method: str, path: str, body: str = "", *, wanted: tuple[int, ...] = (200,)
    ) -> tuple[http.client.HTTPResponse, str]:
        headers = {"X-Forwarded-For": self.address, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError from error
        finally:
            connection.close()
        if response.status == 503:
            raise NoAnswerError
        assert response.status in wanted, f"{method} {path}: {response.status} {text[-2000:]}"
        return response, text
