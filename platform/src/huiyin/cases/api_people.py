"""Who does what in a case, for programs: parts, who must keep away, and the complainant's name."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.cases import people, service, subjects
from huiyin.cases.api_bodies import AssignBody, SubjectBody
from huiyin.cases.models import Case
from huiyin.cases.opened import Opened, open_page
from huiyin.cases.operations import CHANGE, act, operation
from huiyin.cases.schemas import MoveForm
from huiyin.parties.models import Investor
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Answer, Moment, body_of

# Whoever may give somebody something to do is told whom there is.
_GIVES: Final = ("case.assign", "case.handle", "case.draft")


class PartAnswer(Answer, frozen=True, kw_only=True):
    """``until`` is null for a part that is held now; ``subject`` is the one complained about."""

    account_id: UUID
    name: str
    part: str
    since: Moment
    until: Moment | None


class MemberAnswer(Answer, frozen=True, kw_only=True):
    """Somebody of the firm; ``parts`` are those that may be given to him or her."""

    account_id: UUID
    name: str
    department: str
    parts: list[str]


class People(Answer, frozen=True, kw_only=True):
    """``parts`` from the oldest on; ``members`` are those active, none of them walled off."""

    number: str
    rev: int
    parts: list[PartAnswer]
    members: list[MemberAnswer]


class Revealed(Answer, frozen=True, kw_only=True):
    """The complainant unmasked; all is empty where nobody left a name."""

    number: str
    known: bool
    name: str
    phone: str
    email: str
    investor_class: str
    risk_level: str


class PeopleApi(Controller):
    path = "/api/v1/t/{tenant:str}/cases/{number:str}"
    tags = ["案件"]  # noqa: RUF012 - Litestar reads a list

    @operation(
        "GET",
        "/people",
        "people",
        "case.read",
        "参与人员",
        says="可指派的人员只向可以分派、办理或拟定方案的令牌列出。",
        answer=People,
    )
    def people(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        opened = open_page(desk.session, desk.actor, number)
        return desk.json(
            People(
                number=opened.case.number,
                rev=opened.case.version,
                parts=_parts(opened),
                members=_members(desk, opened.case),
            )
        )

    assign = act(
        "/assign",
        "assign",
        "case.assign",
        "分派与协办",
        says="人员的 account_id 见参与人员的 members。",
        body=AssignBody,
        do=lambda session, actor, number, form: people.assign(
            session, actor, number, form, rev=form.rev
        ),
    )
    subject = act(
        "/subject",
        "subject",
        "case.assign",
        "登记被投诉人",
        says="此人从此看不到本案，也不能参与办理。",
        body=SubjectBody,
        required=["account_id", "reason", "rev"],
        do=lambda session, actor, number, form: subjects.name_subject(
            session, actor, number, form, rev=form.rev
        ),
    )
    lift = act(
        "/subject/lift",
        "lift",
        "case.lift",
        "撤销被投诉人登记",
        says="原有分派不恢复，登记与撤销均留在记录中。",
        body=SubjectBody,
        required=["account_id", "reason", "rev"],
        do=lambda session, actor, number, form: subjects.lift_subject(
            session, actor, number, form, rev=form.rev
        ),
    )

    @operation(
        "POST",
        "/reveal",
        "reveal",
        "case.reveal",
        "显示投诉人信息",
        says="须写明理由；每次查看都写入时间轴和审计记录。",
        body=MoveForm,
        required=["reason"],
        answer=Revealed,
        refusals=CHANGE,
    )
    def reveal(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(MoveForm, body_of(desk, body), strict=True)
        investor = service.reveal(desk.session, desk.actor, number, form.reason)
        return desk.json(_revealed(number, investor))


def _parts(opened: Opened) -> list[PartAnswer]:
    return [
        PartAnswer(
            account_id=held.account_id,
            name=held.name,
            part=held.part,
            since=held.since,
            until=held.until,
        )
        for held in opened.parts
    ]


def _members(desk: Desk, case: Case) -> list[MemberAnswer]:
    if not any(desk.actor.can(permission) for permission in _GIVES):
        return []
    everybody = desk.actor.can("case.assign")  # who may name the person complained about
    return [
        MemberAnswer(
            account_id=person.account_id,
            name=person.name,
            department=person.department,
            parts=[part.value for part in people.parts_for(person)],
        )
        for person in people.members(desk.session)
        if person.account_id not in case.walled and (everybody or people.parts_for(person))
    ]


_SAID: Final = ("name", "phone", "email", "investor_class", "risk_level")


def _revealed(number: str, investor: Investor | None) -> Revealed:
    said = {name: getattr(investor, name) if investor else "" for name in _SAID}
    return Revealed(number=number, known=investor is not None, **said)
