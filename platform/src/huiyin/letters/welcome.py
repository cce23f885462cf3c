"""The link for a first password, mailed to its holder: whoever made the account never sees it.

The token is made when the mail is sent and stands in no job: a mail tried again carries a new one,
and the earlier ends with it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from sqlalchemy import select

from huiyin.db import ScopedSession
from huiyin.identity import links
from huiyin.identity.models import Account
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_, SOURCE, Translator, load
from huiyin.kit.time import SHANGHAI, now
from huiyin.ledger import service as ledger
from huiyin.letters import mailer
from huiyin.queue import service as queue
from huiyin.queue.registry import GiveUp, JobView, Retry, handler
from huiyin.tenancy.models import Tenant
from huiyin.web.undelivered import NOT_DELIVERED

SEND: Final = "letters.welcome"
TRIES: Final = 8  # over a day, as long as a mail server is waited for
_LONGEST_PAUSE: Final = 6 * 3600


def post(session: ScopedSession, account_id: uuid.UUID) -> bool:
    """Have the link mailed; ``False`` on an installation that sends no mail."""
    if mailer.settings() is None:
        return False
    key = f"{SEND}:{account_id}:{now().isoformat()}"
    queue.enqueue(session, SEND, {"account": account_id}, key=key, object_id=account_id)
    return True


@handler(SEND, retries=TRIES, timeout=90.0)
def send(session: ScopedSession, job: JobView) -> None:
    """Mail a fresh link; one that was used meanwhile needs no other."""
    chosen = mailer.settings()
    account_id = uuid.UUID(str(job.payload["account"]))
    account = session.scalar(select(Account).where(Account.id == account_id))
    if chosen is None or account is None:
        raise GiveUp
    try:
        token = links.renew(session, job.actor, account_id)
    except NotFound:
        return
    try:
        mailer.send(chosen, _mail(_firm(session), account, token, chosen))
    except mailer.UndeliverableNow as away:
        if job.attempt < TRIES:
            raise Retry(min(_LONGEST_PAUSE, 60 * 4 ** (job.attempt - 1))) from None
        _undelivered(session, account_id, away.code)
    except mailer.Undeliverable as refused:
        _undelivered(session, account_id, refused.code)


def _undelivered(session: ScopedSession, account_id: uuid.UUID, code: int) -> None:
    ledger.append(
        session, kind=NOT_DELIVERED, object_id=account_id, actor_id=None,
        facts={"account": account_id, "code": code},
    )  # fmt: skip


def _firm(session: ScopedSession) -> Tenant:
    return session.scalars(select(Tenant).where(Tenant.id == session.tenant)).one()


def _mail(firm: Tenant, account: Account, token: str, chosen: mailer.MailSettings) -> EmailMessage:
    mail = EmailMessage(policy=mailer.POLICY)
    mail["Message-ID"] = f"<welcome.{uuid.uuid4().hex}@{chosen.domain}>"
    mail["Date"] = format_datetime(now().astimezone(SHANGHAI))
    mail["From"] = Address(firm.name, addr_spec=chosen.sender)
    try:
        mail["To"] = Address(addr_spec=account.email)
    except (ValueError, IndexError, MessageError):
        raise mailer.Undeliverable(mailer.NO_ADDRESS) from None
    subject, text = _words(firm, account, f"{_base()}/t/{firm.slug}/welcome/{token}")
    mail["Subject"] = subject
    mail["Auto-Submitted"] = "auto-generated"
    mailer.put_words(mail, text)
    return mail


def _base() -> str:
    here = f"http://127.0.0.1:{os.environ.get('HUIYIN_PORT') or '8000'}"
    return os.environ.get("HUIYIN_PUBLIC_URL", "").rstrip("/") or here


def _words(firm: Tenant, account: Account, link: str) -> tuple[str, str]:
    """Subject and text, in the language the account is kept in."""
    known = _translators()
    _ = known.get(account.language, known[SOURCE])
    native = _.language == SOURCE
    name = firm.name if native else firm.name_en or firm.name
    hours = int(links.LASTS.total_seconds() // 3600)
    parts = (
        _(N_("{name}，您好："), name=account.name),
        _(N_("{firm}为您开通了投诉处理系统的账号。请打开下面的链接设置密码："), firm=name),
        link,
        _(
            N_(
                "链接 {hours} 小时内有效，只能使用一次，其他人看不到。"
                "如果您没有预期收到此邮件，请不要打开链接，并告知机构。"
            ),
            hours=hours,
        ),
    )
    subject = _(N_("{firm}：请设置登录密码"), firm=firm.short_name if native else name)
    return subject, "\n\n".join(parts) + "\n"


@cache
def _translators() -> Mapping[str, Translator]:
    """The words of the house; a worker has no site to take them from."""
    return load([Path(str(files("huiyin_frontend") / "locale"))])
