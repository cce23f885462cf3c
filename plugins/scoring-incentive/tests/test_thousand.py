"""A thousand cases, scored by the product and by a script that shares no code with it.

The script reads the bare tables with its own SQL, counts on its own and shrinks with SciPy.
"""

from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import msgspec
import pytest
from scipy import stats
from sqlalchemy import text, update

from huiyin.sdk import Part, uuid7
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import appeals
from huiyin_scoring_incentive.models import Formula
from huiyin_scoring_incentive.schemas import Body

from .conftest import BODY, QUARTER

FIRST = "2025-04-01T00:00:00+08:00"
PAST = "2025-07-01T00:00:00+08:00"
TURN = {"investigation": "investigator", "plan": "drafter", "approval": "approver"}


@pytest.fixture
def thousand(session, staff):
    """A thousand cases in the quarter and some around it, by people of different merit."""
    dice = Random(7)
    officers = [staff.officer, staff.officer2]
    investigators = [staff.investigator, staff.investigator2]
    for i in range(1100):
        owner, looks = dice.choice(officers), dice.choice(investigators)
        good = 0.9 if looks is staff.investigator else 0.6
        prompt = 0.85 if owner is staff.officer else 0.7
        closed_case(
            session,
            people={Part.OWNER: owner, Part.INVESTIGATOR: looks, Part.DRAFTER: looks,
                    Part.APPROVER: staff.approver},
            closed_at=QUARTER.begin + timedelta(
                days=dice.randint(0, 90) if i < 1000 else dice.choice([-9, -1, 91, 99]),
                hours=dice.randint(0, 23),
            ),
            days=dice.randint(3, 60), returned=int(dice.random() > good),
            reopened=int(dice.random() > 0.85) * dice.randint(1, 2),
            clocks=[(kind, stage, dice.random() < prompt) for kind, stage in
                    (("stage", "intake"), ("stage", "plan"), ("stage", "investigation"),
                     ("stage", "approval"), ("reply", ""))],
            severity=dice.choice(["S1", "S2", "S3"]),
            walled=[looks.id] if i % 97 == 0 else [],
        )  # fmt: skip
    ids = [
        row.id for row in session.execute(text("SELECT id, number FROM case_file ORDER BY number"))
    ]
    for at in range(9):
        doer = staff.officer if at % 3 else staff.investigator2
        session.execute(
            text(
                "INSERT INTO plugin_scoring_incentive__credit (tenant_id, id, kind, case_id,"
                " case_number, doer_id, doer_name, by_id, by_name, what, at, state, second_id,"
                " second_name, reason) VALUES (:tenant, :id, 'help', :case, 'n', :doer, 'd', :by,"
                " 'b', 'w', :at, :state, :second, '', '')"
            ),
            {"tenant": session.tenant, "id": uuid7(), "case": ids[at], "doer": doer.id,
             "by": staff.officer2.id, "at": QUARTER.begin + timedelta(days=at),
             "state": "confirmed" if at != 4 else "waiting",
             "second": staff.supervisor.id if at != 4 else None},
        )  # fmt: skip
    session.commit()


# -- the independent script --------------------------------------------------------------------


def rows(session, sql):
    return session.execute(text(sql), {"a": FIRST, "b": PAST}).all()


CASES = (
    "SELECT id FROM case_file WHERE state = 'closed' AND intake_type = 'complaint'"
    " AND closed_at >= CAST(:a AS timestamptz) AND closed_at < CAST(:b AS timestamptz)"
)


def by_hand(session, people, shares):
    """Every score, from the bare tables: person → Decimal."""
    walled = dict(rows(session, f"SELECT id, walled FROM case_file WHERE id IN ({CASES})"))
    parts = defaultdict(set)
    for case, part, who in rows(
        session,
        f"SELECT case_id, part, account_id FROM case_participation WHERE case_id IN ({CASES})",
    ):
        if who not in walled[case]:
            parts[case, part].add(who)
    back = defaultdict(int)
    for case, verb in rows(
        session, f"SELECT case_id, verb FROM case_entry WHERE case_id IN ({CASES})"
    ):
        back[case, "reopened" if verb in ("review", "reopen") else verb] += 1
    tally = defaultdict(lambda: [0, 0])

    def note(figure, who, hit):
        tally[figure, who][0] += int(hit)
        tally[figure, who][1] += 1

    for case in walled:
        for who in parts[case, "drafter"]:
            note("first", who, not back[case, "return_plan"])
        for who in parts[case, "owner"] | parts[case, "investigator"]:
            note("stood", who, not back[case, "reopened"])
    for case, stage, due, stopped in rows(
        session,
        "SELECT case_id, stage, due_at, stopped_at FROM clock WHERE kind = 'stage'"
        f" AND state <> 'cancelled' AND case_id IN ({CASES})",
    ):
        for who in parts[case, TURN.get(stage, "owner")]:
            note("clocks", who, stopped is not None and stopped <= due)
    helped = dict(rows(
        session,
        "SELECT doer_id, count(*) FROM plugin_scoring_incentive__credit WHERE kind = 'help'"
        " AND state = 'confirmed' AND at >= CAST(:a AS timestamptz)"
        " AND at < CAST(:b AS timestamptz) GROUP BY doer_id",
    ))  # fmt: skip
    return {who: score_by_hand(who, tally, helped, people, shares) for who in people}


