"""The card beside a case."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup
from sqlalchemy import Text, Uuid, bindparam, exists, select

from huiyin.sdk import Case, Ready, TenantContext, colleagues
from huiyin_training_records import assigning, linking
from huiyin_training_records.library_models import CaseLink
from huiyin_training_records.models import Assignment, Course
from huiyin_training_records.standing import lines
from huiyin_training_records.terms import STANDING_TAGS, STANDING_TITLES

# Nothing of the kind is true of most cases: then the rest need not be asked.
_KNOWN: Final = Ready(
    select(
        exists().where(Assignment.case_id == bindparam("case", type_=Uuid)).label("assigned"),
        exists().where(CaseLink.case_id == bindparam("case", type_=Uuid)).label("linked"),
        exists().where(Course.causes.has_key(bindparam("cause", type_=Text))).label("taught"),
    )
)


def panel_of(ctx: TenantContext, case: Case) -> Markup | None:
    """What was assigned because of it, what its cause asks for, and what was linked."""
    known = _KNOWN.run(ctx.session, case=case.id, cause=case.cause or "").one()
    found = lines(ctx.session, Assignment.case_id == case.id) if known.assigned else []
    linked = linking.of_case(ctx, case) if known.linked else []
    offered = assigning.for_cause(ctx, case.cause or "") if known.taught and not found else ()
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
