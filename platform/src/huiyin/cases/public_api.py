"""Filing and tracking for programs of the public: no account, no cookie, JSON only."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.cases import tracking
from huiyin.cases.errors import KeyReused
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Entry
from huiyin.cases.schemas import ComplaintBody
from huiyin.cases.stages import PUBLIC_TITLES
from huiyin.identity.actor import COMPLAINANT_ID
from huiyin.identity.policy import PUBLIC
from huiyin.identity.throttle import (
    TRACKING,
    TRACKING_NETWORK,
    TRACKING_NUMBER,
    Throttle,
    clear,
    count_attempt,
    network,
    take_back,
)
from huiyin.kit import keys
from huiyin.kit.errors import Invalid, Throttled, TooLarge
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Header, body_of, described
from huiyin.web.routes import api

CHANNEL: Final = "api"
FILING: Final = Throttle("filing.network", 60, 15 * 60)  # network
LIMIT: Final = 256 * 1024  # bytes; the longest story, every character escaped, fits
KEY: Final = "Idempotency-Key"
CODE: Final = "X-Tracking-Code"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")
_CONTACT: Final = N_("请至少填写手机号或邮箱，以便告知处理进展")


class Receipt(msgspec.Struct, frozen=True):
    """``code`` opens the case together with ``number``; it is kept nowhere else."""

    number: str
    code: str


class PublicMessage(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    from_: Literal["firm", "complainant"] = msgspec.field(name="from")
    body: str


class TrackedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of the code sees.  Dates are days in China, moments carry their zone."""

    number: str
    received_at: datetime
    stage: str
    stage_label: str
    promised_by: date | None
    next_date: date | None
    messages: list[PublicMessage]


class PublicCaseApi(Controller):
    """What a complainant's program may do."""

    path = "/api/v1/p/{tenant:str}"
    tags = ["投诉人"]  # noqa: RUF012 - Litestar reads a list

    @api(
        "POST",
        "/complaints",
        name="api:public:file",
        permission=PUBLIC,
        limit=LIMIT,
        summary="提交投诉",
        operation_id="file_complaint",
        description="同一个 Idempotency-Key 重复提交同一份内容，得到同一个编号与查询码。",
        operation_class=described(
            body=ComplaintBody,
            answer=Receipt,
            status=201,
            headers=[Header(KEY, "1 至 64 个可见 ASCII 字符，由调用方生成，重试时不变")],
            refusals=[KeyReused, Throttled, TooLarge],
        ),
    )
    def file(self, desk: NamedDependency[Desk], body: RawBody) -> Response[Any]:
        _count_once(desk, FILING, network(desk.ip))
        key = idempotency_key(desk)
        form = _complaint(body_of(desk, body))
        filed = file_complaint(
            desk.session,
            desk.actor,
            Filing(
                channel=CHANNEL,
                idem_key=key,
                story=form.story,
                wish=form.wish,
                name=form.name,
                phone=form.phone or "",
                email=form.email or "",
                fund=form.fund,
                language=desk.language,
            ),
        )
        return desk.json(Receipt(filed.number, filed.code), status=201)

    @api(
        "GET",
        "/cases/{number:str}",
        name="api:public:track",
        permission=PUBLIC,
        summary="查询进展",
        operation_id="track_case",
        description="编号不存在、查询码不符与其他机构的编号，答复相同。",
        operation_class=described(
            answer=TrackedCase,
            headers=[Header(CODE, "提交时得到的 16 位查询码")],
            refusals=[Throttled],
        ),
    )
    def track(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        where, pepper = network(desk.ip), keys.derive("throttle")
        _count_once(desk, TRACKING_NETWORK, where)
        _count_once(desk, TRACKING, desk.tenant.id, number, where)
        _count_once(desk, TRACKING_NUMBER, desk.tenant.id, number)
        case = tracking.by_code(desk.session, desk.request.headers.get(CODE, ""), number=number)
        seen = tracking.track(desk.session, case)
        answer = TrackedCase(
            number=case.number,
            received_at=case.received_at,
            stage=case.public_stage.value,
            stage_label=desk._(PUBLIC_TITLES[case.public_stage]),
            promised_by=seen.promised_by,
            next_date=seen.next_date,
            messages=[_message(m) for m in seen.messages if m.body],
        )
        response = desk.json(answer)
        # Nothing was written, and the connection goes back before another is asked for.
        desk.session.rollback()
        clear(desk.site.engine, TRACKING, desk.tenant.id, number, where, pepper=pepper)
        take_back(desk.site.engine, TRACKING_NUMBER, desk.tenant.id, number, pepper=pepper)
        take_back(desk.site.engine, TRACKING_NETWORK, where, pepper=pepper)
        return response


def idempotency_key(desk: Desk) -> str:
    """The key under which a request is the same request.  Raises ``Invalid``."""
    key = desk.request.headers.get(KEY, "")
    if not _KEY.fullmatch(key):
        raise Invalid({KEY: N_("请在请求头 Idempotency-Key 中提供 1 至 64 个可见 ASCII 字符")})
    return key


def _count_once(desk: Desk, throttle: Throttle, *keys_: object) -> None:
    """Count a request before anything is looked up; one that is run again counts once."""
    counted = desk.request.state.setdefault("counted", set())
    if throttle.name not in counted:
        counted.add(throttle.name)
        count_attempt(desk.site.engine, throttle, *keys_, pepper=keys.derive("throttle"))


def _complaint(data: dict[str, Any]) -> ComplaintBody:
    """The body, with every fault at once: fields, and the contact that must be among them."""
    errors = {}
    if not (data.get("phone") or data.get("email")):
        errors = dict.fromkeys(("phone", "email"), _CONTACT)
    try:
        form = parse(ComplaintBody, data, strict=True)
    except Invalid as fault:
        raise Invalid({**errors, **fault.fields}) from None
    if errors:
        raise Invalid(errors)
    return form


def _message(entry: Entry) -> PublicMessage:
    theirs = entry.author_id == COMPLAINANT_ID
    return PublicMessage(at=entry.at, from_="complainant" if theirs else "firm", body=entry.body)
