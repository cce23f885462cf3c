"""Staff pages: who sees them, what they take, how many queries they ask, both languages, off."""

import io
import re

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text

from huiyin.sdk import uuid7
from huiyin_survey_satisfaction import campaigns, counting, designs, questionnaires, sheets, tokens
from huiyin_survey_satisfaction.models import (
    Answer,
    Campaign,
    Invitation,
    Questionnaire,
    Response,
    Version,
)

from .conftest import STAFF, words_of

FORM = {
    "title": "年度调查", "trigger": "periodic", "naming": "anonymous", "source": "list",
    "quota": "0", "every_months": "0", "wait_days": "0", "valid_days": "30", "rest_days": "90",
    "reminders": "1", "remind_days": "7",
}  # fmt: skip


@pytest.fixture
def browser(web, supervisor, on):
    return web(supervisor)


@pytest.fixture
def filled(ask, invite, system, session, on):
    """A survey with so many signed and unsigned answers."""

    def fill(n, *, unsigned=0, overall=None, words="太慢了", **given):
        campaign = ask(**given)
        invite(campaign, n + unsigned, segment="稳进三号")
        mine = select(Invitation).where(Invitation.campaign_id == campaign.id)
        asked = session.scalars(mine.order_by(Invitation.id)).all()
        for index, one in enumerate(asked):
            found = sheets.by_token(system, tokens.token_of(system.tenant.id, one.id))
            if index < n:
                sheets.begin_signed(system, found, "zh")
                filling = sheets.signed(system, found)
            else:
                filling = sheets.unsigned(system, sheets.turn_in(system, found, "zh"), make=True)
            value = str(overall or 1 + index % 5)
            answers = {"overall": value, "solved": "yes", "words": words}
            sheets.save(filling, list(answers), answers)
            sheets.finish(system, filling)
        counting.count_unsigned(system, campaign, final=True)
        session.commit()
        return campaign

    return fill


def pages_of(campaign):
    at = f"/campaigns/{campaign.id}"
    questionnaire = f"/questionnaires/{campaign.questionnaire_id}"
    return {
        "manage": [at, f"{at}/invitations", "/campaigns/new", "/questionnaires", questionnaire,
                   f"{questionnaire}/preview", "/questionnaires/library/yearly"],
        "results": ["/", f"{at}/results", f"{at}/response", f"{at}/cross"],
        "answers": [f"{at}/texts", f"{at}/export.csv", f"{at}/export.xlsx"],
        "review": ["/reviews"],
    }  # fmt: skip


HELD = {
    "supervisor": {"manage", "results", "answers", "review"},
    "approver": {"manage", "results", "answers", "review"},
    "complaint_officer": {"results"},
    "executive_viewer": {"results"},
    "investigator": set(),
    "tenant_admin": set(),
}


@pytest.mark.parametrize("role", HELD)
def test_each_role_sees_its_pages_and_no_others(role, ask, web, make_actor, on):
    campaign = ask()
    browser = web(make_actor(role))
    for permission, paths in pages_of(campaign).items():
        wanted = 200 if permission in HELD[role] else 404
        for path in paths:
            assert browser.get(f"{STAFF}{path}").status_code == wanted, path


def test_another_firm_finds_nothing(ask, web, make_actor, make_tenant, place, engine, on):
    from huiyin.testing.factories import tenant_session  # noqa: PLC0415

    from .conftest import switch  # noqa: PLC0415

    campaign = ask()
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as theirs:
        switch(theirs, other, active=True)
    place.host.forget()
    stranger = web(make_actor("supervisor", of=other))
    there = STAFF.replace("qinghe", "yuancen")
    for paths in pages_of(campaign).values():
        for path in paths:
            if str(campaign.id) in path or str(campaign.questionnaire_id) in path:
                assert stranger.get(f"{there}{path}").status_code == 404, path


def test_off_there_is_no_trace_and_on_again_nothing_is_lost(
    filled, browser, off, public, invite, session
):
    campaign = filled(3)
    (token,) = invite(campaign, 1, prefix="late")
    off()
    for paths in pages_of(campaign).values():
        for path in paths:
            assert browser.get(f"{STAFF}{path}").status_code == 404
    assert public.get(f"/p/qinghe/survey/{token}").status_code == 404
    assert "满意度" not in browser.get("/t/qinghe/w/help").text
    off(active=True)
    assert "3" in words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/results"))
    assert public.get(f"/p/qinghe/survey/{token}").status_code == 200


