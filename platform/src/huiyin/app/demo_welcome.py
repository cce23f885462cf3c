"""What ``huiyin demo`` says when everything is ready: addresses, log-ins, a complaint to follow."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select

from huiyin.app.compose import Installation
from huiyin.cases.filing import tracking_code
from huiyin.cases.models import Case
from huiyin.cases.stages import Stage
from huiyin.db import tenant_session
from huiyin.identity.policy import Role
from huiyin.onboarding.schemas import Firms

# What each role finds after logging in, in the order in which a visitor should try them.
ROLES: Final[Mapping[Role, str]] = {
    Role.COMPLAINT_OFFICER: "客服专员 complaint officer",
    Role.INVESTIGATOR: "调查员 investigator",
    Role.APPROVER: "审批人 approver",
    Role.SUPERVISOR: "监督 supervisor",
    Role.EXECUTIVE_VIEWER: "高管查阅 executive viewer",
    Role.TENANT_ADMIN: "租户管理员 tenant admin",
}


def welcome(
    installation: Installation, firms: Firms, ids: Mapping[str, uuid.UUID], password: str,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Print it, neatly, whatever the width of the characters."""
    settings = installation.settings
    root = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    say("")
    for line in table(
        [("Firm", "Public pages", "Staff")]
        + [
            (firm.short_name, f"{root}/p/{firm.slug}", f"{root}/t/{firm.slug}/w")
            for firm in firms.tenants
        ]
    ):
        say(line)
    first = firms.tenants[0]
    say("")
    say(f"Log in at {root}/login. Password of all: {password}")
    for line in table(_people(firms, first.slug)):
        say(line)
    others = ", ".join(f"@{firm.slug}.demo" for firm in firms.tenants[1:])
    say(f"The other firms have the same people: {others}")
    say(f"An API token is made at {root}/t/{first.slug}/w/settings, and acts as its maker")
    say("")
    number, code = sample(installation, ids[first.slug])
    say(f"Follow a complaint at {root}/p/{first.slug}: {number}, code {code}")


def _people(firms: Firms, slug: str) -> list[tuple[str, ...]]:
    order = list(ROLES)
    mine = [person for person in firms.people if person.tenant == slug]
    mine.sort(key=lambda person: order.index(person.roles[0]))
    return [(ROLES[person.roles[0]], person.name, person.email) for person in mine]


def sample(installation: Installation, tenant_id: uuid.UUID) -> tuple[str, str]:
    """A complaint that is being looked into, and the code that opens it."""
    with tenant_session(installation.engine, tenant_id, purpose="demo") as session:
        case = session.scalars(
            select(Case)
            .where(Case.idem_key.startswith("demo:"))
            .order_by(
                Case.channel != "web", Case.stage != Stage.INVESTIGATION.value,
                Case.received_at.desc(),
            )
            .limit(1)
        ).one()  # fmt: skip
    code = tracking_code(tenant_id, case.id)
    return case.number, " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def table(rows: Sequence[Iterable[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    cells = [list(row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
        yield ("  " + "  ".join(padded)).rstrip()


def width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
