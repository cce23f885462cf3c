"""What a plugin may show of cases."""

from sqlalchemy import select

from huiyin.cases.stages import Part
from huiyin.sdk import Case, visible_cases
from huiyin.testing.history import closed_case


def seen_by(session, person):
    return list(session.scalars(select(Case.id).where(visible_cases(person))))


def test_a_case_is_seen_by_those_who_see_all_and_by_its_team_and_never_by_the_walled(
    session, actor, make_actor
):
    investigator, stranger = make_actor("investigator"), make_actor("investigator")
    case = closed_case(session, people={Part.INVESTIGATOR: investigator})
    assert seen_by(session, actor) == [case.id]
    assert seen_by(session, investigator) == [case.id]
    assert seen_by(session, stranger) == []
    case.walled = [actor.id]
    session.flush()
    assert seen_by(session, actor) == []
