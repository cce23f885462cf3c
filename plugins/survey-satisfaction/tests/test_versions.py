"""Answers of all versions are counted together, so what was published keeps its meaning."""

import msgspec
import pytest

from huiyin.sdk import Invalid
from huiyin_survey_satisfaction import (
    campaigns,
    continuity,
    designs,
    editing,
    questionnaires,
    responses,
    results,
)
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.designs import Design, Words
from huiyin_survey_satisfaction.editing import QuestionForm, SectionForm
from huiyin_survey_satisfaction.models import Campaign

from .conftest import STAFF, words_of

SOLVED = QuestionForm(kind="choice", title="解决了吗", options="yes｜是\nno｜否")


@pytest.fixture
def published(ctx):
    """A questionnaire of a rating and a choice, published once; and a second draft of it."""
    found = questionnaires.begin(ctx, "问卷", "Questionnaire", Design())
    made = editing.put_section(Design(), "", SectionForm(title="一"))
    made = editing.put_question(
        made, "s1", "", QuestionForm(kind="csat", title="总体满意吗", rating=True)
    )
    made = editing.put_question(made, "s1", "", SOLVED)
    draft = questionnaires.change(ctx, found, "1", lambda _: made)
    questionnaires.publish(ctx, found, str(draft.rev))
    questionnaires.draft_again(ctx, found)
    ctx.session.commit()
    return found


def draft_of(ctx, found):
    return questionnaires.versions(ctx, found)[0]


def test_the_code_of_a_question_that_was_dropped_is_never_given_again(
    published, ctx, supervisor, web, session, on
):
    browser = web(supervisor)
    at = f"{STAFF}/questionnaires/{published.id}"
    rev = draft_of(ctx, published).rev
    drop = {"rev": str(rev), "code": "q2", "do": "drop"}
    assert browser.post(f"{at}/arrange", drop).status_code == 303
    new = {"rev": str(rev + 1), "kind": "scale", "title": "快吗"}
    assert browser.post(f"{at}/sections/s1/questions/new", new).status_code == 303
    session.expire_all()
    design = designs.read(draft_of(ctx, published).design)
    assert [q.code for q in design.questions()] == ["q1", "q3"]
    assert browser.post(f"{at}/publish", {"rev": str(rev + 2)}).status_code == 303


def test_a_code_never_published_is_free_again(published, ctx):
    known = questionnaires.known(ctx, published)
    design = designs.read(draft_of(ctx, published).design)
    for _ in range(2):
        more = editing.put_question(design, "s1", "", SOLVED, known)
        assert [q.code for q in more.questions()][-1] == "q3"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "nps"}, "题型不能改"),
        ({"kind": "choices", "options": "yes｜是\nno｜否"}, "题型不能改"),
        ({"options": "yes｜否\nno｜是"}, "选项 yes 发布过，是「是」"),
        ({"options": "yes｜是\nno｜不知道"}, "选项 no 发布过，是「否」"),
    ],
)
def test_what_was_published_is_not_turned_into_something_else(
    published, ctx, supervisor, web, on, fields, said
):
    browser = web(supervisor)
    at = f"{STAFF}/questionnaires/{published.id}/questions/q2"
    assert "这道题发布过" in words_of(browser.get(at))
    form = {"rev": "1", "kind": "choice", "title": "解决了吗", "options": "yes｜是\nno｜否"}
    refused = browser.post(at, {**form, **fields})
    assert refused.status_code == 422
    assert said in words_of(refused)


def test_wording_english_order_and_more_options_may_change(published, ctx):
    known = questionnaires.known(ctx, published)
    form = QuestionForm(
        kind="choice", title="问题解决了吗", title_en="Solved?", options="*否\n是\n不知道"
    )
    design = designs.read(draft_of(ctx, published).design)
    changed = editing.put_question(design, "", "q2", form, known)
    made = changed.question("q2")
    assert [(o.code, o.words.zh, o.low) for o in made.options] == [
        ("no", "否", True), ("yes", "是", False), ("o3", "不知道", False),
    ]  # fmt: skip


def test_an_option_that_was_dropped_keeps_its_code_for_itself(published, ctx):
    """Over three versions, and also when the form gives no codes."""
    known = continuity.known_of(
        [
            {"sections": [{"code": "s1", "questions": [
                {"code": "q2", "kind": "choice", "title": {"zh": "题"}, "options": [
                    {"code": code, "words": {"zh": words}} for code, words in options]}]}]}
            for options in ([("o1", "甲"), ("o2", "乙")], [("o1", "甲"), ("o3", "丙")])
        ]
    )  # fmt: skip
    form = QuestionForm(kind="choice", title="题", options="丁\n戊\n乙")
    made = editing.question_of(form, "q2", known["q2"])
    assert [(o.code, o.words.zh) for o in made.options] == [
        ("o4", "丁"),
        ("o5", "戊"),
        ("o2", "乙"),
    ]


