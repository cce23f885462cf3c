"""The questions of the public form: one a page, in one table that pages, checks and tests read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec

from huiyin.sdk import N_, Invalid, Message, parse, public_topics
from huiyin_channel_web.settings import ChannelWebSettings

SHORTEST: Final = 10  # characters that can say what happened


class TopicForm(msgspec.Struct, frozen=True, kw_only=True):
    topic: Annotated[str, msgspec.Meta(max_length=40)] = ""


class ProductForm(msgspec.Struct, frozen=True, kw_only=True):
    fund: Annotated[str, msgspec.Meta(max_length=40)] = ""
    product: Annotated[str, msgspec.Meta(max_length=100)] = ""


class StoryForm(msgspec.Struct, frozen=True, kw_only=True):
    story: Annotated[str, msgspec.Meta(max_length=5_000)] = ""


class WishForm(msgspec.Struct, frozen=True, kw_only=True):
    wish: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class ContactForm(msgspec.Struct, frozen=True, kw_only=True):
    who: Literal["named", "anonymous"] = "named"
    name: Annotated[str, msgspec.Meta(max_length=60)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""
    email: Annotated[str, msgspec.Meta(max_length=120)] = ""


class CheckForm(msgspec.Struct, frozen=True, kw_only=True):
    consent: bool = False


# -- what each answer must be ------------------------------------------------------------------


def _topic(form: TopicForm) -> TopicForm:
    if form.topic not in public_topics():
        raise Invalid({"topic": N_("请选择最接近的一类问题")})
    return form


def _product(form: ProductForm) -> ProductForm:
    if form.fund in {"", "unsure"}:
        return form
    try:
        uuid.UUID(form.fund)
    except ValueError:
        raise Invalid({"fund": N_("请从给出的产品中选择，不确定可以选最后一项")}) from None
    return msgspec.structs.replace(form, product="")


def _story(form: StoryForm) -> StoryForm:
    if len(form.story) < SHORTEST:
        message = Message(N_("请写下发生了什么，至少 {n} 个字"), {"n": SHORTEST})
        raise Invalid({"story": message})
    return form


_PHONE: Final = re.compile(r"(?=(?:\D*\d){6})\+?[\d\s()\-]{7,24}")
_MAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]+\.[^\s@.]{2,}")


def _contact(form: ContactForm) -> ContactForm:
    if form.who == "anonymous":
        return ContactForm(who="anonymous")  # nothing is kept that was typed before choosing
    faults: dict[str, Message | str] = {}
    if not form.name:
        faults["name"] = N_("请填写姓名，或选择匿名提交")
    if not (form.phone or form.email):
        faults["phone"] = N_("请至少填写手机号或邮箱，以便告知处理进展")
    if form.phone and not _PHONE.fullmatch(form.phone):
        faults["phone"] = N_("请填写手机号或带区号的电话，例如 138 0000 6021")
    if form.email and not _MAIL.fullmatch(form.email):
        faults["email"] = N_("请填写完整的邮箱，例如 name@example.com")
    if faults:
        raise Invalid(faults)
    return form


# -- the table ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One question.  ``shape`` is none for the files, which have a form of their own."""

    name: str
    title: str  # on the page of answers
    shape: type[msgspec.Struct] | None
    check: Callable[[Any], Any] = lambda form: form
    required: bool = True

    def read(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as it is kept.  Raises ``Invalid``."""
        if self.shape is None:
            return {}
        answer: dict[str, Any] = msgspec.to_builtins(self.check(parse(self.shape, data)))
        return answer


STEPS: Final = (
    Step("topic", N_("问题类型"), TopicForm, _topic),
    Step("product", N_("涉及产品"), ProductForm, _product, required=False),
    Step("story", N_("事情的经过"), StoryForm, _story),
    Step("wish", N_("希望如何解决"), WishForm, required=False),
    Step("files", N_("材料"), None, required=False),
    Step("contact", N_("联系方式"), ContactForm, _contact),
)


def steps_for(settings: ChannelWebSettings) -> tuple[Step, ...]:
    """The questions a firm asks."""
    return tuple(s for s in STEPS if settings.ask_product or s.name != "product")


def missing(steps: tuple[Step, ...], answers: Mapping[str, Any]) -> Step | None:
    """The first question that must be answered and is not."""
    return next((step for step in steps if step.required and step.name not in answers), None)


def beside(steps: tuple[Step, ...], name: str) -> tuple[str, str]:
    """The pages before and after a question."""
    names = ["start", *(step.name for step in steps), "check"]
    at = names.index(name)
    return names[at - 1], names[at + 1]
