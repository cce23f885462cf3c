"""From what a browser or a client sends to a typed value, or a message at every field.

A form is a msgspec Struct: bounds and titles in ``Meta``, nothing else.  All faults are
reported at once, each in the reader's language with what to do, and the input is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect as shapes

from huiyin.kit.errors import HuiyinError, Invalid
from huiyin.kit.i18n import N_, Message, Translator
from huiyin.kit.text import clean
from huiyin.kit.time import SHANGHAI

T = TypeVar("T", bound=msgspec.Struct)

# Names that belong to the form itself, not to its content.
CONTROL: Final = frozenset({"_csrf", "_key", "rev", "lang"})
_LONGEST: Final = 20_000  # characters, where a field names no bound of its own


class Form:
    """What a template needs to show a form again: values as typed, errors as sentences."""

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        errors: Mapping[str, str] | None = None,
        summary: str = "",
        left: Sequence[str] = (),
    ) -> None:
        self.values = dict(values or {})
        self.errors = dict(errors or {})
        self.summary = summary
        self.left = tuple(left)  # words that have no field on the page any more
        self.saved: dict[str, str] = {}

    def get(self, name: str, default: Any = "") -> Any:
        value = self.values.get(name, default)
        return default if value is None else value

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def at(self, place: str) -> Form:
        """This form where its value ``at`` says it was sent from, else an empty one.

        Forms of one page have fields of the same name; what was typed stays in its own.
        """
        return self if self.values.get("at") == place else Form()

    def beside(self, stored: Form) -> Form:
        """This form, and what somebody else has saved meanwhile beside each field that differs."""
        for name, value in stored.values.items():
            mine, theirs = _flat(self.values.get(name)), _flat(value)
            if theirs != mine:
                self.saved[name] = theirs or "--"
        return self

    @classmethod
    def failed(
        cls, values: Mapping[str, Any], error: HuiyinError, _: Translator, left: Sequence[str] = ()
    ) -> Form:
        """The form as it came, with what must be mended or why it was refused."""
        fields = error.fields if isinstance(error, Invalid) else {}
        return cls(
            {k: v for k, v in values.items() if isinstance(v, str | list)},
            {name: _(message) for name, message in fields.items()},
            _(error.message),
            left,
        )


def _flat(value: Any) -> str:
    """One text for what a form sends and for what is stored, to tell whether they differ."""
    if isinstance(value, list | tuple):
        return "\n".join(str(item) for item in value)
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def parse(shape: type[T], data: Mapping[str, Any], *, strict: bool = False) -> T:
    """A value of ``shape`` from form fields (``strict=False``) or decoded JSON (``strict=True``).

    Raises ``Invalid`` with one message for each field that must be mended, unknown ones too.
    """
    if not isinstance(data, Mapping):
        raise Invalid({"": N_("请按接口文档提交 JSON 对象")})
    fields, hints = _fields(shape)
    errors: dict[str, Message] = {}
    values: dict[str, Any] = {}
    for name in data:
        if name not in fields and (strict or name not in CONTROL):
            errors[str(name)[:60]] = Message(N_("无法识别的栏目，请删除"))
    kinds = {f.encode_name: f.type for f in hints}
    for name, field in fields.items():
        try:
            values[name] = _value(name, field, kinds[name], data, strict=strict)
        except _Absent:
            if field.required:
                errors[name] = Message(N_("请填写{title}"), {"title": title_of(field.type, name)})
        except Invalid as fault:
            errors[name] = fault.fields[name]
    if errors:
        raise Invalid(errors)
    return shape(**{f.name: values[f.encode_name] for f in hints if f.encode_name in values})


@cache
def _fields(
    shape: type[Any],
) -> tuple[dict[str, shapes.Field], tuple[msgspec.structs.FieldInfo, ...]]:
    """What a shape is made of, found out once."""
    told: Any = shapes.type_info(shape)
    return {f.encode_name: f for f in told.fields}, msgspec.structs.fields(shape)


class _Absent(Exception):
    """The field was not filled in."""


def _value(
    name: str, field: shapes.Field, kind: Any, data: Mapping[str, Any], *, strict: bool
) -> Any:
    raw = data.get(name)
    listed = isinstance(_bare(field.type), shapes.ListType | shapes.VarTupleType)
    if listed and not strict:
        raw = [] if raw in (None, "") else raw if isinstance(raw, list) else [raw]
    elif isinstance(raw, list) and not strict:
        raw = raw[-1]
    raw = _cleaned(raw)
    if isinstance(_bare(field.type), shapes.BoolType) and not strict:
        raw = raw in {"on", "1", "true", True}
    if raw is None or raw == "":
        raise _Absent
    if isinstance(raw, str) and len(raw) > _LONGEST:
        raise Invalid({name: Message(N_("最多 {n} 个字，请精简"), {"n": _LONGEST})})
    if isinstance(_bare(field.type), shapes.DecimalType) and isinstance(raw, str):
        raw = raw.replace(",", "").replace("，", "").lstrip("¥￥").strip()
    if isinstance(_bare(field.type), shapes.DateTimeType) and isinstance(raw, str):
        raw = _moment(raw)
    try:
        value = msgspec.convert(raw, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise Invalid({name: _explain(field.type, str(error), name)}) from None
    if isinstance(value, Decimal):
        _check_decimal(name, field.type, value)
    return value


def _moment(raw: str) -> datetime | str:
    """A day and time as browsers send it, to the minute; without a zone it is Shanghai's."""
    if "T" not in raw:
        return raw
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return raw
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _check_decimal(name: str, kind: shapes.Type, value: Decimal) -> None:
    """Bounds of a decimal, declared as ``minimum`` and ``maximum``; cents, no more."""
    bounds = _extra(kind)
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if not value.is_finite():
        raise Invalid({name: Message(N_("请填写数字，例如 1200.50"))})
    if (low is not None and value < low) or (high is not None and value > high):
        raise Invalid(
            {name: Message(N_("请填写 {low} 到 {high} 之间的数字"), {"low": low, "high": high})}
        )
    if not _in_cents(value):
        raise Invalid({name: Message(N_("请填写数字，例如 1200.50"))})