def test_switched_off_in_between_the_invitation_waits_and_is_sent_once_on_again(
    ask, case, system, work, off, on, mailbox, session
):
    from huiyin.sdk import Event  # noqa: PLC0415
    from huiyin_survey_satisfaction import plugin  # noqa: PLC0415

    ask()
    plugin.on_event(system, Event(uuid7(), "case.closed", case().id, {}))
    session.commit()
    off()
    work()
    assert mailbox.mails == []
    off(active=True)
    session.execute(text("UPDATE job SET due_at = now() WHERE state = 'queued'"))
    session.commit()
    work()
    assert len(mailbox.mails) == 1


def asking(browser, queries, path):
    """How many statements a page sends; now and then one more reads what is remembered briefly."""
    queries.clear()
    assert browser.get(f"{STAFF}{path}").status_code == 200
    return len(queries)


def test_pages_ask_the_same_number_of_queries_whatever_there_is(filled, browser, queries):
    counts = []
    for n in (1, 10, 50):
        campaign = filled(n, overall=1)
        asked = [
            min(asking(browser, queries, path) for _ in range(3))
            for paths in pages_of(campaign).values()
            for path in paths
        ]
        counts.append(asked)
    assert counts[0] == counts[1] == counts[2]
    assert max(counts[0]) <= 12


def test_few_answers_are_counts_alone(filled, browser):
    campaign = filled(19)
    shown = words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/results"))
    assert "回答不足 20 份" in shown
    assert "%" not in shown.replace("均为 95%", "")
    assert "均值 " not in shown.replace("均值用", "").replace("均值和", "")


@pytest.mark.parametrize(
    ("n", "naming", "seen"), [(4, "choice", False), (4, "signed", True), (5, "choice", True)]
)
def test_a_handful_is_not_shown_question_by_question(filled, browser, n, naming, seen):
    campaign = filled(n, naming=naming)
    at = f"{STAFF}/campaigns/{campaign.id}/results"
    assert ("您对这次处理满意吗" in words_of(browser.get(at))) is seen
    assert ("您对这次处理满意吗" in words_of(browser.get(f"{at}?product=稳进三号"))) is (n >= 5)


def test_enough_answers_have_intervals(filled, browser):
    campaign = filled(20)
    shown = words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/results"))
    assert "4 · 20%" in shown
    assert "(8–42)" in shown  # Wilson for 4 of 20
    assert "平均得分 50.0" in shown


def test_tallies_are_what_the_answers_say(filled, session):
    campaign = filled(23, unsigned=7)
    rows = session.execute(
        select(Answer.question, Answer.value).where(Answer.campaign_id == campaign.id)
    ).all()
    tallied = {
        (question, value): n
        for question, value, n in session.execute(
            text(
                "SELECT question, value, n FROM plugin_survey_satisfaction__tally"
                " WHERE cut = 'all' AND question NOT LIKE '\\_%'"
            )
        )
    }
    counted = {}
    for question, value in rows:
        if value:
            counted[(question, value)] = counted.get((question, value), 0) + 1
    assert tallied == counted
    assert session.scalars(
        text("SELECT n FROM plugin_survey_satisfaction__tally WHERE cut='all' AND question='_all'")
    ).one() == 30  # fmt: skip


def test_a_cross_table_is_counted_and_tested_and_hidden_when_small(filled, browser):
    campaign = filled(30)
    at = f"{STAFF}/campaigns/{campaign.id}/cross?down=solved&across=overall"
    shown = words_of(browser.get(at))
    assert "已解决 6 6 6 6 6 30" in shown
    assert "不作检验" in shown


def test_a_small_cross_table_is_not_shown(filled, browser):
    campaign = filled(19)
    at = f"{STAFF}/campaigns/{campaign.id}/cross?down=solved&across=overall"
    assert "可能让人认出个人" in words_of(browser.get(at))


def test_texts_have_themes_that_can_be_put_right(filled, browser, session):
    campaign = filled(2)
    at = f"{STAFF}/campaigns/{campaign.id}/texts"
    assert "时效" in words_of(browser.get(f"{at}?theme=speed"))
    one = session.scalars(select(Answer).where(Answer.words != "")).first()
    assert browser.post(f"{at}/{one.id}", {"theme": ["fees", "nonsense"]}).status_code == 303
    session.expire_all()
    assert session.get(Answer, (one.tenant_id, one.id)).themes == ["fees"]
    assert browser.post(f"{at}/{uuid7()}", {"theme": "fees"}).status_code == 404