def score_by_hand(who, tally, helped, people, shares):
    weights = points = 0.0
    there = {"help": shares["help"]}
    for name, low, full, strength in (
        ("stood", 0.5, 1.0, 10), ("first", 0.4, 0.9, 10), ("clocks", 0.5, 0.95, 8),
    ):  # fmt: skip
        weight = shares[name]
        hits, n = tally.get((name, who), (0, 0))
        if n < 3:
            continue
        pool = [tally[key] for key in list(tally) if key[0] == name and key[1] in people]
        mean = sum(h for h, _ in pool) / sum(m for _, m in pool)
        value = stats.beta(strength * mean + hits, strength * (1 - mean) + n - hits).mean()
        points += weight * min(100.0, max(0.0, (value - low) / (full - low) * 100))
        weights += weight
        there[name] = weight
    points += shares["help"] * min(100.0, helped.get(who, 0) / 2 * 100)
    weights += shares["help"]
    if weights < shares["least"]:
        return None
    good = there.get("stood", 0) + there.get("first", 0)
    if there.get("clocks", 0) * 10 > weights * 4 or good * 10 < weights * 3:
        return None
    return Decimal(str(round(points / weights, 9))).quantize(Decimal("0.1"), ROUND_HALF_UP)


SCORED = ("officer", "officer2", "investigator", "investigator2")
USUAL = {"stood": 40, "first": 25, "clocks": 25, "help": 10, "least": 70}
# Fair as a whole; without plans, 40 of 70 are clocks.  Nobody may save it today.
OLD = {"stood": 20, "first": 30, "clocks": 40, "help": 10, "least": 60}


def of_old(session, made):
    """A formula published before its gaps were looked at."""
    terms = [
        msgspec.structs.replace(term, weight=OLD[name])
        for term, name in zip(BODY.terms, ("stood", "first", "clocks", "help"), strict=True)
    ]
    body = Body(terms=tuple(terms), coverage=OLD["least"])
    session.execute(update(Formula).where(Formula.id == made.id)
                    .values(body=msgspec.to_builtins(body)))  # fmt: skip
    session.expire(made)


def test_the_product_and_the_script_agree_on_who_gets_no_score(
    session, staff, thousand, formula, count, score_of, lend
):
    of_old(session, formula(BODY))
    found = count()
    expected = by_hand(session, {getattr(staff, name).id for name in SCORED}, OLD)
    got = {getattr(staff, name).id: score_of(found, name)[0].value for name in SCORED}
    assert got == expected
    assert [got[getattr(staff, name).id] is None for name in SCORED] == [True, True, False, False]
    told = appeals.explain(lend("supervisor"), score_of(found, "officer")[0].id)
    assert "守时类占 57%，超过 40%" in lend().text(told.unscored)
    told = appeals.explain(lend("supervisor"), score_of(found, "investigator")[0].id)
    assert told.unscored is None


def test_the_product_and_the_script_give_the_same_scores(
    session, staff, actor, thousand, formula, count, score_of
):
    formula(BODY)
    found = count()
    scored = SCORED
    people = {getattr(staff, name).id for name in scored} | {actor.id}
    expected = by_hand(session, people, USUAL)
    got = {getattr(staff, name).id: score_of(found, name)[0].value for name in scored}
    got[actor.id] = session.execute(
        text("SELECT value FROM plugin_scoring_incentive__score WHERE subject_id = :who"),
        {"who": actor.id},
    ).scalar_one()
    assert got == expected
    assert None not in [expected[getattr(staff, name).id] for name in scored]
    assert expected[actor.id] is None, "nothing to count is no score, not a zero"
    assert len({expected[getattr(staff, name).id] for name in scored}) == 4
    counted = session.execute(text(CASES.replace("id FROM", "count(*) FROM")),
                              {"a": FIRST, "b": PAST}).scalar_one()  # fmt: skip
    assert counted == 1000, "a hundred more lie before the quarter or after it"
