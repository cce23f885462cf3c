"""Evidence for programs: what was handed in, and one file more."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from msgspec import Meta

from huiyin.cases import queries
from huiyin.cases.api_shapes import changed
from huiyin.cases.change import find
from huiyin.cases.operations import CHANGE, operation
from huiyin.cases.schemas import Shape
from huiyin.evidence import service
from huiyin.evidence.errors import BlobDamaged, StorageFull, VerifierIsUploader
from huiyin.evidence.models import EvidenceFile
from huiyin.evidence.service import Upload
from huiyin.kit.errors import Invalid, TooLarge
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Answer, Moment, body_of
from huiyin.web.routes import MEGABYTE

# One file as base64, a third longer than it is, and the words around it.
BODY: Final = service.LIMIT * 4 // 3 + MEGABYTE
_TAG: Final = "证据"


class UploadBody(Shape, frozen=True, kw_only=True):
    """One file; ``content`` are its bytes in base64.  ``shared`` lets the complainant see it."""

    name: Annotated[str, Meta(min_length=1, max_length=255, title=N_("文件名"))]
    content: Annotated[str, Meta(min_length=1, title=N_("文件内容"))]
    note: Annotated[str, Meta(max_length=500, title=N_("说明"))] = ""
    shared: Annotated[bool, Meta(title=N_("投诉人可见"))] = False

    def data(self) -> bytes:
        """The bytes.  Raises ``Invalid`` (field ``content``)."""
        try:
            return base64.b64decode(self.content, validate=True)
        except (binascii.Error, ValueError):
            raise Invalid({"content": N_("请以 base64 编码提交文件内容")}) from None


class VerifyBody(Shape, frozen=True, kw_only=True):
    """How origin and bytes were checked."""

    note: Annotated[str, Meta(min_length=1, max_length=500, title=N_("说明"))]


class FileAnswer(Answer, frozen=True, kw_only=True):
    id: UUID
    number: str
    name: str
    media_type: str
    size: int
    sha256: str
    audience: str
    note: str
    uploaded_by: str
    at: Moment
    verified_by: str
    verified_at: Moment | None


class FileList(Answer, frozen=True, kw_only=True):
    """In the order they were handed in."""

    files: list[FileAnswer]


class EvidenceApi(Controller):
    """The evidence of one case."""

    path = "/api/v1/t/{tenant:str}/cases/{number:str}/evidence"
    tags = [_TAG]  # noqa: RUF012 - Litestar reads a list

    @operation("GET", "/", "list", "case.read", "证据列表", of="evidence", answer=FileList)
    def files(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        found = service.list_of(desk.session, case)
        return desk.json(FileList(files=[_answer(file) for file in found]))

    @operation(
        "POST",
        "/",
        "add",
        "case.note",
        "上传证据",
        of="evidence",
        limit=BODY,
        body=UploadBody,
        answer=FileAnswer,
        status=201,
        refusals=[*CHANGE, TooLarge, StorageFull],
    )
    def add(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(UploadBody, body_of(desk, body), strict=True)
        (file,) = service.add(
            desk.session,
            desk.actor,
            number,
            [Upload(form.name, form.data())],
            note=form.note,
            shared=form.shared,
        )
        return desk.json(_answer(file), status=201)

    @operation(
        "GET",
        "/{file_id:uuid}/content",
        "read",
        "case.read",
        "下载证据",
        of="evidence",
        says="内容与上传时逐字节相同；每次下载都写入保管记录和审计记录。",
        answer="*/*",
        refusals=[BlobDamaged],
    )
    def read(
        self, desk: NamedDependency[Desk], number: FromPath[str], file_id: FromPath[UUID]
    ) -> Response[Any]:
        file, stream = service.read(desk.session, desk.actor, number, file_id)
        with stream:
            return desk.file(stream.read(), file.name, file.media_type)

    @operation(
        "POST",
        "/{file_id:uuid}/verify",
        "verify",
        "case.note",
        "核验证据",
        of="evidence",
        says="由上传人以外的人员核验来源与完整性。",
        body=VerifyBody,
        answer=FileAnswer,
        refusals=[*CHANGE, BlobDamaged, VerifierIsUploader],
    )
    def verify(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        file_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(VerifyBody, body_of(desk, body), strict=True)
        file = service.verify(desk.session, desk.actor, number, file_id, form.note)
        if not desk.actor.can("case.read"):  # a token that only writes
            return desk.json(changed(find(desk.session, desk.actor, number)))
        return desk.json(_answer(file))


# Under the very name the answer has for it.
_SAME: Final = (
    "id", "number", "name", "media_type", "size", "sha256", "audience", "note", "at",
    "verified_at",
)  # fmt: skip


def _answer(file: EvidenceFile) -> FileAnswer:
    return FileAnswer(
        **{name: getattr(file, name) for name in _SAME},
        uploaded_by=file.uploaded_name,
        verified_by=file.verified_name,
    )