def test_an_export_holds_no_formula_no_name_and_no_time(filled, browser):
    campaign = filled(2, unsigned=1, words="=HYPERLINK(1)")
    at = f"{STAFF}/campaigns/{campaign.id}/export"
    csv = browser.get(f"{at}.csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in csv
    assert "投资者0" not in csv
    assert not re.search(r"\d\d:\d\d", csv)
    book = load_workbook(io.BytesIO(browser.get(f"{at}.xlsx").content))
    cells = [c for row in book.active.iter_rows() for c in row]
    assert all(c.data_type != "f" for c in cells)
    assert sum(c.value == "不记名" for c in cells) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_are_whole_in_both_languages(filled, browser, language):
    campaign = filled(25)
    for paths in pages_of(campaign).values():
        for path in paths:
            page = browser.get(f"{STAFF}{path}?lang={language}")
            if "html" not in page.headers["content-type"]:
                continue
            assert page.text.count("<h1") == 1, path
            assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:", page.text), path
            if language == "en":
                shown = re.sub(
                    r"<textarea.*?</textarea>|<pre.*?</pre>", "", page.text, flags=re.DOTALL
                )
                main = words_of(type("A", (), {"text": shown}))
                for known in (
                    "投诉处理满意度",
                    "太慢了",
                    "稳进三号",
                    "投资者",
                    "中文",
                    "何书宁",
                    "年度投资者满意度调查",
                    "何*宁",
                ):
                    main = main.replace(known, "")
                main = re.sub(r"投\*\d+|资\*\d", "", main)
                assert not re.search(r"[\u4e00-\u9fff]{3,}", main), (path, main)


# -- the designer ------------------------------------------------------------------------------


def test_a_questionnaire_is_built_published_and_never_changed_after(browser, session):
    made = browser.post(f"{STAFF}/questionnaires/take", {"code": ""})
    at = made.headers["location"]
    assert browser.post(f"{at}/publish", {"rev": "1"}).status_code == 422
    page = {"rev": "1", "title": "服务", "title_en": "Service"}
    assert browser.post(f"{at}/sections/new", page).status_code == 303
    question = {"rev": "2", "kind": "choice", "title": "满意吗", "options": "yes｜是｜Yes"}
    assert browser.post(f"{at}/sections/s1/questions/new", question).status_code == 303
    assert "至少要有两个选项" in words_of(browser.post(f"{at}/publish", {"rev": "3"}))
    question |= {"rev": "3", "options": "yes｜是｜Yes\n*no｜否｜No", "required": "on"}
    assert browser.post(f"{at}/questions/q1", question).status_code == 303
    assert browser.post(f"{at}/publish", {"rev": "4"}).status_code == 303
    assert browser.post(f"{at}/questions/q1", {**question, "rev": "5"}).status_code == 409
    version = session.scalars(select(Version)).one()
    (kept,) = designs.read(version.design).questions()
    assert (kept.required, kept.options[1].low) == (True, True)
    assert browser.post(f"{at}/draft").status_code == 303
    assert len(session.scalars(select(Version)).all()) == 2


def test_two_people_at_one_draft_do_not_overwrite_each_other(browser, ctx, session):
    made = questionnaires.take(ctx, "after_case")
    session.commit()
    at = f"{STAFF}/questionnaires/{made.id}"
    move = {"rev": "1", "code": "more", "do": "up"}
    assert browser.post(f"{at}/arrange", move).status_code == 303
    assert browser.post(f"{at}/arrange", move).status_code == 409


WRITTEN = "写了很久的一段话，不能丢失"
STALE = (
    ("/head", {"title": WRITTEN, "intro": "开头"}),
    ("/sections/more", {"title": WRITTEN, "title_en": "More"}),
    ("/questions/overall", {"kind": "csat", "title": WRITTEN}),
    ("/sections/more/questions/new", {"kind": "text", "title": WRITTEN}),
)


@pytest.mark.parametrize(("path", "fields"), STALE)
def test_a_draft_somebody_else_changed_keeps_what_was_typed(
    browser, web, approver, ctx, session, path, fields
):
    made = questionnaires.take(ctx, "after_case")
    session.commit()
    at = f"{STAFF}/questionnaires/{made.id}"
    first = {**fields, "title": "同事先保存的题面", "rev": "1"}
    assert web(approver).post(at + path, first).status_code == 303
    page = browser.post(at + path, {**fields, "rev": "1"})
    assert page.status_code == 409
    assert "您填写的内容还在" in words_of(page)
    assert f'value="{WRITTEN}"' in page.text
    assert 'name="rev" value="2"' in page.text
    if not path.endswith("new"):
        assert "其他人已保存为：</span>同事先保存的题面" in page.text
    assert browser.post(at + path, {**fields, "rev": "2"}).status_code == 303


@pytest.mark.parametrize(("path", "fields"), STALE)
def test_a_draft_somebody_else_published_keeps_what_was_typed(browser, ctx, session, path, fields):
    made = questionnaires.take(ctx, "after_case")
    session.commit()
    at = f"{STAFF}/questionnaires/{made.id}"
    assert browser.post(f"{at}/publish", {"rev": "1"}).status_code == 303
    page = browser.post(at + path, {**fields, "rev": "1"})
    assert page.status_code == 409
    assert "请先建立新版本" in words_of(page)
    assert f"{WRITTEN}</textarea>" in page.text


def test_the_settings_of_a_survey_are_not_saved_over_those_of_a_colleague(
    browser, web, approver, ask
):
    campaign = ask(start=False)
    at = f"{STAFF}/campaigns/{campaign.id}/edit"
    seen = re.search(r'name="rev" value="(\w+)"', browser.get(at).text)[1]
    form = {**FORM, "questionnaire": str(campaign.questionnaire_id), "rev": seen}
    assert web(approver).post(at, {**form, "title": "同事的名称"}).status_code == 303
    page = browser.post(at, {**form, "title": WRITTEN})
    assert page.status_code == 409
    assert f'value="{WRITTEN}"' in page.text
    assert "其他人已保存为：</span>同事的名称" in page.text
    newest = re.search(r'name="rev" value="(\w+)"', page.text)[1]
    assert browser.post(at, {**form, "title": WRITTEN, "rev": newest}).status_code == 303
    assert WRITTEN in browser.get(at).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "csat", "title": ""}, "请填写题面"),
        ({"kind": "spell", "title": "题"}, "请从给出的选项中选择"),
        ({"kind": "choice", "title": "题", "options": "X Y｜a｜b｜c"}, "代码｜中文｜English"),
        ({"kind": "choice", "title": "题", "options": ""}, "请填写选项或分项"),
        ({"kind": "text", "title": "长" * 301}, "最多 300 个字"),
    ],
)
def test_a_question_that_cannot_be_kept_is_told_at_its_field(browser, ctx, session, fields, said):
    made = questionnaires.take(ctx, "after_case")
    session.commit()
    answer = browser.post(
        f"{STAFF}/questionnaires/{made.id}/sections/more/questions/new", {"rev": "1", **fields}
    )
    assert answer.status_code == 422
    assert said in words_of(answer)