def test_a_draft_that_reuses_a_code_is_not_published(published, ctx):
    """However it came to be: by an older edition of this editor, or by two drafts at once."""
    draft = draft_of(ctx, published)

    def reuse(design):
        without = editing.drop(design, "q2")
        return editing.put_question(without, "s1", "", QuestionForm(kind="scale", title="快吗"))

    draft = questionnaires.change(ctx, published, str(draft.rev), reuse)
    with pytest.raises(Invalid) as refused:
        questionnaires.publish(ctx, published, str(draft.rev))
    assert "题型不能改" in str(refused.value.fields)


# -- results of what was mixed before ----------------------------------------------------------


@pytest.fixture
def mixed(published, ctx, invite, respondents, session, on):
    """A survey in whose second version q2 became something else, as was once possible."""

    def make(first, second, answers):
        old = questionnaires.versions(ctx, published)[1]
        forced(ctx, old, first)
        form = CampaignForm(title="调查", questionnaire=str(published.id), naming="signed")
        campaign = campaigns.save(ctx, form)
        campaigns.start(ctx, campaign.id)
        session.commit()
        for token in invite(campaign, 20):
            person = respondents()
            base = person.begin(token)
            person.post(f"{base}/1", q1="5", **answers[0])
        draft = draft_of(ctx, published)
        forced(ctx, draft, second)
        draft.state, draft.published_at, draft.published_by = "published", ctx.now(), ctx.actor.id
        session.flush()
        campaigns.use_newer(ctx, campaign)
        session.commit()
        (token,) = invite(campaign, 1, prefix="late")
        person = respondents()
        person.post(f"{person.begin(token)}/1", q1="1", **answers[1])
        session.expire_all()
        return session.get_one(Campaign, (ctx.tenant.id, campaign.id))

    return make


def forced(ctx, version, form):
    made = msgspec.structs.replace(editing.question_of(form, "q2"), title=Words("第二题"))
    design = designs.read(version.design)
    (section,) = design.sections
    section = msgspec.structs.replace(section, questions=(section.questions[0], made))
    version.design = designs.written(msgspec.structs.replace(design, sections=(section,)))
    ctx.session.flush()


MIXES = [
    (SOLVED, QuestionForm(kind="scale", title="题"), ({"q2": "yes"}, {"q2": "2"}), 1),
    (
        QuestionForm(kind="nps", title="题"),
        QuestionForm(kind="scale", title="题"),
        ({"q2": "10"}, {"q2": "2"}),
        1,
    ),
    (
        SOLVED,
        QuestionForm(kind="choices", title="题", options="yes｜是\nno｜否"),
        ({"q2": "yes"}, {"q2": "yes"}),
        21,
    ),
    (
        QuestionForm(kind="matrix", title="题", options="a｜甲\nb｜乙"),
        QuestionForm(kind="csat", title="题"),
        ({"q2-a": "4", "q2-b": "5"}, {"q2": "3"}),
        1,
    ),
]


@pytest.mark.parametrize(("first", "second", "answers", "n"), MIXES)
def test_what_does_not_fit_is_not_counted_and_no_page_fails(
    mixed, ctx, supervisor, web, first, second, answers, n
):
    campaign = mixed(first, second, answers)
    _, read = results.of_campaign(ctx, campaign)
    (part,) = [part for part in read.parts if part.question.code == "q2"]
    assert part.n == n
    browser = web(supervisor)
    for tab in ("results", "cross", "cross?across=q2&down=q1", "texts", "export.csv"):
        assert browser.get(f"{STAFF}/campaigns/{campaign.id}/{tab}").status_code == 200, tab
    _, rows = responses.export(ctx, campaign)
    told = [row[-1] for row in rows]
    assert sum(bool(cell) for cell in told) == 1, "an answer to another question is not among them"


def test_an_option_of_an_older_version_is_read_by_its_words(mixed, ctx):
    fewer = QuestionForm(kind="choice", title="题", options="no｜否\nmaybe｜也许")
    campaign = mixed(SOLVED, fewer, ({"q2": "yes"}, {"q2": "maybe"}))
    _, read = results.of_campaign(ctx, campaign)
    assert [(bar.value, bar.n) for bar in read.parts[-1].bars] == [("no", 0), ("maybe", 1)]
    _, rows = responses.export(ctx, campaign)
    assert sorted(row[-1] for row in rows) == sorted(["是"] * 20 + ["也许"])
