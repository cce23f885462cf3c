"""From a closed case to an explained score, by clicking: the plugins that make a firm learn.

On the demonstration, with a mail server that keeps what it is sent: an approver closes a case, its
complainant answers on a telephone and is not content, somebody else finds out why, whoever handled
the case is trained, and the score of that person says what it is made of.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import pytest

from huiyin.testing.mail import Sink

from .conftest import PASSWORD, House, Visitor, chromium, serving, short_home

FIRM = "qinghe"
# Archived by hand here; the demonstration leaves it one step before.
TITLE = "分红到账金额与公告不符"
CAUSE = "RC5-3"  # no course of the demonstration is for it, the one made here is
ATTEMPTS = 240  # a quarter of a second each, for what jobs do; nothing depends on how long it took


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Sink]:
    with Sink().running() as sink:
        yield sink


@pytest.fixture(scope="module")
def demo(mailbox: Sink) -> Iterator[House]:
    settings = {
        "HUIYIN_DEMO_PASSWORD": PASSWORD, "HUIYIN_SMTP_URL": mailbox.url,
        "HUIYIN_MAIL_FROM": "letters@qinghe.test",
    }  # fmt: skip
    with (
        short_home() as home,
        serving(home, "demo", **settings) as address,
        chromium() as browser,
    ):
        yield House(browser, address, tenant=FIRM, domain="demo")


def until(page: Visitor, condition: Callable[[], bool], what: str) -> None:
    for _ in range(ATTEMPTS):
        if condition():
            return
        page.page.wait_for_timeout(250)
    raise AssertionError(f"waited in vain for {what}")


def test_a_low_score_becomes_a_lesson(demo: House, mailbox: Sink) -> None:
    admin = demo.colleague("admin", scripts=True)
    make_course(admin)

    before = len(mailbox.mails)
    number = archive(demo.colleague("approver", scripts=True))
    investor = demo.phone()
    answer_badly(investor, link_in(investor, mailbox, since=before))

    conclude(demo.colleague("supervisor", scripts=True), number)
    learner = demo.colleague("investigator2", scripts=True)
    learn(learner)
    until(learner, lambda: scored(demo), "the round to be counted")
    explained(demo)
    assert admin.complaints == learner.complaints == []
    assert len(investor.complaints) == 1, "that of the link that was used up, and no other"


def staff(path: str) -> str:
    return f"/t/{FIRM}/w/x/{path}"


# -- beforehand: a course for a cause ------------------------------------------------------------


def make_course(admin: Visitor) -> None:
    admin.go(staff("training-records/manage/courses/new"))
    admin.fill(code="KC-90", title="清算与分红通知怎样写", aim="通知写明计算基数")
    admin.page.locator("main [name=valid_months]").fill("12")
    admin.page.locator("main details summary", has_text="对应根因").click()
    admin.page.locator(f"main [name=causes][value='{CAUSE}']").check()
    admin.press("保存课程")
    if "draft" not in admin.page.url:
        admin.go(f"{admin.page.url.removeprefix(admin.address)}/draft")
    admin.choose(kind="文字")
    admin.fill(title="要点", body="分红短信写明份额基数、每份金额与差额来源。")
    admin.press("添加材料")
    box = admin.page.locator("details", has_text="添加题目")
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    box.locator("[name=kind]").select_option(label="判断")
    box.locator("[name=text]").fill("分红短信可以不写份额基数")
    box.locator("[name=options]").fill("错误")
    admin.press("添加题目")
    admin.fill(draw="1", pass_mark="100", attempts="2")
    admin.press("保存规则")
    admin.press("发布版本")
    admin.reads("清算与分红通知怎样写")


# -- the case, the mail, the answer --------------------------------------------------------------


def archive(approver: Visitor) -> str:
    """The case's number, which depends on the day on which the demonstration is seeded."""
    approver.go(f"/t/{FIRM}/w/cases?stage=archive")
    number = approver.page.locator("tr.row", has_text=TITLE).locator(".id").inner_text()
    approver.go(f"/t/{FIRM}/w/cases/{number}")
    box = approver.page.locator("#nba .gates details", has_text="保存期限")
    if box.count():
        if box.get_attribute("open") is None:
            box.locator("summary").click()
        box.locator("textarea").fill("按公司制度保存二十年")
        with approver.page.expect_navigation():
            box.get_by_role("button", name="记录").click()
    approver.link("归档并封存")
    approver.press("归档并封存")
    approver.reads("已办结")
    return number


def link_in(person: Visitor, mailbox: Sink, *, since: int) -> str:
    def links() -> list[str]:
        texts = [mail.get_body().get_content() for mail in mailbox.parsed()[since:]]
        return [found[0] for text in texts if (found := re.search(r"http\S+/survey/\S+", text))]

    until(person, lambda: bool(links()), "the mail with the link")
    assert len(links()) == 1
    return links()[0]


