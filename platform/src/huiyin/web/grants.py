"""任免确认: what the administrator may not settle alone, decided by a second person."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.identity import grants
from huiyin.identity.grants import CONFIRM
from huiyin.identity.models import Membership, RoleGrant
from huiyin.identity.policy import table
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.ledger.models import LedgerEntry
from huiyin.ledger.service import append
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.routes import FormData, action, page


class DecisionForm(msgspec.Struct, frozen=True, kw_only=True):
    """确认 or 退回, the latter with its reason."""

    decision: Annotated[str, msgspec.Meta(pattern="^(confirm|refuse)$", title=N_("决定"))]
    reason: Annotated[str, msgspec.Meta(max_length=500, title=N_("理由"))] = ""


class GrantController(Controller):
    """What waits for a second person."""

    path = "/t/{tenant:str}/admin/grants"

    @page("/", name="admin:grants", permission=CONFIRM)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _listing(desk, Form())

    @action("/{grant:uuid}", name="admin:grant_decide", permission=CONFIRM)
    def decide(
        self, desk: NamedDependency[Desk], grant: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        try:
            row = decide(desk, grant, parse(DecisionForm, data))
        except (Invalid, Conflict, Refused) as error:
            desk.session.rollback()
            return _listing(desk, _failed(desk, data, error, grant), status=error.status)
        done = N_("{name}的任免已确认") if row.state == "confirmed" else N_("{name}的任免已退回")
        return desk.redirect(
            f"/t/{desk.tenant.slug}/admin/grants", Message(done, {"name": row.name})
        )


def decide(desk: Desk, grant_id: uuid.UUID, form: DecisionForm) -> RoleGrant:
    """Confirm or refuse, and enter it.  Raises ``Refused``, ``Conflict`` or ``Invalid``."""
    if form.decision == "refuse":
        row = grants.refuse(desk.session, desk.actor, grant_id, form.reason)
    else:
        row = grants.confirm(desk.session, desk.actor, grant_id)
        if _made_by(desk, row.asked_by):
            raise Refused(N_("本人的角色由申请人设定且未经他人确认，请由其他审批人或监督确认"))
    record(desk, row, f"member.grant_{row.state}", asked_by=row.asked_by)
    return row


def _made_by(desk: Desk, asker: uuid.UUID) -> bool:
    """Whether the one who decides has the roles from the asker, and nobody ever confirmed them."""
    session, own = desk.session, desk.actor.id
    given = session.scalar(
        select(LedgerEntry.seq)
        .join(Membership, Membership.id == LedgerEntry.object_id)
        .where(
            Membership.account_id == own,
            LedgerEntry.actor_id == asker,
            LedgerEntry.kind.in_(("member.added", "member.roles_changed")),
        )
        .limit(1)
    )
    return given is not None and not grants.confirmed_once(session, own)


def record(desk: Desk, row: RoleGrant, kind: str, **facts: Any) -> None:
    """Enter what was asked for or decided, by ids and roles alone."""
    append(
        desk.session,
        kind=kind,
        object_id=row.id,
        actor_id=desk.actor.id,
        facts={"account": row.account_id, "roles": row.roles, "former": row.former, **facts},
        commits={"reason": row.reason} if row.reason else {},
    )


def _listing(desk: Desk, form: Form, *, status: int = 200) -> Response[Any]:
    return desk.page(
        "admin/grants.html",
        status=status,
        form=form,
        rows=grants.pending(desk.session),
        titles={role.value: entry.title for role, entry in table().roles.items()},
    )


def _failed(
    desk: Desk, data: dict[str, Any], error: Invalid | Conflict | Refused, grant: uuid.UUID
) -> Form:
    kept = {"reason": str(data.get("reason", ""))[:500], "grant": str(grant)}
    if isinstance(error, Invalid):
        return Form.failed({**data, **kept}, error, desk._)
    return Form(kept, {}, desk._(error.message))
