"""Changing a questionnaire: each act takes a design and answers another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from huiyin.sdk import N_, Invalid, Message, NotFound
from huiyin_survey_satisfaction import continuity
from huiyin_survey_satisfaction.continuity import Known
from huiyin_survey_satisfaction.designs import (
    MOST_OPTIONS,
    WITH_OPTIONS,
    Condition,
    Design,
    Option,
    Question,
    Section,
    Words,
)
from huiyin_survey_satisfaction.wording import QuestionKind

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")
NOTHING_KNOWN: Final[Known] = MappingProxyType({})
Short = Annotated[str, msgspec.Meta(max_length=300)]


class HeadForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, msgspec.Meta(max_length=60, title=N_("问卷名称"))] = ""
    title_en: Annotated[str, msgspec.Meta(max_length=100)] = ""
    intro: Short = ""
    intro_en: Short = ""
    thanks: Short = ""
    thanks_en: Short = ""


class SectionForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Short = ""
    title_en: Short = ""
    when: Annotated[str, msgspec.Meta(max_length=40)] = ""
    values: Annotated[str, msgspec.Meta(max_length=200)] = ""


class QuestionForm(msgspec.Struct, frozen=True, kw_only=True):
    kind: Annotated[
        Literal[
            "csat", "nps", "ces", "scale", "matrix", "choice", "choices", "text", "date", "file"
        ],
        msgspec.Meta(title=N_("题型")),
    ]
    title: Annotated[str, msgspec.Meta(max_length=300, title=N_("题面"))] = ""
    title_en: Short = ""
    hint: Short = ""
    hint_en: Short = ""
    required: bool = False
    rating: bool = False
    options: Annotated[str, msgspec.Meta(max_length=8_000)] = ""
    when: Annotated[str, msgspec.Meta(max_length=40)] = ""
    values: Annotated[str, msgspec.Meta(max_length=200)] = ""


# -- texts into parts --------------------------------------------------------------------------


def options_of(text: str, low: str = "*", before: Sequence[Option] = ()) -> tuple[Option, ...]:
    """One option a line: 「代码｜中文｜English」, a leading ``*`` asks for a review.

    A line without a code keeps the one its words were published under, else it gets one that was
    never used.  Raises ``Invalid`` at ``options``.
    """
    lines = [
        _option_line(number, line, low)
        for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1)
    ]
    if len(lines) > MOST_OPTIONS:
        raise Invalid({"options": Message(N_("最多 {n} 个选项"), {"n": MOST_OPTIONS})})
    given = {option.code for option in lines if option.code}
    known = {o.words.zh: o.code for o in before if o.code not in given}
    taken = given | {option.code for option in before}
    found: list[Option] = []
    for number, option in enumerate(lines, start=1):
        code = option.code or known.pop(option.words.zh, "")
        if not code:
            code = f"o{number}" if f"o{number}" not in taken else free_code(taken, "o")
        taken.add(code)
        found.append(msgspec.structs.replace(option, code=code))
    return tuple(found)


def _option_line(number: int, line: str, low: str) -> Option:
    bare = line.removeprefix(low).strip()
    parts = [part.strip() for part in bare.replace("｜", "|").split("|")]
    code, words = (parts[0], parts[1:]) if len(parts) > 1 else ("", parts)
    badly = len(parts) > 1 and not _CODE.fullmatch(code)
    if badly or len(words) > 2 or not words[0]:
        raise Invalid(
            {"options": Message(N_("第 {n} 行请按「代码｜中文｜English」填写"), {"n": number})}
        )
    english = words[1] if len(words) == 2 else ""
    return Option(code, Words(words[0], english), low=line.startswith(low))


def written_options(options: Iterable[Option]) -> str:
    return "\n".join(
        ("*" if o.low else "") + "｜".join(filter(None, (o.code, o.words.zh, o.words.en)))
        for o in options
    )


def condition_of(when: str, values: str) -> Condition | None:
    if not when:
        return None
    chosen = [v for v in re.split(r"[,，、\s]+", values) if v]
    return Condition(when, tuple(chosen))


def question_of(form: QuestionForm, code: str, before: Question | None = None) -> Question:
    """A question of its form; ``before`` is what was published under its code.

    Raises ``Invalid``, also for what would mean something else than it did.
    """
    if not form.title:
        raise Invalid({"title": N_("请填写题面")})
    takes = form.kind in WITH_OPTIONS or form.kind == QuestionKind.MATRIX.value
    known = before.options if before else ()
    options = options_of(form.options, before=known) if takes else ()
    if takes and not options:
        raise Invalid({"options": N_("请填写选项或分项，每行一个")})
    made = Question(
        code=code, kind=QuestionKind(form.kind), title=Words(form.title, form.title_en),
        hint=Words(form.hint, form.hint_en), required=form.required, rating=form.rating,
        options=options, when=condition_of(form.when, form.values),
    )  # fmt: skip
    if changed := list(continuity.broken(made, before)):
        raise Invalid(dict(reversed(changed)))  # the first at each field
    return made


def filled(question: Question) -> dict[str, Any]:
    """A question as its form shows it."""
    return {
        "kind": question.kind.value, "title": question.title.zh, "title_en": question.title.en,
        "hint": question.hint.zh, "hint_en": question.hint.en,
        "required": "on" if question.required else "", "rating": "on" if question.rating else "",
        "options": written_options(question.options), **_when(question.when),
    }  # fmt: skip


def filled_section(section: Section) -> dict[str, Any]:
    return {"title": section.title.zh, "title_en": section.title.en, **_when(section.when)}


def _when(when: Condition | None) -> dict[str, str]:
    return {"when": when.question, "values": "、".join(when.values)} if when else {}


# -- acts --------------------------------------------------------------------------------------


def with_head(design: Design, form: HeadForm) -> Design:
    return msgspec.structs.replace(
        design, intro=Words(form.intro, form.intro_en), thanks=Words(form.thanks, form.thanks_en)
    )


def free_code(taken: Iterable[str], stem: str) -> str:
    """The first code that none has; ``taken`` must hold all that ever were published."""
    known = set(taken)
    return next(code for n in range(1, 1_000) if (code := f"{stem}{n}") not in known)


def section_in(design: Design, code: str) -> Section:
    for section in design.sections:
        if section.code == code:
            return section
    raise NotFound


def question_in(design: Design, code: str) -> Question:
    found = design.question(code)
    if found is None:
        raise NotFound
    return found


def put_section(design: Design, code: str, form: SectionForm) -> Design:
    """Change a page, or with an empty code add one at the end."""
    title, when = Words(form.title, form.title_en), condition_of(form.when, form.values)
    if not code:
        made = Section(free_code((s.code for s in design.sections), "s"), title, (), when)
        return msgspec.structs.replace(design, sections=(*design.sections, made))
    section_in(design, code)
    return _each(design, lambda s: (
        msgspec.structs.replace(s, title=title, when=when) if s.code == code else s
    ))  # fmt: skip


def put_question(
    design: Design, section: str, code: str, form: QuestionForm, known: Known = NOTHING_KNOWN
) -> Design:
    """Change a question, or with an empty code add one to the page.

    ``known`` is what was published before: it keeps its meaning, and a new question gets a code
    that none ever had.
    """
    if code:
        question_in(design, code)
        made = question_of(form, code, known.get(code))
        return _each(design, lambda s: msgspec.structs.replace(
            s, questions=tuple(made if q.code == code else q for q in s.questions)
        ))  # fmt: skip
    section_in(design, section)
    made = question_of(form, free_code((*known, *(q.code for q in design.questions())), "q"))
    return _each(design, lambda s: (
        msgspec.structs.replace(s, questions=(*s.questions, made)) if s.code == section else s
    ))  # fmt: skip


def drop(design: Design, code: str) -> Design:
    """Remove a page with its questions, or a question."""
    if any(section.code == code for section in design.sections):
        kept = tuple(s for s in design.sections if s.code != code)
        return msgspec.structs.replace(design, sections=kept)
    question_in(design, code)
    return _each(design, lambda s: msgspec.structs.replace(
        s, questions=tuple(q for q in s.questions if q.code != code)
    ))  # fmt: skip


def move(design: Design, code: str, by: int) -> Design:
    """A page, or a question within its page, one up (−1) or down (1); at the end it stays."""
    codes = [section.code for section in design.sections]
    if code in codes:
        return msgspec.structs.replace(design, sections=_moved(design.sections, codes, code, by))
    question_in(design, code)
    return _each(design, lambda s: msgspec.structs.replace(
        s, questions=_moved(s.questions, [q.code for q in s.questions], code, by)
    ))  # fmt: skip


def _moved(items: tuple[Any, ...], codes: list[str], code: str, by: int) -> tuple[Any, ...]:
    if code not in codes:
        return items
    at = codes.index(code)
    to = at + by
    if not 0 <= to < len(items):
        return items
    found = list(items)
    found[at], found[to] = found[to], found[at]
    return tuple(found)


def _each(design: Design, alter: Any) -> Design:
    return msgspec.structs.replace(design, sections=tuple(map(alter, design.sections)))