def answer_badly(investor: Visitor, link: str) -> None:
    """Every question to its worst, on a telephone, one page after the other."""
    page = investor.page
    page.goto(link)
    assert page.locator("main :checked").count() == 0, "nothing is chosen beforehand"
    page.get_by_role("radio", name=re.compile("^记名")).check()
    investor.press("开始作答")
    for _ in range(12):
        if page.url.endswith("/done"):
            break
        for name in dict.fromkeys(
            box.get_attribute("name") for box in page.locator("main [type=radio]").all()
        ):
            asked = page.locator(f"main [type=radio][name='{name}']")
            worst = asked.and_(page.locator("[value='1']"))
            (worst if worst.count() else asked).last.check()
        for area in page.locator("main textarea").all():
            area.fill("短信没有写明份额基数，问了三次才弄清楚")
        button = page.locator("main").get_by_role("button", name=re.compile("继续|提交"))
        with page.expect_navigation():
            button.first.click()
        assert page.locator("#errors").count() == 0, page.locator("#errors").inner_text()
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{page.url} is wider than a telephone"
    investor.reads("谢谢")
    again = page.goto(link)
    assert again is not None
    assert again.status == 410, "once is once"
    assert page.locator("main form").count() == 0


# -- the review, the training, the score ---------------------------------------------------------


def conclude(supervisor: Visitor, number: str) -> None:
    supervisor.go(staff("survey-satisfaction/reviews"))
    row = supervisor.page.locator("tr.row", has_text=number)
    until(supervisor, lambda: bool(supervisor.page.reload() and row.count()), "the review")
    with supervisor.page.expect_navigation():
        row.get_by_role("link").first.click()
    supervisor.reads("短信没有写明份额基数", "复核结论")
    supervisor.fill(finding="分红短信没有写明份额基数，电话里三次说法不一")
    supervisor.page.locator("main [name=cause]").select_option(CAUSE)
    supervisor.page.locator("main [name=training]").check()
    supervisor.press("提交复核结论")
    supervisor.go(staff("survey-satisfaction/reviews?state=concluded"))
    with supervisor.page.expect_navigation():
        row.get_by_role("link").first.click()
    supervisor.reads("短信没有写明份额基数", "电话里三次说法不一", "何书宁")
    supervisor.go(staff("scoring-incentive/rounds/new"))
    supervisor.fill(title="办结之后的一轮")
    days = "new Date(Date.now() - {} * 864e5).toISOString().slice(0, 10)"
    supervisor.fill(
        since=supervisor.page.evaluate(days.format(360)),
        until=supervisor.page.evaluate(days.format(2)),
    )
    supervisor.press("开始计算")


def learn(learner: Visitor) -> None:
    learner.go(staff("training-records/"))
    line = learner.page.locator("main li", has_text="清算与分红通知怎样写")
    until(learner, lambda: bool(learner.page.reload() and line.count()), "the assignment")
    assert "案件根因" in line.first.inner_text()
    with learner.page.expect_navigation():
        line.get_by_role("link").first.click()
    here = learner.page.url.removeprefix(learner.address)
    learner.link("要点")
    learner.reads("份额基数")
    learner.press("确认已学习")
    learner.go(here)
    learner.press("开始测验")
    learner.page.get_by_role("radio", name="错", exact=True).check()
    learner.press("提交答卷")
    learner.reads("及格")
    learner.go(here)
    learner.link("去签署")
    learner.fill(name="贺文清")
    learner.page.locator("main [name=agree]").check()
    learner.press("签署并完成")
    learner.reads("已完成")
    with learner.page.expect_download() as waiting:
        learner.page.get_by_role("link", name="下载证书").first.click()
    assert waiting.value.path().read_bytes().startswith(b"%PDF-")


def round_of(person: Visitor) -> None:
    person.go(staff("scoring-incentive/rounds"))
    with person.page.expect_navigation():
        person.page.locator("tr.row", has_text="办结之后的一轮").get_by_role("link").first.click()


def scored(demo: House) -> bool:
    supervisor = demo.colleague("supervisor", scripts=True)
    round_of(supervisor)
    done = "计算" not in supervisor.page.locator("main h1").inner_text().replace("办结之后", "")
    supervisor.context.close()
    return done


def explained(demo: House) -> None:
    """Signed by one, published by another; then everybody scored reads what it is made of."""
    for login, button in (("supervisor", "签署得分"), ("approver2", "公布得分")):
        person = demo.colleague(login, scripts=True)
        round_of(person)
        person.press(button)
    learner = demo.colleague("investigator2", scripts=False)
    round_of(learner)
    learner.link("看说明")
    learner.reads(
        "得分构成", "方案一次通过", "投资者评分", "培训按期完成",
        "期内办结的投诉中，本人拟定的方案未被驳回的比例", "依据", "案件 TS-",
    )  # fmt: skip
    case = learner.page.locator("main a[href*='/w/cases/']").first
    with learner.page.expect_navigation():
        case.click()
    learner.reads("时间轴")


def test_the_plugins_of_a_firm_are_not_those_of_its_neighbour(demo: House) -> None:
    neighbour = House(demo.browser, demo.address, tenant="yuancen", domain="demo")
    person = neighbour.colleague("supervisor", scripts=False)
    person.go("/t/yuancen/w")
    shown = person.page.content()
    for word in ("满意度调查", "培训管理", "法规自查", "激励"):
        assert word not in shown
    for path in ("survey-satisfaction/", "training-records/", "checklist-regulatory/"):
        answer = person.page.goto(f"{demo.address}/t/yuancen/w/x/{path}")
        assert answer is not None
        assert answer.status == 404
    assert os.environ.get("HUIYIN_SMTP_URL") is None, "only the served demonstration mails"
