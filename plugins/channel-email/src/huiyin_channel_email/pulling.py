"""Fetching a mailbox by IMAP: each mail is committed here before it is marked as seen there.

One node looks into a mailbox at a time.  Between two looks the server may wake us (IDLE); one
that cannot is asked every minute.
"""

from __future__ import annotations

import imaplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    HuiyinError,
    NotFound,
    ServiceContext,
    TenantContext,
    Unreachable,
    connect_outside,
    failpoint,
    now,
)
from huiyin_channel_email import limits
from huiyin_channel_email.intake import take
from huiyin_channel_email.models import Mailbox
from huiyin_channel_email.settings import ChannelEmailSettings

TIMEOUT: Final = 30.0  # seconds for one answer of the server
ROUND: Final = 60.0  # seconds until the mailbox is looked into again in any case
LOOK: Final = 1.0  # seconds between two looks at whether to stop
AT_ONCE: Final = 50  # mails of one round
FIRMS: Final = 15.0  # seconds between two looks at which firms want it
LONGEST_PAUSE: Final = 600.0  # seconds after repeated failure

ERRORS: Final = {
    "login": N_("用户名或密码不对"),
    "unreachable": N_("无法连接邮箱服务器"),
    "tls": N_("邮箱服务器的证书不可信"),
    "folder": N_("没有这个文件夹"),
    "protocol": N_("邮箱服务器的应答无法识别"),
    "not_kept": N_("取到的邮件暂时无法保存"),
}


# What the library falls over when a server's answer makes no sense.
_NONSENSE: Final = (ValueError, LookupError, AssertionError)


class Trouble(Exception):
    """A round came to nothing; ``code`` is one of ``ERRORS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# -- the connection ----------------------------------------------------------------------------


class _Bounded:
    """Takes no more at once than a mail may be long, whatever the server announces."""

    def read(self, size: int) -> bytes:
        if size > 2 * limits.LARGEST:
            raise imaplib.IMAP4.abort("more than a mail")
        data: bytes = super().read(size)  # type: ignore[misc]
        return data


class _Plain(_Bounded, IMAP4WithTimeout):  # type: ignore[misc]  # the library ships no types
    def _create_socket(self, timeout: float | None = None) -> Any:
        return connect_outside(self.host, self.port, timeout or TIMEOUT)


class _Encrypted(_Bounded, IMAP4_TLS):  # type: ignore[misc]  # as above
    def _create_socket(self, timeout: float | None = None) -> Any:
        bare = connect_outside(self.host, self.port, timeout or TIMEOUT)
        context = self.ssl_context or ssl.create_default_context()
        return context.wrap_socket(bare, server_hostname=self.host)


class _Client(IMAPClient):  # type: ignore[misc]  # as above
    """Connects to the address that was looked at, not to the name once more."""

    def _create_IMAP4(self) -> Any:  # noqa: N802 - the library's name
        if self.ssl:
            return _Encrypted(self.host, self.port, self.ssl_context, TIMEOUT)
        return _Plain(self.host, self.port, TIMEOUT)


@contextmanager
def mailbox(chosen: ChannelEmailSettings) -> Iterator[IMAPClient]:
    """The opened folder of a mailbox.  Raises ``Trouble``."""
    try:
        client = _Client(
            chosen.host, chosen.port, ssl=chosen.security == "tls",
            ssl_context=ssl.create_default_context(), timeout=TIMEOUT,
        )  # fmt: skip
    except ssl.SSLError:
        raise Trouble("tls") from None
    except (OSError, Unreachable, imaplib.IMAP4.error):
        raise Trouble("unreachable") from None
    try:
        _enter(client, chosen)
        yield client
    except ssl.SSLError:
        raise Trouble("tls") from None
    except (OSError, *_NONSENSE, IMAPClientError, imaplib.IMAP4.error):
        raise Trouble("protocol") from None
    finally:
        with suppress(Exception):
            client.logout()


def _enter(client: IMAPClient, chosen: ChannelEmailSettings) -> None:
    if chosen.security == "starttls":
        client.starttls(ssl.create_default_context())
    try:
        client.login(chosen.user, chosen.password)
    except (LoginError, UnicodeError):  # a name in Chinese cannot even be said
        raise Trouble("login") from None
    try:
        client.select_folder(chosen.folder)
    except IMAPClientError:
        raise Trouble("folder") from None


# -- one round ---------------------------------------------------------------------------------


def fetch(
    ctx: ServiceContext, slug: str, client: IMAPClient, *, checked_by: str = ""
) -> int:  # fmt: skip
    """Take what was not seen yet; answers how many.  Raises ``Trouble``."""
    unseen = client.search(["UNSEEN"])[:AT_ONCE]
    sizes = client.fetch(unseen, ["RFC822.SIZE"]) if unseen else {}
    for uid in unseen:
        size = int(sizes.get(uid, {}).get(b"RFC822.SIZE", 0))
        data = _bytes(client, uid, size)
        if data is None:
            continue  # somebody has moved it meanwhile
        try:
            take(ctx, slug, data, sender=None, checked_by=checked_by)
        except NotFound:
            raise
        except Exception:  # noqa: BLE001 - whatever it was, it was not kept and stays unseen
            raise Trouble("not_kept") from None
        failpoint("email.after_take")
        client.add_flags([uid], [b"\\Seen"], silent=True)
    return len(unseen)


def _bytes(client: IMAPClient, uid: int, size: int) -> bytes | None:
    """The mail, or of one that is too large its headers and a line that says so."""
    part = b"BODY[]" if size <= limits.LARGEST else b"BODY[HEADER]"
    answer = client.fetch([uid], [part.replace(b"BODY", b"BODY.PEEK")])
    found: bytes | None = answer.get(uid, {}).get(part)
    if found is not None and len(found) > limits.LARGEST:  # it was larger than it was said to be
        return _bytes(client, uid, len(found)) if part == b"BODY[]" else found[: limits.LARGEST]
    if found is None or part == b"BODY[]":
        return found
    kept = b"\r\n".join(
        line
        for line in found.split(b"\r\n")
        if not line.lower().startswith((b"content-", b"mime-version"))
    )
    words = f"（原件 {size // (1024 * 1024)} MB，超过 30 MB，仍在邮箱中）"
    kind = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return kept.rstrip(b"\r\n") + b"\r\n" + kind + words.encode()


# -- the service -------------------------------------------------------------------------------


def pull(ctx: ServiceContext) -> None:
    """Look into the mailboxes of all firms that want it, each in a thread of its own."""
    threads: dict[str, threading.Thread] = {}
    while not ctx.stopping.is_set():
        for firm in ctx.firms():
            known = threads.get(firm.slug)
            if (known is None or not known.is_alive()) and _wanted(ctx, firm.slug):
                threads[firm.slug] = threading.Thread(
                    target=_tend, args=(ctx, firm.slug), name=f"imap:{firm.slug}", daemon=True
                )
                threads[firm.slug].start()
        ctx.stopping.wait(FIRMS)
    for thread in threads.values():
        thread.join(TIMEOUT)


def _wanted(ctx: ServiceContext, slug: str) -> ChannelEmailSettings | None:
    """The firm's settings, if it wants its mailbox fetched."""
    try:
        with ctx.firm(slug) as firm:
            chosen = firm.settings(ChannelEmailSettings)
    except NotFound:
        return None
    return chosen if chosen.pull else None


