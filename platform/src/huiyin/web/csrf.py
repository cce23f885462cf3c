"""Forms must come from our own pages: the fetch metadata of the browser, and a token bound to
the log-in session.  Both are checked; either alone has gaps."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from huiyin.kit.errors import BadOrigin

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def token_for(secret: bytes, session_hash: bytes) -> str:
    """The form token of one log-in session; changes when the session does."""
    return hmac.new(secret, b"csrf1" + session_hash, hashlib.sha256).hexdigest()


def check_origin(headers: Mapping[str, str], host: str) -> None:
    """Refuse unsafe requests that another site made.  Raises ``BadOrigin``."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise BadOrigin
        return
    # Old browsers send no fetch metadata, but an Origin with every POST.
    origin = headers.get("origin")
    if origin is not None and _host_of(origin) != host:
        raise BadOrigin


def check_same_host(headers: Mapping[str, str], host: str) -> None:
    """Refuse an open line that another site asked for: browsers always name the page's origin,
    and cookies go along whoever asks.  Raises ``BadOrigin``."""
    if not host or _host_of(headers.get("origin", "")) != host:
        raise BadOrigin


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        raise BadOrigin from None


def check_token(expected: str, given: object) -> None:
    """Refuse a form without the session's token.  Raises ``BadOrigin``."""
    if not isinstance(given, str) or not hmac.compare_digest(expected.encode(), given.encode()):
        raise BadOrigin