def _in_cents(value: Decimal) -> bool:
    try:
        return value == round(value, 2)
    except InvalidOperation:  # more digits than can be reckoned with
        return False


def _extra(kind: shapes.Type) -> dict[str, Any]:
    """What ``Meta`` says beside the type, of all layers of annotation."""
    found: dict[str, Any] = {}
    while isinstance(kind, shapes.Metadata | shapes.UnionType):
        if isinstance(kind, shapes.UnionType):
            rest = [t for t in kind.types if not isinstance(t, shapes.NoneType)]
            if len(rest) != 1:
                break
            kind = rest[0]
            continue
        found = {**(kind.extra_json_schema or {}), **found}
        kind = kind.type
    return found


def _cleaned(raw: Any) -> Any:
    if isinstance(raw, str):
        return clean(raw)
    if isinstance(raw, list):
        return [clean(item) if isinstance(item, str) else item for item in raw]
    return raw


def _bare(kind: shapes.Type) -> shapes.Type:
    """The type without its metadata and without ``| None``."""
    while isinstance(kind, shapes.Metadata):
        kind = kind.type
    if isinstance(kind, shapes.UnionType):
        rest = [t for t in kind.types if not isinstance(t, shapes.NoneType)]
        if len(rest) == 1:
            return _bare(rest[0])
    return kind


def title_of(kind: shapes.Type, name: str) -> Message:
    """The field's title, as declared in ``Meta(title=…)``."""
    return Message(str(_extra(kind).get("title") or name))


def _explain(kind: shapes.Type, fault: str, name: str) -> Message:
    bare = _bare(kind)
    if isinstance(bare, shapes.StrType):
        return _explain_text(bare, fault)
    if isinstance(bare, shapes.IntType | shapes.FloatType | shapes.DecimalType):
        low, high = getattr(bare, "ge", None), getattr(bare, "le", None)
        if low is not None and high is not None:
            return Message(N_("请填写 {low} 到 {high} 之间的数字"), {"low": low, "high": high})
        return Message(N_("请填写数字，例如 1200.50"))
    if isinstance(bare, shapes.DateType):
        return Message(N_("请按 2026-03-18 的格式填写日期"))
    if isinstance(bare, shapes.DateTimeType):
        return Message(N_("请按 2026-03-18T09:30 的格式填写时间"))
    if isinstance(bare, shapes.EnumType | shapes.LiteralType):
        return Message(N_("请从给出的选项中选择"))
    return Message(N_("请检查{title}的格式"), {"title": title_of(kind, name)})


def _explain_text(bare: shapes.StrType, fault: str) -> Message:
    if bare.max_length is not None and "length <=" in fault:
        return Message(N_("最多 {n} 个字，请精简"), {"n": bare.max_length})
    if bare.min_length is not None and "length >=" in fault:
        return Message(N_("请至少写 {n} 个字"), {"n": bare.min_length})
    if "matching regex" in fault:
        return Message(N_("格式不对，请核对后重新填写"))
    return Message(N_("请填写文字"))


def defaults(shape: type[msgspec.Struct], **given: Any) -> Form:
    """A form as first shown: the struct's own defaults, and what is already known."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if field.default is not msgspec.NODEFAULT:
            values[field.encode_name] = shown(field.default)
    values.update({name: shown(value) for name, value in given.items()})
    return Form(values)


def shown(value: Any) -> Any:
    """How a typed value stands in an input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return str(value)
