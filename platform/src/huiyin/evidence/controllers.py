"""Evidence on the page of a case: list, upload, verify, download."""

from __future__ import annotations

from functools import partial
from typing import Any, BinaryIO, Final, cast

from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import Integer, bindparam, func, select

from huiyin.cases import queries
from huiyin.cases.acts import number_path
from huiyin.cases.models import Case
from huiyin.db import Ready
from huiyin.evidence import service
from huiyin.evidence.models import EvidenceFile
from huiyin.evidence.service import Upload
from huiyin.kit.i18n import N_
from huiyin.kit.text import clean
from huiyin.web.desk import Desk
from huiyin.web.forms import Form
from huiyin.web.mending import or_again
from huiyin.web.routes import MEGABYTE, FormData, UploadData, action, page
from huiyin.web.site import Panel

_SHOWN: Final = 6
# As many files as the page promises, each as large, and the form around them.
BODY: Final = service.MOST * service.LIMIT + MEGABYTE

_NEWEST: Final = Ready(
    select(
        EvidenceFile.id,
        EvidenceFile.number,
        EvidenceFile.name,
        EvidenceFile.uploaded_name,
        EvidenceFile.at,
        EvidenceFile.sha256,
        EvidenceFile.verified_at,
        func.count().over().label("total"),
    )
    .where(EvidenceFile.case_id == bindparam("case"))
    .order_by(EvidenceFile.at.desc(), EvidenceFile.number.desc())
    .limit(bindparam("n", type_=Integer))
)


def panel(desk: Desk, case: Case) -> Panel:
    """The card 证据 of the case page."""
    files = _NEWEST.run(desk.session, case=case.id, n=_SHOWN).all()
    total = files[0].total if files else 0
    return Panel("evidence/_panel.html", {"files": files, "total": total})


def uploads(data: dict[str, Any], field: str = "files") -> list[Upload]:
    """The files of a form; an input left empty sends one nameless part, which is none."""
    given = data.get(field)
    parts = given if isinstance(given, list) else [given]
    return [
        Upload(part.filename, cast("BinaryIO", part.file))
        for part in parts
        if isinstance(part, UploadFile) and part.filename
    ]


class EvidenceController(Controller):
    path = "/t/{tenant:str}/w/cases/{number:str}/evidence"

    @page("/", name="evidence:list", permission="case.read")
    def list(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        return _page(desk, number, Form())

    @action("/", name="evidence:add", permission="case.note", limit=BODY)
    def add(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: UploadData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            note, shared = clean(str(data.get("note") or ""))[:500], data.get("shared") == "on"
            service.add(desk.session, desk.actor, number, uploads(data), note=note, shared=shared)
            return desk.redirect(f"{number_path(desk, number)}/evidence", N_("证据已保存"))

        return or_again(desk, data, act, partial(_again, desk, number))

    @action("/{file_id:uuid}/verify", name="evidence:verify", permission="case.note")
    def verify(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        file_id: FromPath[Any],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            note = clean(str(data.get("note") or ""))[:500]
            service.verify(desk.session, desk.actor, number, file_id, note)
            return desk.redirect(f"{number_path(desk, number)}/evidence", N_("已核验"))

        typed = {**data, "file": str(file_id)}
        return or_again(desk, typed, act, partial(_again, desk, number))

    @page("/{file_id:uuid}", name="evidence:read", permission="case.read")
    def read(
        self, desk: NamedDependency[Desk], number: FromPath[str], file_id: FromPath[Any]
    ) -> Response[Any]:
        file, stream = service.read(desk.session, desk.actor, number, file_id)
        with stream:
            return desk.file(stream.read(), file.name, file.media_type)


def _again(desk: Desk, number: str, form: Form, status: int) -> Response[Any]:
    return _page(desk, number, form, status=status)


def _page(desk: Desk, number: str, form: Form, *, status: int = 200) -> Response[Any]:
    case = queries.open_case(desk.session, desk.actor, number).case
    files = service.list_of(desk.session, case)
    return desk.page("evidence/list.html", status=status, case=case, files=files, form=form)