# -- campaigns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "请写一个名称"),
        ({"questionnaire": "x"}, "请选择一份已发布的问卷"),
        ({"trigger": "case.eaten"}, "请从给出的选项中选择"),
        ({"quota": "-1"}, "0 到 10000"),
        ({"valid_days": "0"}, "1 到 180"),
        ({"naming": "masked"}, "请从给出的选项中选择"),
    ],
)
def test_a_survey_that_cannot_be_kept_is_told_at_its_field(browser, ctx, session, fields, said):
    made = questionnaires.take(ctx, "yearly")
    questionnaires.publish(ctx, made, "1")
    session.commit()
    form = {**FORM, "questionnaire": str(made.id), **fields}
    answer = browser.post(f"{STAFF}/campaigns/new", form)
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert session.scalars(select(Campaign)).all() == []


def test_a_survey_once_begun_is_not_changed_nor_begun_again(browser, ask):
    campaign = ask(trigger="case.closed")
    at = f"{STAFF}/campaigns/{campaign.id}"
    form = {**FORM, "questionnaire": str(campaign.questionnaire_id)}
    assert browser.post(f"{at}/edit", form).status_code == 409
    assert browser.post(f"{at}/start").status_code == 409
    assert browser.post(f"{at}/end").status_code == 303
    assert browser.post(f"{at}/end").status_code == 409


def test_a_new_version_is_used_from_then_on(browser, ask, ctx, session):
    campaign = ask()
    found = session.get_one(Questionnaire, (ctx.tenant.id, campaign.questionnaire_id))
    questionnaires.draft_again(ctx, found)
    questionnaires.publish(ctx, found, "1")
    session.commit()
    at = f"{STAFF}/campaigns/{campaign.id}"
    assert "改用第 2 版" in words_of(browser.get(at))
    assert browser.post(f"{at}/newer").status_code == 303
    session.expire_all()
    key = (ctx.tenant.id, campaigns.find(ctx, campaign.id).version_id)
    assert session.get_one(Version, key).number == 2
    assert browser.post(f"{at}/newer").status_code == 409


def test_the_responses_of_a_survey_are_never_updated(session, engine):
    granted = session.execute(
        text(
            "SELECT has_table_privilege(current_user, 'plugin_survey_satisfaction__response',"
            " 'UPDATE')"
        )
    ).scalar_one()
    assert granted is False
    assert Response.__grants__ == "SELECT, INSERT, DELETE"
