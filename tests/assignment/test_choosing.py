"""The choice: which rule speaks, who is passed over and why, whose turn it is."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiyin.assignment.choosing import CaseFacts, Person, Rule, choose
from huiyin.assignment.schemas import SKIPS, Conditions, Wants, words

DAY = date(2026, 11, 26)
FUND = uuid4()


def case(**more):
    known = {
        "kind": "complaint", "group": "A", "fund": FUND, "language": "zh", "channel": "email",
        "source": "direct", "words": "赎回没有到账",
    }  # fmt: skip
    return CaseFacts(**{**known, **more})


def person(name, **more):
    return Person(id=uuid4(), name=name, **more)


def rule(title="全部", wants=None, active=True, **conditions):
    return Rule(
        title=title, conditions=Conditions(**conditions), wants=wants or Wants(), active=active
    )


def chosen(*args, on=DAY):
    found = choose(*args, on)
    return found.person.name if found.person else None


def test_the_first_rule_that_speaks_and_finds_somebody_decides():
    ann, bob = (
        person("安"),
        person("包"),
    )
    rules = [
        rule("英文", Wants(people=(ann.id,)), languages=("en",)),
        rule("停用", Wants(people=(ann.id,)), active=False),
        rule("其余", Wants(people=(bob.id,))),
    ]
    assert chosen(case(language="en"), rules, [ann, bob]) == "安"
    assert chosen(case(), rules, [ann, bob]) == "包"
    assert choose(case(), rules[:1], [ann], DAY).rule == ""


@pytest.mark.parametrize(
    "conditions",
    [
        {"kinds": ("report",)}, {"groups": ("B",)}, {"funds": (uuid4(),)}, {"languages": ("en",)},
        {"channels": ("web",)}, {"sources": ("transfer",)},
    ],
)  # fmt: skip
def test_every_condition_can_keep_a_rule_silent(conditions):
    assert chosen(case(), [rule(**conditions)], [person("安")]) is None
    everything = {
        "kinds": ("complaint",), "groups": ("A",), "funds": (FUND,), "languages": ("zh",),
        "channels": ("email",), "sources": ("direct",),
    }  # fmt: skip
    assert chosen(case(), [rule(**everything)], [person("安")]) == "安"


@pytest.mark.parametrize(
    ("known", "wants", "why"),
    [
        ({"away": (DAY, DAY)}, Wants(), "away"),
        ({"away": (date(2026, 11, 1), None)}, Wants(), "away"),
        ({"load": 5, "most": 5}, Wants(), "full"),
        ({}, Wants(skills=("净值",)), "skill"),
        ({"languages": frozenset({"en"})}, Wants(speaks=True), "language"),
        ({"on_duty": False}, Wants(on_duty=True), "off_duty"),
        ({"department": "客服部"}, Wants(department="合规部"), "department"),
    ],
)
def test_whoever_does_not_fit_is_passed_over_with_the_reason(known, wants, why):
    unfit = person("安某", **known)
    found = choose(case(), [rule(wants=wants)], [unfit], DAY)
    assert found.person is None
    assert [(skip.name, skip.why) for skip in found.skipped] == [("安某", why)]
    assert why in SKIPS


def test_whoever_is_recused_or_named_never_gets_it_whatever_the_rule_says():
    walled, named, free = person("甲某"), person("乙某"), person("丙某", load=99)
    facts = case(walled=[walled.id], words="客户经理乙某说已经到账")
    only = rule(wants=Wants(people=(walled.id, named.id)))
    assert chosen(facts, [only], [walled, named, free]) is None
    found = choose(facts, [only, rule("其余")], [walled, named, free], DAY)
    assert found.person.name == "丙某"
    assert {(s.name, s.why) for s in found.skipped} == {("甲某", "walled"), ("乙某", "named")}


def test_somebody_back_from_leave_is_there_again():
    back = person("安", away=(date(2026, 11, 1), date(2026, 11, 25)))
    assert chosen(case(), [rule()], [back]) == "安"


def test_the_fewest_open_cases_then_the_longest_wait():
    early, late = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
    busy, waited, fresh = (
        person("甲", load=3), person("乙", load=1, last=late), person("丙", load=1, last=early),
    )  # fmt: skip
    assert chosen(case(), [rule()], [busy, waited, fresh]) == "丙"


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9)), max_size=8))
def test_no_order_of_people_gives_it_to_one_who_may_not(spec):
    people = [
        person(f"某{n}某", load=load, away=(DAY, None) if away else (None, None))
        for n, (_, away, load) in enumerate(spec)
    ]
    walled = [p.id for p, (is_walled, _, _) in zip(people, spec, strict=True) if is_walled]
    facts = case(walled=walled)
    found = choose(facts, [rule()], people, DAY)
    again = choose(facts, [rule()], people[::-1], DAY)
    assert (found.person and found.person.id) == (again.person and again.person.id)
    if found.person:
        assert found.person.id not in walled
        assert found.person.away == (None, None)
        free = [p for p, (w, away, _) in zip(people, spec, strict=True) if not w and not away]
        assert found.person.load == min(p.load for p in free)


def test_words_are_told_apart_by_either_scripts_marks():
    assert words("净值核算、英文函件, 净值核算；合规") == ("净值核算", "英文函件", "合规")
    assert words(" ，、 ") == ()
