"""What servers on the way found about the sender: ``Authentication-Results`` (RFC 8601).

Whoever writes a mail can write such a header, so each is reported under the name of its server,
and only the road knows which server is ours.  Of one server only its top-most header is taken for
a good word; what a stranger wrote under that name stands below it.  A bad word counts wherever it
stands above the next ``Received``: nobody forges that to his own harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from huiyin_channel_email.decoding import one_line

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"
MOST: Final = 20  # servers, and headers of each
LINE: Final = 8_000  # characters of one header
_RESULT: Final = re.compile(
    r"\s*([a-z0-9-]{1,60})(?:\s*/\s*\d+)?\s*=\s*([a-z]{1,20})", re.IGNORECASE
)
_PROPERTY: Final = re.compile(
    r"([a-z]{1,20}\.[a-z-]{1,40})\s*=\s*(\"[^\"]*\"|[^\s\"]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    """One method's finding, such as ``dkim`` ``pass`` with ``header.d``; all in small letters."""

    method: str
    value: str
    properties: dict[str, str]

    def about(self, domain: str, *names: str) -> bool:
        """Whether it speaks of this domain or one above it, by the first property it states."""
        stated = next((self.properties[name] for name in names if name in self.properties), "")
        theirs = stated.rpartition("@")[2].strip(".")
        return bool(theirs) and (domain == theirs or domain.endswith(f".{theirs}"))


def vouched(message: Message, address: str) -> list[dict[str, Any]]:
    """For each server that is named, the last on the way first, what it found."""
    domain = address.rpartition("@")[2].lower().strip(".")
    return [
        {"server": server, "verdict": _verdict(found, domain)}
        for server, found in _by_server(message).items()
    ]


def _by_server(message: Message) -> dict[str, list[list[Result]]]:
    """The headers of each server, the top-most first, up to the hop before it."""
    known: dict[str, list[list[Result]]] = {}
    closed: set[str] = set()
    for name, value in message.raw_items():
        if name.lower() == "received":
            closed |= known.keys()
        if name.lower() != "authentication-results":
            continue
        server, results = parse(str(value))
        if server and server not in closed and (server in known or len(known) < MOST):
            known.setdefault(server, []).append(results)
    return {server: found[:MOST] for server, found in known.items()}


def parse(value: str) -> tuple[str, list[Result]]:
    """The server of a header and what it found; ``""`` where it is none."""
    head, *clauses = _clauses(one_line(value[:LINE]))
    server = (head.strip().split() or [""])[0].strip('"').lower()[:200]
    return server, list(_results(clauses))


def _results(clauses: list[str]) -> Iterator[Result]:
    for clause in clauses:
        if found := _RESULT.match(clause):
            rest = _PROPERTY.findall(clause[found.end() :])
            properties = {name.lower(): said.strip('"').lower() for name, said in reversed(rest)}
            yield Result(found[1].lower(), found[2].lower(), properties)


def _clauses(text: str) -> list[str]:
    """What stands between semicolons, without comments, quoted signs left alone."""
    clauses, depth, quoted, escaped = [""], 0, False, False
    for sign in text:
        if escaped or sign == "\\":
            escaped = not escaped
        elif sign == '"' and not depth:
            quoted = not quoted
        elif not quoted and sign in "()":
            depth = max(0, depth + (1 if sign == "(" else -1))
            continue
        elif sign == ";" and not depth and not quoted:
            clauses.append("")
            continue
        if not depth:
            clauses[-1] += sign
    return clauses


# -- what it comes to --------------------------------------------------------------------------


def _verdict(headers: list[list[Result]], domain: str) -> str:
    """The domain's own policy first, then whether one of the two signs holds for it."""
    if not domain:
        return UNKNOWN
    if any(_says(results, "dmarc", "fail", domain) for results in headers):
        return FAILED
    if any(_says(headers[0], method, "pass", domain) for method in _SPEAKS_OF):
        return PASSED
    # Signed twice, it is enough that one signature holds.
    unsigned = any(
        _says(found, "dkim", "fail", domain) and not _says(found, "dkim", "pass", domain)
        for found in headers
    )
    elsewhere = any(
        _says(found, "spf", value, domain) for found in headers for value in ("fail", "softfail")
    )
    return FAILED if unsigned and elsewhere else UNKNOWN


def _says(results: list[Result], method: str, value: str, domain: str) -> bool:
    return any(
        result.about(domain, *_SPEAKS_OF[method]) or _is_silent(result)
        for result in results
        if (result.method, result.value) == (method, value)
    )


_SPEAKS_OF: Final = {
    "dmarc": ("header.from",),
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom", "smtp.mail", "smtp.helo"),
}


def _is_silent(result: Result) -> bool:
    """DMARC is always about the sender; a failure that names no domain is taken for his."""
    named = any(name in result.properties for name in _SPEAKS_OF[result.method])
    return not named and (result.method == "dmarc" or result.value != "pass")