def _tend(ctx: ServiceContext, slug: str) -> None:
    """One mailbox, until the firm wants it no more; alone among all nodes."""
    with ctx.alone(f"imap:{slug}") as mine:
        pause = LOOK
        while mine and not ctx.stopping.is_set():
            chosen = _wanted(ctx, slug)
            if chosen is None:
                return
            try:
                with mailbox(chosen) as client:
                    _watch(ctx, slug, client, chosen)
                pause = LOOK
            except Trouble as trouble:
                _note(ctx, slug, error=trouble.code)
                pause = min(pause * 2, LONGEST_PAUSE)
                ctx.stopping.wait(pause)
            except NotFound:
                return  # switched off meanwhile


def _watch(
    ctx: ServiceContext, slug: str, client: IMAPClient, chosen: ChannelEmailSettings
) -> None:
    """Take mail as it comes, for as long as the settings stay as they are."""
    while not ctx.stopping.is_set() and _wanted(ctx, slug) == chosen:
        taken = fetch(ctx, slug, client, checked_by=chosen.authserv)
        _note(ctx, slug, taken=taken)
        if taken < AT_ONCE:
            _wait(ctx, client)


def _wait(ctx: ServiceContext, client: IMAPClient) -> None:
    """Until the server says that something came, or a round is over."""
    if not client.has_capability("IDLE"):
        ctx.stopping.wait(ROUND)
        client.noop()
        return
    client.idle()
    try:
        for _ in range(int(ROUND / LOOK)):
            if client.idle_check(timeout=LOOK) or ctx.stopping.is_set():
                break
    finally:
        client.idle_done()


def _note(ctx: ServiceContext, slug: str, *, taken: int = 0, error: str = "") -> None:
    """Keep for the health card how it went."""
    with suppress(HuiyinError), ctx.firm(slug) as firm:
        row = state_of(firm) or Mailbox(taken=0, error="")
        firm.session.add(row)
        row.taken += taken
        row.error = error
        if error:
            row.error_at = now()
        else:
            row.good_at = now()


def state_of(ctx: TenantContext) -> Mailbox | None:
    """How the pulling of this firm's mailbox goes."""
    return ctx.session.scalar(select(Mailbox))
