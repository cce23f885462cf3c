"""What the provider calls: first kept, then answered ``success``, then read by a job.

Whatever is wrong with a call is answered in one way; nothing says why.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from sqlalchemy import select

from huiyin.sdk import (
    PUBLIC,
    Desk,
    NotFound,
    TenantContext,
    action,
    context_of,
    failpoint,
    now,
    page,
)
from huiyin_channel_wecom import keeping, xml
from huiyin_channel_wecom.models import Nonce
from huiyin_channel_wecom.roads import MP, keys_of
from huiyin_channel_wecom.sealed import Keys, Refused

WINDOW: Final = 300  # seconds by which the provider's clock may differ
ACCEPTED: Final = "success"
_STAMP: Final = re.compile(r"[0-9]{10}")
_NONCE: Final = re.compile(r"[0-9A-Za-z_\-]{1,64}")


class CallbackController(Controller):
    @page("/{road:str}", name="channel_wecom:verify", permission=PUBLIC)
    def verify(self, desk: NamedDependency[Desk], road: FromPath[str]) -> Response[Any]:
        """The provider makes sure, once, that the address is ours."""
        asked, keys = desk.request.query_params, _keys(desk, road)
        echo = asked.get("echostr", "")[:1000]
        try:
            stamp, nonce = _fresh(asked)
            if road == MP:  # there it is not sealed
                keys.check(asked.get("signature", ""), stamp, nonce)
                return _plain(echo)
            keys.check(asked.get("msg_signature", ""), stamp, nonce, echo)
            return _plain(keys.open(echo).decode())
        except (Refused, UnicodeError):
            return _refusal()

    @action("/{road:str}", name="channel_wecom:hear", permission=PUBLIC, limit=xml.LARGEST)
    def hear(
        self, desk: NamedDependency[Desk], road: FromPath[str], body: RawBody
    ) -> Response[Any]:
        """Keep a message or event.  It is committed before ``success`` leaves the house."""
        ctx, keys = context_of(desk), _keys(desk, road)
        asked = desk.request.query_params
        try:
            stamp, nonce = _fresh(asked)
            sealed = xml.read(body).get("Encrypt", "")
            keys.check(asked.get("msg_signature", ""), stamp, nonce, sealed)
            inner = keys.open(sealed)
            key = keeping.key_of(inner, f"{stamp}:{nonce}:")
            if not _heard_before(ctx, road, stamp, nonce, sealed):
                keeping.keep(ctx, road, key, inner)
        except (Refused, xml.Malformed):
            return _refusal()
        failpoint("wecom.before_answer")
        return _plain(ACCEPTED)


def _keys(desk: Desk, road: str) -> Keys:
    keys = keys_of(context_of(desk), road)
    if keys is None:
        raise NotFound
    return keys


def _fresh(asked: Any) -> tuple[str, str]:
    """Time and nonce of a call that is not old.  Raises ``Refused``."""
    stamp, nonce = asked.get("timestamp", ""), asked.get("nonce", "")
    if not _STAMP.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
        raise Refused
    if abs(now().timestamp() - int(stamp)) > WINDOW:
        raise Refused
    return stamp, nonce


def _heard_before(ctx: TenantContext, road: str, stamp: str, nonce: str, sealed: str) -> bool:
    """Whether this very call was kept; remembered from now on.

    Raises ``Refused`` for another message under a known time and nonce.
    """
    sha256 = hashlib.sha256(sealed.encode()).hexdigest()
    known = ctx.session.scalar(
        select(Nonce.sha256).where(Nonce.road == road, Nonce.stamp == stamp, Nonce.nonce == nonce)
    )
    if known is None:
        ctx.session.add(Nonce(road=road, stamp=stamp, nonce=nonce, sha256=sha256))
        return False
    if known != sha256:
        raise Refused
    return True


def _plain(text: str) -> Response[Any]:
    return Response(text, media_type="text/plain", status_code=200)


def _refusal() -> Response[Any]:
    return Response("", media_type="text/plain", status_code=403)
