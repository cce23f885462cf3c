"""The card beside a case."""

from __future__ import annotations

from markupsafe import Markup
from sqlalchemy import select

from huiyin.sdk import Case, TenantContext, colleagues
from huiyin_training_records import assigning, linking
from huiyin_training_records.models import Assignment, Course
from huiyin_training_records.standing import lines
from huiyin_training_records.terms import STANDING_TAGS, STANDING_TITLES


def panel_of(ctx: TenantContext, case: Case) -> Markup | None:
    """What was assigned because of it, what its cause asks for, and what was linked."""
    found = lines(ctx.session, Assignment.case_id == case.id)
    linked = linking.of_case(ctx, case)
    offered = assigning.for_cause(ctx, case.cause) if case.cause and not found else ()
    if not (found or linked or offered):
        return None
    names = {person.id: person.name for person in colleagues(ctx.session, former=True)}
    titles = dict(ctx.session.execute(select(Course.id, Course.title)).all())
    day = assigning.today_of(ctx)
    return ctx.render(
        "training_records/panel.html",
        trainings=[(names[x.account_id], titles[x.course_id], x.on(day)) for x in found],
        offered=offered, linked=linked, titles=STANDING_TITLES, tags=STANDING_TAGS,
    )  # fmt: skip
