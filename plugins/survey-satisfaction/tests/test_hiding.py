"""What is too small to be shown is not shown by another page either, nor by subtraction."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huiyin_survey_satisfaction import (
    counting,
    crossing,
    designs,
    hiding,
    responses,
    results,
    sheets,
)
from huiyin_survey_satisfaction.models import Campaign, Version

from .conftest import STAFF, words_of


# A machine at work may take a second for one example, which says nothing about the rule.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 30), max_size=8), st.integers(2, 12))
def test_what_is_hidden_is_nothing_or_enough_or_everything(sizes, least):
    hidden = hiding.small(sizes, least)
    assert all(size >= least for name, size in sizes.items() if size and name not in hidden)
    together = sum(sizes[name] for name in hidden)
    everything = hidden == {name for name, size in sizes.items() if size}
    assert together == 0 or together >= least or everything


@pytest.fixture
def filled(ask, invite, system, session, on, monkeypatch):
    """A survey with answers by product: (product, signed, overall, solved) for each."""

    monkeypatch.setattr(sheets, "CROWD", 1)  # so that a ballot names the smallest product

    def fill(*groups, **named):
        campaign = ask(**named)
        for at, (product, n, signed, overall, solved) in enumerate(groups):
            for token in invite(campaign, n, segment=product, prefix=f"g{at}p"):
                asked = sheets.by_token(system, token)
                if signed:
                    sheets.begin_signed(system, asked, "zh")
                    filling = sheets.signed(system, asked)
                else:
                    ballot = sheets.turn_in(system, asked, "zh")
                    filling = sheets.unsigned(system, ballot, make=True)
                answers = {"overall": overall, "solved": solved, "words": f"{product}的话"}
                sheets.save(filling, list(answers), answers)
                sheets.finish(system, filling)
        counting.count_unsigned(system, campaign, final=True)
        session.commit()
        session.expire_all()
        return session.get_one(Campaign, (system.tenant.id, campaign.id))

    return fill


def questions(ctx, campaign):
    version = ctx.session.get_one(Version, (ctx.tenant.id, campaign.version_id))
    design = designs.read(version.design)
    return design.question("overall"), design.question("solved")


LONE = (("甲产品", 12, True, "5", "yes"), ("乙产品", 12, True, "4", "yes"),
        ("丙产品", 1, False, "1", "no"))  # fmt: skip


def test_a_product_with_one_answer_is_in_no_row_of_its_own(filled, ctx, web, make_actor):
    campaign = filled(*LONE)
    officer = web(make_actor("complaint_officer"))
    at = f"{STAFF}/campaigns/{campaign.id}"
    shown = words_of(officer.get(f"{at}/cross"))
    assert "丙产品" not in shown
    assert "其余合计" in shown
    overall, _ = questions(ctx, campaign)
    table = crossing.cross(ctx, campaign, overall, None)
    assert (len(table.rows), table.rows[-1], table.n) == (2, results.REST, 25)
    assert sum(table.cells[-1]) == 13, "with the smaller of the others: nothing is left over"


def test_what_a_product_of_one_said_is_not_the_whole_less_the_others(filled, ctx, web, supervisor):
    campaign = filled(("甲产品", 24, True, "5", "yes"), ("丙产品", 1, False, "1", "no"))
    _, read = results.of_campaign(ctx, campaign)
    assert read.hidden == {"甲产品", "丙产品"}
    assert [mean for _, _, mean in read.segments] == [None, None]
    for product in ("甲产品", "丙产品"):
        _, alone = results.of_campaign(ctx, campaign, product)
        assert (alone.parts, alone.low, alone.score) == ((), None, None)
    page = web(supervisor).get(f"{STAFF}/campaigns/{campaign.id}/results").text
    assert "?product=" not in page


@pytest.mark.parametrize("turned", [False, True])
def test_in_a_survey_with_unsigned_answers_no_row_nor_column_is_of_one(filled, ctx, turned):
    campaign = filled(
        ("", 10, False, "5", "yes"), ("", 10, False, "4", "partly"), ("", 1, False, "1", "no")
    )
    pair = questions(ctx, campaign)
    across, down = reversed(pair) if turned else pair
    table = crossing.cross(ctx, campaign, across, down)
    rows = [sum(cells) for cells in table.cells]
    columns = [sum(cells) for cells in zip(*table.cells, strict=True)]
    assert sum(rows) == sum(columns) == table.n == 21
    assert all(n == 0 or n >= 5 for n in (*rows, *columns))
    assert results.REST in table.rows
    assert results.REST in table.columns


def test_a_signed_survey_crosses_its_questions_whole(filled, ctx):
    campaign = filled(
        ("甲产品", 20, True, "5", "yes"), ("甲产品", 1, True, "1", "no"), naming="signed"
    )
    overall, solved = questions(ctx, campaign)
    table = crossing.cross(ctx, campaign, overall, solved)
    assert results.REST not in table.rows
    assert [sum(cells) for cells in table.cells][:2].count(20) == 1


def test_an_unsigned_answer_alone_in_its_product_is_exported_and_read_without_it(
    filled, ctx, web, supervisor
):
    campaign = filled(
        ("甲产品", 8, False, "5", "yes"), ("丙产品", 6, False, "3", "yes"),
        ("丁产品", 1, False, "1", "no"), ("丁产品", 3, True, "2", "no"),
    )  # fmt: skip
    _, rows = responses.export(ctx, campaign)
    told = [(row[1], row[3]) for row in rows]
    assert told.count(("甲产品", "不记名")) == 8
    assert told.count(("", "不记名")) == 7, "the one, and six beside whom it is not found"
    assert told.count(("丁产品", "记名")) == 3
    read, _ = responses.texts(ctx, campaign)
    assert sorted({t.segment for t in read if t.answer.words == "丁产品的话"}) == ["", "丁产品"]
    assert {t.segment for t in read if t.answer.words == "丙产品的话"} == {""}


def test_groups_of_few_asked_are_put_together_where_answers_may_be_unsigned(
    filled, ctx, api, supervisor
):
    groups = (("甲产品", 12, True, "5", "yes"), ("乙产品", 11, True, "5", "yes"),
              ("丙产品", 1, True, "5", "yes"))  # fmt: skip
    campaign = filled(*groups)
    _, shown, _ = results.response(ctx, campaign)
    assert [(g.name, g.asked) for g in shown] == [("_rest", 12), ("甲产品", 12)]
    root = "/api/v1/p/qinghe/x/survey-satisfaction/campaigns"
    told = api(supervisor).get(f"{root}/{campaign.id}/results").json()
    assert {group["name"] for group in told["groups"]} == {"_rest", "甲产品"}
    signed = filled(*groups, naming="signed")
    _, shown, _ = results.response(ctx, signed)
    assert len(shown) == 3


def test_a_handful_of_unsigned_answers_does_not_say_how_many_are_dissatisfied(
    filled, ctx, api, supervisor
):
    campaign = filled(("", 3, False, "1", "no"))
    (line,) = results.overview(ctx, [campaign])
    assert (line.n, line.low) == (3, None)
    _, read = results.of_campaign(ctx, campaign)
    assert (read.n, read.low) == (3, None)
