"""Letters for programs: drafted, read, signed and tracked by the services the pages use."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.cases import queries
from huiyin.cases.api_bodies import RevBody
from huiyin.cases.api_shapes import changed
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.models import Case
from huiyin.cases.operations import CHANGE, operation, telling
from huiyin.cases.schemas import MoveForm, Rev
from huiyin.kit.errors import Stale
from huiyin.kit.i18n import N_
from huiyin.letters import service
from huiyin.letters.errors import LetterBlocked, LetterChanged, LetterFixed, PdfDamaged
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.schemas import AnswerForm, DeliveryForm, NoticeForm
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Answer, Moment, body_of

T = TypeVar("T", bound=msgspec.Struct)

_TAG: Final = "文书"
PDF: Final = "application/pdf"


class AnswerBody(AnswerForm, frozen=True, kw_only=True):
    """The written answer; ``rev`` is the version of the case that was read."""

    rev: Rev


class NoticeBody(NoticeForm, frozen=True, kw_only=True):
    """Any other letter; ``rev`` is the version of the case that was read.

    ``supplement`` asks for papers (补正), ``progress`` tells how far it is, ``closure`` that it is
    over; the others are those that are written by themselves and were kept here by the check.
    """

    rev: Rev


class ReleaseBody(RevBody, frozen=True, kw_only=True):
    """``fingerprint`` is that of the letter that was read."""

    fingerprint: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", title=N_("文书版本"))]


class ListedLetter(Answer, frozen=True, kw_only=True):
    id: UUID
    number: str
    kind: str
    title: str
    language: str
    dated: date
    state: str
    drafted_by: str
    released_by: str
    released_at: Moment | None
    sent_at: Moment | None
    delivered_at: Moment | None
    channel: str
    proof: str  # of its way, or what went wrong


class LetterList(Answer, frozen=True, kw_only=True):
    """Oldest first."""

    letters: list[ListedLetter]


class FindingAnswer(Answer, frozen=True, kw_only=True):
    """``block`` keeps the letter here, ``warn`` asks for a second look."""

    code: str
    severity: str
    message: str
    excerpt: str


class LetterAnswer(ListedLetter, frozen=True, kw_only=True):
    """One letter with its words.  Whoever releases it names ``fingerprint`` and ``rev``."""

    case: str
    rev: int
    stage: str
    text: list[str]
    fingerprint: str
    findings: list[FindingAnswer]  # of a draft


class LetterApi(Controller):
    """The letters of one case."""

    path = "/api/v1/t/{tenant:str}/cases/{number:str}/letters"
    tags = [_TAG]  # noqa: RUF012 - Litestar reads a list

    @operation("GET", "/", "list", "case.read", "文书列表", of="letter", answer=LetterList)
    def letters(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        found = service.letters_of(desk.session, case)
        return desk.json(LetterList(letters=[ListedLetter(**_line(one)) for one in found]))

    @operation(
        "GET",
        "/{letter_id:uuid}",
        "show",
        "case.read",
        "文书详情",
        of="letter",
        says="草稿附签发检查的结果。",
        answer=LetterAnswer,
    )
    def show(
        self, desk: NamedDependency[Desk], number: FromPath[str], letter_id: FromPath[UUID]
    ) -> Response[Any]:
        return _told(desk, number, letter_id)

    @operation(
        "PUT",
        "/answer",
        "answer",
        "case.handle",
        "拟定书面答复",
        of="letter",
        says="未签发的草稿就地改写，编号不变。",
        body=AnswerBody,
        answer=LetterAnswer,
        refusals=[*CHANGE, Stale],
    )
    @telling
    def answer(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(AnswerBody, body_of(desk, body), strict=True)
        words = _words(AnswerForm, form)
        letter = service.draft_answer(desk.session, desk.actor, number, words, rev=form.rev)
        return _told(desk, number, letter.id)

    @operation(
        "PUT",
        "/notice",
        "notice",
        "case.handle",
        "拟定告知书",
        of="letter",
        says="同一种类未签发的草稿就地改写，编号不变。案件办结后只能拟定不予受理或结案告知书。",
        body=NoticeBody,
        answer=LetterAnswer,
        refusals=[*CHANGE, Stale],
    )
    @telling
    def notice(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(NoticeBody, body_of(desk, body), strict=True)
        words = _words(NoticeForm, form)
        letter = service.draft_notice(desk.session, desk.actor, number, words, rev=form.rev)
        return _told(desk, number, letter.id)

    @operation(
        "GET",
        "/{letter_id:uuid}/pdf",
        "pdf",
        "case.read",
        "下载文书",
        of="letter",
        says="已签发的为存档原件，草稿为预览。",
        answer=PDF,
        refusals=[PdfDamaged],
    )
    def pdf(
        self, desk: NamedDependency[Desk], number: FromPath[str], letter_id: FromPath[UUID]
    ) -> Response[Any]:
        letter, content = service.pdf_of(desk.session, desk.actor, number, letter_id)
        return desk.file(content, letter.file_name, PDF)

    @operation(
        "POST",
        "/{letter_id:uuid}/release",
        "release",
        "case.letter",
        "签发文书",
        of="letter",
        says="只签发所读的那一稿。书面答复由未参与办理的人员签发。",
        body=ReleaseBody,
        answer=LetterAnswer,
        refusals=[
            *CHANGE, Stale, LetterBlocked, LetterChanged, LetterFixed, SecondPersonRequired,
        ],
    )  # fmt: skip
    @telling
    def release(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(ReleaseBody, body_of(desk, body), strict=True)
        service.release(desk.session, desk.actor, number, letter_id, form.fingerprint, rev=form.rev)
        return _told(desk, number, letter_id)

    @operation(
        "POST",
        "/{letter_id:uuid}/withdraw",
        "withdraw",
        "case.handle",
        "作废文书",
        of="letter",
        says="只作废未签发的草稿，须写明理由；编号保留。",
        body=MoveForm,
        required=["reason"],
        answer=LetterAnswer,
        refusals=[*CHANGE, LetterFixed],
    )
    def withdraw(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(MoveForm, body_of(desk, body), strict=True)
        service.withdraw(desk.session, desk.actor, number, letter_id, form.reason)
        return _told(desk, number, letter_id)

    @operation(
        "POST",
        "/{letter_id:uuid}/delivery",
        "delivery",
        "case.handle",
        "登记送达",
        of="letter",
        body=DeliveryForm,
        answer=LetterAnswer,
        refusals=CHANGE,
    )
    def delivery(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(DeliveryForm, body_of(desk, body), strict=True)
        service.record_delivery(desk.session, desk.actor, number, letter_id, form)
        return _told(desk, number, letter_id)


def _words(shape: type[T], form: T) -> T:
    """The words alone, without the version beside them."""
    return shape(**{name: getattr(form, name) for name in shape.__struct_fields__})


def _told(desk: Desk, number: str, letter_id: UUID) -> Response[Any]:
    """The letter as it stands now, for whoever may know of the case."""
    case = queries.open_case(desk.session, desk.actor, number).case
    if not desk.actor.can("case.read"):  # a token that only writes
        return desk.json(changed(case))
    letter = service.find_letter(desk.session, case, letter_id)
    return desk.json(
        LetterAnswer(
            **_line(letter),
            case=case.number,
            rev=case.version,
            stage=case.stage,
            text=list(service.document_of(letter).texts()),
            fingerprint=letter.fingerprint,
            findings=_findings(desk, case, letter),
        )
    )


def _line(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "number": letter.number,
        "kind": letter.kind,
        "title": letter.document["title"],
        "language": letter.language,
        "dated": service.dated(letter),
        "state": letter.state,
        "drafted_by": letter.drafted_name,
        "released_by": letter.released_name,
        "released_at": letter.released_at,
        "sent_at": letter.sent_at,
        "delivered_at": letter.delivered_at,
        "channel": letter.channel,
        "proof": letter.delivery,
    }


def _findings(desk: Desk, case: Case, letter: Letter) -> list[FindingAnswer]:
    if letter.state != LetterState.DRAFT:
        return []
    return [
        FindingAnswer(
            code=found.code,
            severity=found.severity,
            message=desk._(found.message),
            excerpt=found.excerpt,
        )
        for found in service.check(desk.session, case, letter)
    ]
