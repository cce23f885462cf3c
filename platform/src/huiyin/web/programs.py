"""Operations for programs: what is read from a request, and how the description tells of it.

Bodies are taken as bytes and parsed by ``huiyin.web.forms``, so that every fault is told at
once and in the reader's language; the description is therefore written here, from the same
shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from inspect import cleandoc
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
)

from huiyin.kit import errors
from huiyin.kit.errors import HuiyinError, Invalid
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk

JSON: Final = "application/json"
_REF: Final = "#/components/schemas/"


def body_of(desk: Desk, raw: bytes) -> dict[str, Any]:
    """The JSON object of a request.  Raises ``Invalid``.

    Only ``application/json`` counts: a form of another site can send any other kind, but not
    this one, without asking the browser first.
    """
    kind = desk.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Invalid({"Content-Type": N_("请以 Content-Type: application/json 提交")})
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid({"": N_("请求的格式不对，请核对后重新提交")}) from None
    if not isinstance(value, dict):
        raise Invalid({"": N_("请按接口文档提交 JSON 对象")})
    return value


# The description calls it a date-time only where the zone is sure.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every answer.  Moments carry their zone; dates are days in China."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every refusal.  ``code`` is stable; ``message`` and ``fields`` are for people to read."""

    code: str
    message: str
    fields: dict[str, str] = {}
    missing: list[str] = []
    version: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """A header that an operation reads."""

    name: str
    says: str
    required: bool = True
    place: str = "header"


# Every operation belongs to a firm; the desk reads its name from the path.
_FIRM: Final = Header("tenant", "机构", place="path")
_TEXT: Final[Any] = {"type": "string"}
_BYTES: Final = {"type": "string", "format": "binary"}


_ALWAYS: Final[tuple[type[HuiyinError], ...]] = (errors.Invalid, errors.NotFound)


def described(
    *,
    answer: type[msgspec.Struct] | str,
    status: int = 200,
    body: type[msgspec.Struct] | None = None,
    required: Collection[str] | None = None,
    query: type[msgspec.Struct] | None = None,
    headers: Collection[Header] = (),
    refusals: Collection[type[HuiyinError]] = (),
    places: Mapping[str, str] = MappingProxyType({}),
) -> type[Operation]:
    """The operation as the description of the API shows it.

    ``answer`` is a shape, or for a file the media type of its bytes.
    ``required`` replaces the body's own list of required fields, for partial changes and for what
    only the act itself asks for; ``places`` say what stands in the places of the path.
    """
    shown = _schema(body) if body else None
    if shown is not None and required is not None:
        shown = {**shown, "required": sorted(required)}
    parameters = [
        Parameter(h.name, h.place, schema=_TEXT, description=h.says, required=h.required)
        for h in (_FIRM, *headers)
    ]
    parameters += _query(query) if query else []
    responses = _responses(answer, status, refusals)

    class Described(Operation):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.parameters = _placed(self.parameters or [], parameters, places)
            self.responses = dict(responses)
            if shown is not None:
                self.request_body = RequestBody({JSON: _media(shown)}, required=True)

    return Described


def _responses(
    answer: type[msgspec.Struct] | str, status: int, refusals: Collection[type[HuiyinError]]
) -> dict[str, OpenAPIResponse]:
    found = {str(status): _success(answer)}
    for refusal in sorted({*_ALWAYS, *refusals}, key=lambda r: (r.status, r.code)):
        said = f"{refusal.code}：{refusal.default}"
        known = found.get(str(refusal.status))
        words = f"{known.description}；{said}" if known else said
        found[str(refusal.status)] = _response(words, _schema(Problem))
    return found


def _placed(
    own: Iterable[Parameter | Reference], ours: Iterable[Parameter], places: Mapping[str, str]
) -> list[Parameter | Reference]:
    """Litestar knows the places of a path, and nothing of what stands there."""
    plain = [parameter for parameter in own if isinstance(parameter, Parameter)]
    found = {(p.param_in, p.name): p for p in (*plain, *ours)}
    for (where, name), parameter in found.items():
        if where == "path" and name in places:
            parameter.description = places[name]
    return list(found.values())


def _plain(schema: Mapping[str, Any]) -> Any:
    # Litestar writes mappings as they are; its own Schema class knows fewer words.
    return dict(schema)


def _media(schema: Mapping[str, Any]) -> OpenAPIMediaType:
    return OpenAPIMediaType(schema=_plain(schema))


def _success(answer: type[msgspec.Struct] | str) -> OpenAPIResponse:
    if isinstance(answer, str):
        return OpenAPIResponse(description="成功", content={answer: _media(_BYTES)})
    return _response("成功", _schema(answer))


def _response(words: str, schema: Mapping[str, Any]) -> OpenAPIResponse:
    return OpenAPIResponse(description=words, content={JSON: _media(schema)})


def _query(shape: type[msgspec.Struct]) -> list[Parameter]:
    whole = _schema(shape)
    return [
        Parameter(
            name,
            "query",
            schema=_plain(schema),
            description=schema.get("description") or schema.get("title"),
            required=name in whole["required"],
        )
        for name, schema in whole["properties"].items()
    ]


def _schema(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of a shape, whole in itself."""
    (top,), parts = msgspec.json.schema_components((shape,), ref_template=f"{_REF}{{name}}")
    whole: dict[str, Any] = _inlined(top, parts)
    return whole


def _inlined(value: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            rest = {k: v for k, v in value.items() if k != "$ref"}
            return {**_inlined(parts[value["$ref"].removeprefix(_REF)], parts), **rest}
        return {k: _inlined(v, parts) for k, v in value.items()}
    if isinstance(value, str):
        return cleandoc(value) if "\n" in value else value
    if isinstance(value, list):
        return [_inlined(item, parts) for item in value]
    return value
