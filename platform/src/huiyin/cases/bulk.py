"""One act on several cases of a list: each is done or refused for itself, and says so."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from msgspec import Meta

from huiyin.cases import people
from huiyin.cases.schemas import AssignForm, Shape
from huiyin.cases.stages import PART_TITLES, Part
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.policy import Role, permissions_of
from huiyin.kit.errors import HuiyinError, Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.routes import FormData, action, page

MOST: Final = 50  # what a page of a list holds
Pick = Annotated[str, Meta(pattern=r"^[A-Z]{1,6}-[0-9]{4}-[0-9]{4,9}~[0-9]{1,9}$")]


class BulkAssignForm(Shape, frozen=True, kw_only=True):
    """Cases as ``number~version``, the version being the one that was looked at."""

    pick: Annotated[tuple[Pick, ...], Meta(min_length=1, max_length=MOST, title=N_("案件"))]
    part: Annotated[
        str, Meta(pattern="^(owner|investigator|assistant|delegate)$", title=N_("角色"))
    ]
    account_id: Annotated[uuid.UUID, Meta(title=N_("人员"))]
    reason: Annotated[str, Meta(max_length=2_000, title=N_("说明"))] = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A case that was left as it is, and why."""

    pick: str
    why: Message

    @property
    def number(self) -> str:
        return self.pick.partition("~")[0]


def assign_each(session: ScopedSession, actor: Actor, form: BulkAssignForm) -> Sequence[Refused]:
    """Hand each case over; answers those that were refused, the others are done."""
    wanted = AssignForm(part=form.part, account_id=form.account_id, reason=form.reason)
    refused = []
    for pick in dict.fromkeys(form.pick):
        number, _, rev = pick.partition("~")
        try:
            with session.begin_nested():
                people.assign(session, actor, number, wanted, rev=int(rev))
        except Invalid as fault:
            refused.append(Refused(pick, next(iter(fault.fields.values()), fault.message)))
        except HuiyinError as fault:
            refused.append(Refused(pick, fault.message))
    return refused


class BulkController(Controller):
    path = "/t/{tenant:str}/w/bulk/assign"

    @page("/", name="case:bulk_assign_page", permission="case.assign")
    def bulk_assign_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        picks = desk.request.query_params.getall("pick", [])[:MOST]
        return _sheet(desk, Form({"pick": picks, "part": Part.OWNER.value}))

    @action("/", name="case:bulk_assign", permission="case.assign")
    def bulk_assign(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            form = parse(BulkAssignForm, data)
        except Invalid as fault:
            return _sheet(desk, Form.failed(data, fault, desk._), status=422)
        refused = assign_each(desk.session, desk.actor, form)
        done = Message(N_("已转交 {n} 件"), {"n": len(set(form.pick)) - len(refused)})
        if not refused:
            return desk.redirect(f"/t/{desk.tenant.slug}/w", done)
        again = {**data, "pick": [case.pick for case in refused]}
        summary = desk._(N_("{done}，{n} 件未办，原因见下"), done=desk._(done), n=len(refused))
        return _sheet(desk, Form(again, {}, summary), refused=refused)


def _sheet(
    desk: Desk, form: Form, *, refused: Sequence[Refused] = (), status: int = 200
) -> Response[Any]:
    given = form.get("pick", [])
    picks = [str(pick)[:40] for pick in (given if isinstance(given, list) else [given]) if pick]
    able = [
        (str(m.account_id), f"{m.name} · {m.department}" if m.department else m.name)
        for m in people.members(desk.session)
        if "case.note" in permissions_of(frozenset(Role(role) for role in m.roles))
    ]
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(N_("转交 {n} 件案件"), n=len(picks)),
        effects=[desk._(N_("逐件办理；不能转交的案件保持不变，并说明原因"))],
        form=form,
        form_action=f"/t/{desk.tenant.slug}/w/bulk/assign",
        action_label=desk._(N_("确认转交")),
        cancel_href=f"/t/{desk.tenant.slug}/w",
        blocked="" if picks else desk._(N_("请先在列表中勾选案件")),
        fields_template="cases/_bulk_assign.html",
        picks=picks,
        why={case.pick: case.why for case in refused},
        part_titles=PART_TITLES,
        members=able,
    )
