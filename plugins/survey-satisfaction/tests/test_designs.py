"""Questionnaires: what may be published, what is shown, what a score is made of."""

import msgspec
import pytest

from huiyin.sdk import Invalid
from huiyin_survey_satisfaction import designs, editing
from huiyin_survey_satisfaction.designs import Condition, Design, Option, Question, Section, Words
from huiyin_survey_satisfaction.editing import QuestionForm, SectionForm
from huiyin_survey_satisfaction.library import library
from huiyin_survey_satisfaction.wording import QuestionKind


def question(code, kind="choice", when=None, **given):
    options = given.pop("options", (Option("a", Words("甲", "A")), Option("b", Words("乙", "B"))))
    return Question(code, QuestionKind(kind), Words(f"题 {code}", code), options=options, when=when,
                    **given)  # fmt: skip


def design(*questions):
    return Design(sections=(Section("s1", questions=questions),))


def said(made):
    return " ".join(str(fault) for fault in designs.faults(made))


@pytest.mark.parametrize("code", library())
def test_what_is_in_the_library_can_be_published_and_is_english_too(code):
    ready = library()[code]
    assert designs.faults(ready.design) == []
    for q in ready.design.questions():
        assert q.title.en, q.code
        assert all(option.words.en for option in q.options), q.code
    assert ready.title.en
    assert ready.use.en


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Design(), "至少加入一道题"),
        (design(question("q1", when=Condition("q1", ("a",)))), "只能引用它前面的题目"),
        (
            design(
                question("q1", when=Condition("q2", ("a",))),
                question("q2", when=Condition("q1", ("a",))),
            ),
            "只能引用它前面的题目",
        ),
        (design(question("q1"), question("q2", when=Condition("q1", ("z",)))), "没有的选项"),
        (design(question("q1"), question("q2", when=Condition("q1", ()))), "没有选值"),
        (design(question("q1"), question("q1")), "重复"),
        (design(question("q1", options=())), "至少要有两个选项"),
        (design(question("q1", kind="matrix", options=())), "至少要有一个分项"),
        (design(question("q1", kind="text", rating=True, options=())), "不是打分题"),
        (
            design(question("q1", "csat", rating=True), question("q2", "nps", rating=True)),
            "只能有一道题作为总评分",
        ),
        (design(msgspec.structs.replace(question("q1"), title=Words("你好 {who}"))), "没有的内容"),
        (design(msgspec.structs.replace(question("q1"), title=Words("长" * 301))), "超过 300 字"),
        (Design(sections=(Section("s1"), Section("s2", questions=(question("q1"),)))), "没有题目"),
        (design(*(question(f"q{n}") for n in range(61))), "请精简"),
    ],
)
def test_what_cannot_be_published_is_told(made, words):
    assert words in said(made)
    with pytest.raises(Invalid):
        designs.check(designs.faults(made))


def test_a_condition_of_a_page_cannot_look_ahead_either():
    made = Design(
        sections=(
            Section("s1", questions=(question("q1"),), when=Condition("q2", ("a",))),
            Section("s2", questions=(question("q2"),)),
        )
    )
    assert "只能引用它前面的题目" in said(made)


def test_pages_and_questions_follow_what_was_answered():
    made = Design(
        sections=(
            Section("s1", questions=(question("q1"), question("q2", when=Condition("q1", ("a",))))),
            Section("s2", questions=(question("q3"),), when=Condition("q2", ("b",))),
        )
    )

    def codes(answers):
        return [q.code for _, questions in designs.pages(made, answers) for q in questions]

    assert codes({}) == ["q1"]
    assert codes({"q1": "a"}) == ["q1", "q2"]
    assert codes({"q1": "a", "q2": "b"}) == ["q1", "q2", "q3"]
    # An answer to what is hidden now opens nothing.
    assert codes({"q1": "b", "q2": "b"}) == ["q1"]
    assert designs.kept(made, {"q1": "b", "q2": "b", "q3": "a"}) == {"q1": "b"}


@pytest.mark.parametrize(
    ("kind", "value", "points"),
    [
        ("csat", "1", 0), ("csat", "5", 100), ("csat", "3", 50), ("nps", "0", 0), ("nps", "7", 70),
        ("ces", "7", 100), ("ces", "4", 50), ("matrix", {"a": "5", "b": "1"}, 50),
        ("csat", "", None), ("matrix", {}, None),
    ],
)  # fmt: skip
def test_points_go_from_nought_to_a_hundred(kind, value, points):
    assert designs.points(question("q1", kind), value) == points


def test_the_rating_question_makes_the_score():
    made = design(question("q1", "csat"), question("q2", "nps", rating=True))
    assert designs.score(made, {"q1": "1", "q2": "9"}) == 90
    assert designs.score(made, {}) is None


# -- editing -----------------------------------------------------------------------------------


def test_options_are_written_one_a_line_and_read_back():
    text = "yes｜是｜Yes\n*no|否|No\n也许"
    options = editing.options_of(text)
    assert [(o.code, o.words.zh, o.words.en, o.low) for o in options] == [
        ("yes", "是", "Yes", False), ("no", "否", "No", True), ("o3", "也许", "", False),
    ]  # fmt: skip
    assert editing.options_of(editing.written_options(options)) == options


@pytest.mark.parametrize("text", ["YES｜是", "a｜b｜c｜d", "｜是", "a｜"])
def test_an_option_that_cannot_be_read_names_its_line(text):
    with pytest.raises(Invalid) as refused:
        editing.options_of(f"ok｜好\n{text}")
    assert "2" in str(refused.value.fields["options"])


def test_pages_and_questions_are_added_moved_and_removed():
    made = editing.put_section(Design(), "", SectionForm(title="服务"))
    made = editing.put_section(made, "", SectionForm(title="其他"))
    for title in ("一", "二"):
        made = editing.put_question(made, "s1", "", QuestionForm(kind="csat", title=title))
    assert [q.code for q in made.questions()] == ["q1", "q2"]
    assert [q.code for q in editing.move(made, "q2", -1).questions()] == ["q2", "q1"]
    assert editing.move(made, "q1", -1) == made
    assert [s.code for s in editing.move(made, "s2", -1).sections] == ["s2", "s1"]
    assert [q.code for q in editing.drop(made, "q1").questions()] == ["q2"]
    assert [s.code for s in editing.drop(made, "s1").sections] == ["s2"]
