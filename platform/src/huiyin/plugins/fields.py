"""From a settings struct to the fields of its form.

The struct is the only place where a setting is described: ``Meta`` carries title, hint
(``description``), bounds, and in ``extra`` what else the form needs: ``unit``, ``section``,
``choices`` (value → title) and ``secret``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from msgspec import inspect as shapes

from huiyin.kit.i18n import N_

# A value that is sealed when stored and never shown again.  Combine it with a title:
# ``Annotated[SecretStr, Meta(title="…")]``.
SecretStr = Annotated[str, msgspec.Meta(extra={"secret": True})]


class FieldKind(StrEnum):
    """What kinds of settings there are; each has one way to be filled in."""

    TEXT = "text"
    NUMBER = "number"
    BOOL = "bool"
    CHOICE = "choice"
    DURATION = "duration"
    LIST = "list"
    SECRET = "secret"  # noqa: S105 - the name of a kind


TYPE_LABELS: Final[Mapping[FieldKind, str]] = MappingProxyType(
    {
        FieldKind.TEXT: N_("文本"),
        FieldKind.NUMBER: N_("数字"),
        FieldKind.BOOL: N_("是或否"),
        FieldKind.CHOICE: N_("选项"),
        FieldKind.DURATION: N_("时长"),
        FieldKind.LIST: N_("列表"),
        FieldKind.SECRET: N_("机密"),
    }
)

# A number in one of these units is a length of time.
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "working_days": N_("工作日"),
        "calendar_days": N_("自然日"),
        "trading_days": N_("交易日"),
        "hours": N_("小时"),
        "minutes": N_("分钟"),
    }
)


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as the form shows it.  Titles, hints, units and choices are catalogue keys."""

    name: str
    title: str
    hint: str
    kind: FieldKind
    type: Any  # what msgspec converts to
    default: Any
    low: int | float | None = None
    high: int | float | None = None
    longest: int | None = None  # characters of a text, items of a list
    unit: str = ""
    section: str = ""
    choices: tuple[tuple[Any, str], ...] = ()

    @property
    def type_label(self) -> str:
        return TYPE_LABELS[self.kind]

    @property
    def is_secret(self) -> bool:
        return self.kind is FieldKind.SECRET

    def key(self, plugin: str) -> str:
        """How the setting is named on the page and in the record."""
        return f"{plugin}.{self.name}"


def fields_of(struct: type[msgspec.Struct]) -> list[SettingField]:
    """The fields of a settings struct, in its order.

    Raises ``TypeError`` for a field without a default or of a type no form can show.
    """
    described = shapes.type_info(struct)
    if not isinstance(described, shapes.StructType):
        raise TypeError(f"{struct!r} is not a struct")
    hints = {f.name: f.type for f in msgspec.structs.fields(struct)}
    return [_field(field, hints[field.name]) for field in described.fields]


def _field(field: shapes.Field, hint: Any) -> SettingField:
    if field.required:
        raise TypeError(f"{field.name} needs a default")
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    schema, extra, bare = _unwrap(field.type)
    kind = _kind(field.name, bare, extra)
    unit = str(extra.get("unit", ""))
    return SettingField(
        name=field.name,
        title=str(schema.get("title", field.name)),
        hint=str(schema.get("description", "")),
        kind=kind,
        type=hint,
        default=default,
        low=_first(bare, "ge", "gt"),
        high=_first(bare, "le", "lt"),
        longest=getattr(bare, "max_length", None),
        unit=UNITS.get(unit, unit),
        section=str(extra.get("section", "")),
        choices=_choices(bare, extra.get("choices", {})),
    )


def _unwrap(kind: shapes.Type) -> tuple[dict[str, Any], dict[str, Any], shapes.Type]:
    """JSON-schema words, our extras, and the type below; ``| None`` is no kind of its own."""
    schema: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    while isinstance(kind, shapes.Metadata):
        schema |= kind.extra_json_schema or {}
        extra |= kind.extra or {}
        kind = kind.type
    if isinstance(kind, shapes.UnionType):
        rest = [t for t in kind.types if not isinstance(t, shapes.NoneType)]
        if len(rest) == 1:
            inner_schema, inner_extra, kind = _unwrap(rest[0])
            return {**inner_schema, **schema}, {**inner_extra, **extra}, kind
    return schema, extra, kind


def _kind(name: str, bare: shapes.Type, extra: Mapping[str, Any]) -> FieldKind:
    if isinstance(bare, shapes.BoolType):
        return FieldKind.BOOL
    if isinstance(bare, shapes.IntType | shapes.FloatType | shapes.DecimalType):
        return FieldKind.DURATION if extra.get("unit") in UNITS else FieldKind.NUMBER
    if isinstance(bare, shapes.LiteralType | shapes.EnumType):
        return FieldKind.CHOICE
    if isinstance(bare, shapes.StrType):
        return FieldKind.SECRET if extra.get("secret") else FieldKind.TEXT
    if isinstance(bare, shapes.VarTupleType):
        _, _, item = _unwrap(bare.item_type)
        if isinstance(item, shapes.StrType | shapes.IntType):
            return FieldKind.LIST
    raise TypeError(f"{name}: no form can show a {type(bare).__name__}")


def _first(bare: shapes.Type, *names: str) -> Any:
    return next((v for n in names if (v := getattr(bare, n, None)) is not None), None)


def _choices(bare: shapes.Type, titles: Mapping[Any, str]) -> tuple[tuple[Any, str], ...]:
    if isinstance(bare, shapes.LiteralType):
        values: list[Any] = list(bare.values)
    elif isinstance(bare, shapes.EnumType):
        values = [item.value for item in bare.cls]
    else:
        return ()
    return tuple((value, str(titles.get(value, value))) for value in values)


def plain_value(value: Any) -> Any:
    """A typed value as JSON holds it."""
    return msgspec.to_builtins(value.value if isinstance(value, Enum) else value)
