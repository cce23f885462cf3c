"""Questionnaires and their versions: drafted, published, and never changed after."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from huiyin.sdk import Message, NotFound, TenantContext, uuid7
from huiyin_survey_satisfaction import continuity, designs
from huiyin_survey_satisfaction.continuity import Known
from huiyin_survey_satisfaction.designs import Design
from huiyin_survey_satisfaction.errors import Edited, NotADraft
from huiyin_survey_satisfaction.library import library
from huiyin_survey_satisfaction.models import Campaign, Questionnaire, Version


@dataclass(frozen=True, slots=True)
class Line:
    """A questionnaire in the list."""

    questionnaire: Questionnaire
    published: int  # number of the newest published version, 0 for none
    drafted: int  # number of the draft, 0 for none
    campaigns: int


def listed(ctx: TenantContext) -> Sequence[Line]:
    """All of the firm's questionnaires, in one query."""
    published = (
        select(func.max(Version.number))
        .where(Version.questionnaire_id == Questionnaire.id, Version.state == "published")
        .correlate(Questionnaire)
        .scalar_subquery()
    )
    drafted = (
        select(func.max(Version.number))
        .where(Version.questionnaire_id == Questionnaire.id, Version.state == "draft")
        .correlate(Questionnaire)
        .scalar_subquery()
    )
    used = (
        select(func.count(Campaign.id))
        .where(Campaign.questionnaire_id == Questionnaire.id)
        .correlate(Questionnaire)
        .scalar_subquery()
    )
    rows = ctx.session.execute(
        select(Questionnaire, published, drafted, used)
        .order_by(Questionnaire.created_at.desc(), Questionnaire.id)
        .limit(200)
    )
    return [Line(q, newest or 0, draft or 0, n) for q, newest, draft, n in rows]


def take(ctx: TenantContext, code: str) -> Questionnaire:
    """A draft of one from the library, to be changed and published.  Raises ``NotFound``."""
    ready = library().get(code)
    if ready is None:
        raise NotFound
    return begin(ctx, ready.title.zh, ready.title.en, ready.design, origin=code)


def begin(
    ctx: TenantContext, title: str, title_en: str, design: Design, *, origin: str = ""
) -> Questionnaire:
    made = Questionnaire(
        id=uuid7(), title=title, title_en=title_en, origin=origin, created_by=ctx.actor.id
    )
    ctx.session.add(made)
    ctx.session.flush()
    ctx.session.add(
        Version(id=uuid7(), questionnaire_id=made.id, number=1, design=designs.written(design))
    )
    ctx.session.flush()
    ctx.record("questionnaire_begun", made.id, {"origin": origin or "blank"})
    return made


def find(ctx: TenantContext, questionnaire_id: uuid.UUID) -> Questionnaire:
    found = ctx.session.get(Questionnaire, (ctx.tenant.id, questionnaire_id))
    if found is None:
        raise NotFound
    return found


def versions(ctx: TenantContext, questionnaire: Questionnaire) -> Sequence[Version]:
    """All of them, the newest first."""
    return ctx.session.scalars(
        select(Version)
        .where(Version.questionnaire_id == questionnaire.id)
        .order_by(Version.number.desc())
    ).all()


def newest_published(ctx: TenantContext, questionnaire_id: uuid.UUID) -> Version | None:
    return ctx.session.scalar(
        select(Version)
        .where(Version.questionnaire_id == questionnaire_id, Version.state == "published")
        .order_by(Version.number.desc())
        .limit(1)
    )


def change(
    ctx: TenantContext, questionnaire: Questionnaire, rev: str, alter: Callable[[Design], Design]
) -> Version:
    """Change the draft as it stood when ``rev`` was read.

    Raises ``NotADraft``, and ``Edited`` when somebody else changed it in between.
    """
    draft = ctx.session.scalar(
        select(Version)
        .where(Version.questionnaire_id == questionnaire.id, Version.state == "draft")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if draft is None:
        raise NotADraft
    if str(draft.rev) != rev:
        raise Edited
    draft.design = designs.written(alter(designs.read(draft.design)))
    draft.rev += 1
    ctx.session.flush()
    return draft


def draft_again(ctx: TenantContext, questionnaire: Questionnaire) -> Version:
    """A draft after the newest version; the one at hand if there is one."""
    newest = versions(ctx, questionnaire)[0]
    if newest.state == "draft":
        return newest
    draft = Version(
        id=uuid7(), questionnaire_id=questionnaire.id, number=newest.number + 1,
        design=newest.design,
    )  # fmt: skip
    ctx.session.add(draft)
    ctx.session.flush()
    ctx.record("version_drafted", draft.id, {"number": draft.number})
    return draft


def known(ctx: TenantContext, questionnaire: Questionnaire) -> Known:
    """What its published versions asked, by code."""
    published = ctx.session.scalars(
        select(Version.design)
        .where(Version.questionnaire_id == questionnaire.id, Version.state == "published")
        .order_by(Version.number)
    )
    return continuity.known_of(published)


def faults(ctx: TenantContext, questionnaire: Questionnaire, design: Design) -> list[Message]:
    """Everything that keeps the draft from being published."""
    changed = continuity.faults(design, known(ctx, questionnaire))
    return [*designs.faults(design), *changed]


def publish(ctx: TenantContext, questionnaire: Questionnaire, rev: str) -> Version:
    """Publish the draft.  Raises ``Invalid`` with all that must be mended first."""

    def checked(design: Design) -> Design:
        designs.check(faults(ctx, questionnaire, design))
        return design

    draft = change(ctx, questionnaire, rev, checked)
    draft.state, draft.published_at, draft.published_by = "published", ctx.now(), ctx.actor.id
    ctx.session.flush()
    ctx.record("version_published", draft.id, {"number": draft.number})
    return draft
