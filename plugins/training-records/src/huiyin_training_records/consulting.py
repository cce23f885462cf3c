"""Questions to counsel and experts.  Of a privileged one only those named know that it is there."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    NotFound,
    TenantContext,
    colleagues,
    local_date,
    uuid7,
)
from huiyin_training_records.library_models import Consultation, Named, Reply
from huiyin_training_records.models import Expert
from huiyin_training_records.schemas import ConsultForm, ExpertForm, ReplyForm
from huiyin_training_records.terms import CONSULTING

PAGE: Final = 50


def known_to(who: uuid.UUID) -> ColumnElement[bool]:
    """The one condition under which a consultation is there for somebody."""
    named = select(Named.consultation_id).where(Named.account_id == who)
    return or_(~Consultation.privileged, Consultation.id.in_(named))


def listing(
    ctx: TenantContext, *, words: str = "", state: str = "", after: uuid.UUID | None = None
) -> Sequence[Consultation]:
    """The newest first, fifty and one more, if there is more."""
    asked = select(Consultation).where(known_to(ctx.actor.id))
    for word in words.split()[:5]:
        asked = asked.where(
            or_(
                Consultation.subject.icontains(word, autoescape=True),
                Consultation.question.icontains(word, autoescape=True),
            )
        )
    if state:
        asked = asked.where(Consultation.state == state)
    if after is not None:
        asked = asked.where(Consultation.id < after)
    return ctx.session.scalars(asked.order_by(Consultation.id.desc()).limit(PAGE + 1)).all()


def find(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> Consultation:
    """Raises ``NotFound``, for a privileged one to everybody who is not named."""
    asked = select(Consultation).where(Consultation.id == key, known_to(ctx.actor.id))
    found = ctx.session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def ask(ctx: TenantContext, form: ConsultForm) -> Consultation:
    """Whoever asks is named; of others only members who may use consultations at all."""
    if form.due_on is not None and form.due_on < local_date(ctx.now()):
        raise Invalid({"due_on": N_("请选择今天或以后的日期")})
    if form.expert is not None:
        known = select(Expert.id).where(Expert.id == form.expert, ~Expert.retired)
        if ctx.session.scalar(known) is None:
            raise Invalid({"expert": N_("请从给出的选项中选择")})
    row = Consultation(
        id=uuid7(), subject=form.subject, question=form.question, privileged=form.privileged,
        expert_id=form.expert, asked_by=ctx.actor.id, asked_at=ctx.now(), due_on=form.due_on,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    _name(ctx, row, {ctx.actor.id, *form.people})
    ctx.record("consulted", row.id, {"privileged": row.privileged}, {"subject": form.subject})
    return row


def _name(ctx: TenantContext, row: Consultation, people: Collection[uuid.UUID]) -> None:
    able = {person.id for person in colleagues(ctx.session) if person.roles & CONSULTING}
    if not set(people) <= able:
        raise Invalid({"people": N_("请从给出的选项中选择")})
    ctx.session.execute(
        insert(Named)
        .values(
            [
                {"tenant_id": ctx.session.tenant, "id": uuid7(), "consultation_id": row.id,
                 "account_id": who}
                for who in sorted(people)
            ]
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "consultation_id", "account_id"])
    )  # fmt: skip


def name_more(ctx: TenantContext, row: Consultation, people: Collection[uuid.UUID]) -> None:
    """Only one who is named names others."""
    _name(ctx, row, people)
    ctx.record("consultation_shared", row.id, {"people": [str(who) for who in sorted(people)]})


def reply(ctx: TenantContext, row: Consultation, form: ReplyForm) -> None:
    """A word more, or the expert's answer as entered by a member."""
    if row.state == "closed":
        raise Conflict(N_("这项咨询已办结，需要时请另行提出"))
    ctx.session.add(
        Reply(
            id=uuid7(), consultation_id=row.id, author_id=ctx.actor.id, of_expert=form.of_expert,
            body=form.body, at=ctx.now(),
        )
    )  # fmt: skip
    if form.of_expert:
        row.state = "answered"
    ctx.session.flush()
    ctx.record(
        "consultation_answered" if form.of_expert else "consultation_replied", row.id, {},
        {"body": form.body},
    )  # fmt: skip


def close(ctx: TenantContext, row: Consultation) -> None:
    if row.state == "closed":
        raise Conflict(N_("这项咨询已办结，需要时请另行提出"))
    row.state = "closed"
    ctx.session.flush()
    ctx.record("consultation_closed", row.id, {})


def replies(ctx: TenantContext, row: Consultation) -> Sequence[Reply]:
    return ctx.session.scalars(
        select(Reply).where(Reply.consultation_id == row.id).order_by(Reply.at, Reply.id)
    ).all()


def named(ctx: TenantContext, row: Consultation) -> Sequence[uuid.UUID]:
    return ctx.session.scalars(
        select(Named.account_id).where(Named.consultation_id == row.id).order_by(Named.id)
    ).all()


# -- people from outside -----------------------------------------------------------------------


def experts(
    ctx: TenantContext, *, retired: bool = False, after: uuid.UUID | None = None
) -> Sequence[Expert]:
    """In the order they were entered, 200 at most: nobody has more counsel than that."""
    asked = select(Expert).order_by(Expert.id).limit(200)
    if not retired:
        asked = asked.where(~Expert.retired)
    if after is not None:
        asked = asked.where(Expert.id > after)
    return ctx.session.scalars(asked).all()


def enter_expert(ctx: TenantContext, form: ExpertForm) -> Expert:
    row = Expert(
        id=uuid7(), kind=form.kind, name=form.name, organisation=form.organisation,
        field=form.field, contact=form.contact,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record("expert_entered", row.id, {"kind": form.kind}, {"name": form.name})
    return row


def retire_expert(ctx: TenantContext, expert_id: uuid.UUID, *, retired: bool) -> None:
    found = ctx.session.scalars(select(Expert).where(Expert.id == expert_id)).one_or_none()
    if found is None:
        raise NotFound
    found.retired = retired
    ctx.session.flush()
    ctx.record("expert_retired" if retired else "expert_restored", found.id, {})
