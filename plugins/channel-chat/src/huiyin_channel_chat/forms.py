"""What the pages send, and what of it is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from huiyin.sdk import N_, Invalid, Message, parse
from huiyin_channel_chat.filing import Card
from huiyin_channel_chat.terms import DIGITS, LONGEST, TOPICS

_PHONE: Final = re.compile(r"\+?[0-9][0-9 \-]{6,20}")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BARE: Final = frozenset({"act", "token", "id", "after"})
SECRETS: Final = frozenset({"token", "code"})  # never shown again
TOPIC: Final = N_("请选择想办理的事")
CONSENT: Final = N_("请阅读并勾选确认，再继续")
FIRST: Final = N_("请写明要告诉我们的内容")
PHONE: Final = N_("请填写手机号或带区号的电话，例如 138 0000 6021")
MAIL: Final = N_("请填写完整的邮箱，例如 name@example.com")
NUMBER: Final = N_("请填写案件编号，在受理告知或查询页上可以找到")
CODE: Final = N_("请输入 {n} 位数字的查询码")
REACH: Final = N_("请留下手机号或邮箱；匿名提交的，勾选下面一项")


class BeginForm(msgspec.Struct, frozen=True, kw_only=True):
    """Before a talk: what it is about, and as much of oneself as one likes."""

    topic: Annotated[str, msgspec.Meta(max_length=20)] = ""
    name: Annotated[str, msgspec.Meta(max_length=60)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""
    email: Annotated[str, msgspec.Meta(max_length=120)] = ""
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""
    code: Annotated[str, msgspec.Meta(max_length=60)] = ""
    body: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    consent: bool = False

    @property
    def contact(self) -> dict[str, str]:
        return {"name": self.name, "phone": self.phone, "email": self.email}

    @property
    def digits(self) -> str:
        plain = unicodedata.normalize("NFKC", self.code)
        return "".join(c for c in plain if c.isascii() and c.isdigit())


class CardForm(Card, frozen=True, kw_only=True):
    """The visitor's card; ``anonymous`` is ticked by whoever leaves no way to be reached."""

    anonymous: bool = False
    consent: bool = False


class RateForm(msgspec.Struct, frozen=True, kw_only=True):
    rating: Annotated[int, msgspec.Meta(ge=1, le=5, title=N_("满意程度"))]
    words: Annotated[str, msgspec.Meta(max_length=1000, title=N_("想补充的话"))] = ""


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in {*_BARE, *names}}


def shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of a form may be shown again."""
    return {key: value for key, value in data.items() if key not in SECRETS}


def read_begin(data: Mapping[str, Any], *, shut: bool) -> BeginForm:
    """Raises ``Invalid`` with all faults at once; out of hours something must be written."""
    form = parse(BeginForm, without(data))
    faults: dict[str, Message | str] = {}
    if form.topic not in TOPICS:
        faults["topic"] = TOPIC
    _check_reach(form.phone, form.email, faults)
    if form.number or form.digits:
        if not form.number:
            faults["number"] = NUMBER
        if len(form.digits) != DIGITS:
            faults["code"] = Message(CODE, {"n": DIGITS})
    if shut and not form.body:
        faults["body"] = FIRST
    if not form.consent:
        faults["consent"] = CONSENT
    if faults:
        raise Invalid(faults)
    return form


def _check_reach(phone: str, email: str, faults: dict[str, Message | str]) -> None:
    if phone and not _PHONE.fullmatch(phone):
        faults["phone"] = PHONE
    if email and not _MAIL.fullmatch(email):
        faults["email"] = MAIL


def read_card(data: Mapping[str, Any]) -> Card:
    """The card as the visitor sends it."""
    form = parse(CardForm, without(data))
    faults: dict[str, Message | str] = {}
    if not form.story:
        faults["story"] = FIRST
    _check_reach(form.phone, form.email, faults)
    if not (form.phone or form.email or form.anonymous):
        faults["phone"] = REACH
    if not form.consent:
        faults["consent"] = CONSENT
    if faults:
        raise Invalid(faults)
    taken = {f: getattr(form, f) for f in Card.__struct_fields__}
    if form.anonymous:
        taken |= {"name": "", "phone": "", "email": ""}
    return Card(**taken)
