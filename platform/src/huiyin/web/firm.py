"""What a firm says of itself: its names, and how complainants reach it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_
from huiyin.ledger.service import append
from huiyin.tenancy.models import Tenant
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.routes import FormData, action, page

PERMISSION: Final = "admin.people"
_MAILBOX: Final = r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$"


class FirmForm(msgspec.Struct, frozen=True, kw_only=True):
    """The firm's own words; its address on the platform and its numbers never change."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=100, title=N_("名称"))]
    short_name: Annotated[str, msgspec.Meta(min_length=1, max_length=20, title=N_("简称"))]
    name_en: Annotated[str, msgspec.Meta(max_length=120, title=N_("英文名称"))] = ""
    hotline: Annotated[
        str, msgspec.Meta(max_length=40, pattern=r"^[0-9+() \-转]*$", title=N_("投诉热线"))
    ] = ""
    mailbox: Annotated[
        str,
        msgspec.Meta(
            max_length=120, pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", title=N_("投诉邮箱")
        ),
    ] = ""
    address: Annotated[str, msgspec.Meta(max_length=200, title=N_("通讯地址"))] = ""


class FirmController(Controller):
    """One form; every change is entered into the ledger by the names of the fields."""

    path = "/t/{tenant:str}/admin/firm"

    @page("/", name="admin:firm", permission=PERMISSION)
    def show(self, desk: NamedDependency[Desk]) -> Response[Any]:
        known = {name: getattr(desk.tenant, name) for name in FirmForm.__struct_fields__}
        return desk.page("admin/firm.html", form=defaults(FirmForm, **known))

    @action("/", name="admin:firm_change", permission=PERMISSION)
    def change(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            form = parse(FirmForm, data)
        except Invalid as error:
            kept = Form.failed(data, error, desk._)
            return desk.page("admin/firm.html", status=422, form=kept)
        changed = _write(desk, form)
        if changed:
            append(
                desk.session,
                kind="firm.changed",
                object_id=desk.tenant.id,
                actor_id=desk.actor.id,
                facts={"fields": changed},
            )
            # Committed first, so that nobody reads the old row back into memory.
            desk.session.commit()
            desk.site.tenants.forget()
        said = N_("机构信息已更新") if changed else N_("没有改动")
        return desk.redirect(f"/t/{desk.tenant.slug}/w/settings?tab=firm", said)


def _write(desk: Desk, form: FirmForm) -> list[str]:
    """The names of the fields that are other than before."""
    row = desk.session.get_one(Tenant, desk.tenant.id, with_for_update=True)
    changed = [
        name for name in FirmForm.__struct_fields__ if getattr(row, name) != getattr(form, name)
    ]
    for name in changed:
        setattr(row, name, getattr(form, name))
    return changed
