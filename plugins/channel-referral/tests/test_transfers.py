"""A letter of transfer: registered with its own date, answered with proof, found again."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from huiyin.sdk import (
    Case,
    Conflict,
    Entry,
    Filing,
    Invalid,
    Source,
    TransferLetter,
    answer_transfer,
    barred_from_judging,
    complainant_actor,
    extend_transfer,
    file_complaint,
    find_case,
    now,
    receive_transfer,
    today,
    withdraw,
)
from huiyin_channel_referral import matters, panel, register, transfers
from huiyin_channel_referral.models import Transfer
from huiyin_channel_referral.register import Wanted
from huiyin_channel_referral.schemas import DraftForm, ReplyForm, TransferForm
from huiyin_channel_referral.terms import Way

from .conftest import CASES, DAY, HOME, PDF, STORY, follow, scan, text_of


def typed(**given):
    """What an officer types on the page."""
    facts = {
        "_key": "form-1", "source": "csrc", "body": "某证监局", "number": "演转〔1〕号",
        "received_at": today().isoformat(), "due_on": (today() + 9 * DAY).isoformat(),
        "story": STORY, "phone": "13900000000", "intake_type": "complaint",
    }  # fmt: skip
    return {**facts, **given}


FILE = {"files": ("转办函.pdf", PDF, "application/pdf")}


def sent(ctx, found, *, day=None, files=None, **given):
    form = ReplyForm(
        replied_on=day or today(), reply_way=Way.POST, reply_number="演复 1 号",
        reply_words="已受理并书面答复投资者", **given,
    )  # fmt: skip
    transfers.reply(ctx, found, form, found.row.rev, scan("回执.pdf") if files is None else files)


# -- registered on the page ------------------------------------------------------------------------


def test_a_letter_becomes_a_case_with_the_letters_own_date(on, web, actor, session):
    browser = web(actor)
    page = follow(browser, browser.post(f"{HOME}/transfers/new", typed(), files=FILE))
    assert "演转〔1〕号" in page.text
    case = session.scalars(select(Case)).one()
    assert (case.channel, case.source, case.transfer_number) == ("transfer", "csrc", "演转〔1〕号")
    row = session.scalars(select(Transfer)).one()
    assert row.due_on == row.target_on == today() + 9 * DAY
    assert case.letters_owed == (row.mark,)
    assert [scan["number"] for scan in row.scans] == ["E-01"]
    shown = browser.get(f"{CASES}/{case.number}")
    assert "转办函载明" in shown.text
    assert "0 个工作日" not in shown.text
    assert "回复转办单位" in text_of(shown)


def test_the_answer_is_recorded_with_proof_and_stops_this_clock_alone(
    on, web, actor, session, letter
):
    found = letter()
    browser, here = web(actor), f"{HOME}/transfers/{found.row.id}"
    answer = browser.post(
        f"{here}/reply",
        {"rev": "1", "replied_on": today().isoformat(), "reply_way": "post",
         "reply_number": "演复 1 号", "reply_words": "已书面答复投资者，附处理情况"},
        files={"files": ("回执.pdf", PDF, "application/pdf")},
    )  # fmt: skip
    page = text_of(follow(browser, answer))
    assert "已回复" in page
    assert "挂号信" in page
    session.expire_all()
    case = find_case(session, actor, found.case.number)
    assert case.letters_owed == ()
    assert case.next_due_kind != "transfer"
    assert case.next_due_at is not None  # the complainant still waits


def test_the_form_sent_twice_is_one_letter(on, web, actor, session):
    browser = web(actor)
    first = browser.post(f"{HOME}/transfers/new", typed(), files=FILE)
    again = browser.post(f"{HOME}/transfers/new", typed(), files=FILE)
    assert first.headers["location"] == again.headers["location"]
    assert session.scalar(select(func.count()).select_from(Transfer)) == 1
    other = browser.post(f"{HOME}/transfers/new", typed(number="演转〔2〕号"), files=FILE)
    assert other.status_code == 409
    assert "演转〔2〕号" in other.text


def test_the_form_sent_twice_at_the_same_moment_is_one_letter(on, web, actor, session):
    browsers = [web(actor) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda b: b.post(f"{HOME}/transfers/new", typed(), files=FILE), browsers)
        )
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert session.scalar(select(func.count()).select_from(Transfer)) == 1
    assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_two_answers_at_the_same_moment_are_one(on, web, actor, approver, letter, session):
    found = letter()
    fields = {
        "rev": "1", "replied_on": today().isoformat(), "reply_way": "post",
        "reply_words": "已书面答复投资者",
    }  # fmt: skip
    proof = {"files": ("回执.pdf", PDF, "application/pdf")}
    here = f"{HOME}/transfers/{found.row.id}/reply"
    with ThreadPoolExecutor(2) as pool:
        sent_both = list(
            pool.map(lambda b: b.post(here, fields, files=proof), [web(actor), web(approver)])
        )
    assert sorted(answer.status_code for answer in sent_both) == [303, 409]
    written = select(func.count()).where(Entry.verb == "answer_transfer")
    assert session.scalar(written) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"due_on": (today() - DAY).isoformat()}, "due_on"),
        ({"received_at": (today() + 2 * DAY).isoformat()}, "received_at"),
        ({"received_at": (today() - 60 * DAY).isoformat()}, "late_reason"),
        ({"letter_on": (today() + 2 * DAY).isoformat()}, "letter_on"),
        ({"no_reply": "on"}, "due_on"),
        ({"source": "direct"}, "source"),
        ({"story": "太短"}, "story"),
        ({"story": "", "case": "TS-1999-0001"}, "case"),
        ({"due_on": "2026-13-45"}, "due_on"),
        ({"phone": "", "email": ""}, "phone"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_the_input_stays(
    on, web, actor, session, given, field
):
    answer = web(actor).post(f"{HOME}/transfers/new", typed(**given), files=FILE)
    assert answer.status_code == 422, text_of(answer)
    assert f'id="f-{field}-e"' in answer.text
    assert "某证监局" in answer.text
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_all_that_is_wrong_is_said_at_once(on, web, actor, letter):
    letter()
    wrong = {"story": "短", "phone": "", "letter_on": (today() + DAY).isoformat()}
    answer = web(actor).post(f"{HOME}/transfers/new", typed(**wrong), files=FILE)
    for field in ("story", "phone", "letter_on", "number"):
        assert f'id="f-{field}-e"' in answer.text


def test_thirty_megabytes_and_one_byte_are_too_much(on, web, actor, session):
    big = {"files": ("扫描.pdf", PDF + b"0" * (30 * 1024 * 1024), "application/pdf")}
    answer = web(actor).post(f"{HOME}/transfers/new", typed(), files=big)
    assert answer.status_code == 422
    assert "超过 30 MB" in answer.text
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_late_letter_is_taken_with_its_reason(on, web, actor, session):
    came = today() - 60 * DAY
    given = {"received_at": came.isoformat(), "due_on": "", "late_reason": "前台误收，今日转来"}
    browser = web(actor)
    follow(browser, browser.post(f"{HOME}/transfers/new", typed(**given), files=FILE))
    row = session.scalars(select(Transfer)).one()
    assert row.received_on == came
    assert row.target_on < today()  # the firm's own target has passed
    page = text_of(browser.get(f"{HOME}/transfers?state=late"))
    assert "公司内部目标，函件未载明" in page


# -- several letters -------------------------------------------------------------------------------


def test_the_same_number_from_the_same_body_is_shown_and_not_joined(on, web, actor, letter):
    first = letter()
    browser = web(actor)
    answer = browser.post(f"{HOME}/transfers/new", typed(), files=FILE)
    assert answer.status_code == 422
    page = text_of(answer)
    assert first.case.number in page
    assert "确非同一函件" in page
    taken = browser.post(f"{HOME}/transfers/new", typed(not_same="on"), files=FILE)
    assert "还登记在" in text_of(follow(browser, taken))
    assert web(actor).get(f"{HOME}/transfers").text.count('<tr class="row">') == 2


def test_the_same_number_from_another_body_is_another_letter(letter):
    letter()
    assert letter(key="k2", source=Source.AMAC).row.source == "amac"


def test_a_duplicate_in_a_case_one_is_walled_from_is_not_shown(ctx_of, letter, session, actor):
    hidden = letter()
    hidden.case.walled = [actor.id]
    session.commit()
    form = TransferForm(
        source=Source.CSRC, number="演转〔1〕号", received_at=today(), story=STORY,
        phone="13900000001",
    )  # fmt: skip
    assert transfers.take(ctx_of(actor), form, "k2", ()).number == "演转〔1〕号"


def test_letters_about_a_known_case_each_keep_their_date(ctx_of, letter, case, actor, session):
    before = find_case(session, actor, case.number).next_due_at
    near = letter("k1", case=case.number, due_on=today() + 2 * DAY)
    far = letter("k2", case=case.number, source=Source.COURT, number="法函 3 号")
    session.expire_all()
    known = find_case(session, actor, case.number)
    assert known.letters_owed == (near.row.mark, far.row.mark)
    assert {near.case.id, far.case.id} == {case.id}
    sent(ctx_of(actor), register.find(ctx_of(actor), near.row.id))
    session.commit()
    known = find_case(session, actor, case.number)
    assert known.letters_owed == (far.row.mark,)
    assert before is not None
    assert register.find(ctx_of(actor), far.row.id).clock.due_on == today() + 9 * DAY


def test_a_letter_that_wants_no_answer_waits_for_none(ctx_of, letter, case, actor):
    found = letter(case=case.number, no_reply=True, due_on=None)
    assert (found.state, found.clock, found.case.letters_owed) == ("none", None, ())
    with pytest.raises(Conflict):
        sent(ctx_of(actor), found)


# -- the answer ------------------------------------------------------------------------------------


def test_a_draft_is_kept_and_nobody_writes_over_it(on, web, actor, approver, letter):
    found = letter()
    here = f"{HOME}/transfers/{found.row.id}"
    browser = web(actor)
    follow(browser, browser.post(f"{here}/draft", {"rev": "1", "draft": "第一稿：已核对流水"}))
    stale = web(approver).post(f"{here}/draft", {"rev": "1", "draft": "第二稿：另一种写法"})
    assert stale.status_code == 409
    assert "第二稿：另一种写法" in stale.text
    assert "第一稿：已核对流水" in stale.text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"day": today() + 2 * DAY}, "replied_on"),
        ({"day": today() - 5 * DAY}, "replied_on"),
        ({"files": ()}, "files"),
    ],
)
def test_an_answer_needs_a_possible_day_and_a_proof(ctx_of, letter, actor, given, field):
    with pytest.raises(Invalid) as wrong:
        sent(ctx_of(actor), letter(), **given)
    assert set(wrong.value.fields) == {field}


def test_an_answer_of_an_earlier_day_stops_the_clock_on_that_day(ctx_of, letter, actor):
    found = letter(received_at=today() - 8 * DAY, due_on=today() - 2 * DAY)
    assert found.late
    ctx = ctx_of(actor)
    sent(ctx, found, day=today() - 3 * DAY)
    answered = register.find(ctx, found.row.id)
    assert (answered.state, answered.late) == ("replied", False)


def test_an_answer_after_the_day_stays_late(ctx_of, letter, actor):
    found = letter(received_at=today() - 8 * DAY, due_on=today() - 2 * DAY)
    ctx = ctx_of(actor)
    sent(ctx, found)
    assert register.find(ctx, found.row.id).late


def test_an_answer_is_recorded_once(ctx_of, letter, actor):
    found = letter()
    sent(ctx_of(actor), found)
    with pytest.raises(Conflict):
        sent(ctx_of(actor), register.find(ctx_of(actor), found.row.id))


def test_somebody_elses_newer_version_is_not_written_over(ctx_of, letter, actor):
    found, ctx = letter(), ctx_of(actor)
    transfers.draft(ctx, found, DraftForm(draft="新稿"), 1)
    form = ReplyForm(replied_on=today(), reply_way=Way.FAX, reply_words="已书面答复")
    with pytest.raises(matters.SavedBefore):
        transfers.reply(ctx, found, form, 1, scan())


def test_more_pages_are_scanned_later(on, web, actor, letter):
    found = letter()
    browser, here = web(actor), f"{HOME}/transfers/{found.row.id}"
    sent_file = {"scans": ("第二页.pdf", PDF, "application/pdf")}
    assert "E-01" in follow(browser, browser.post(f"{here}/scans", {}, files=sent_file)).text
    empty = browser.post(f"{here}/scans", {}, files={"scans": ("", b"")})
    assert empty.status_code == 422
    assert 'id="f-scans-e"' in empty.text


def test_a_case_that_is_over_still_owes_its_sender_an_answer(
    on, web, actor, tenant, letter, session, ctx_of
):
    """The complainant took it back: the letter waits on, and its proof is filed all the same."""
    found = letter()
    withdraw(session, complainant_actor(tenant.id), found.case, "已自行解决")
    session.commit()
    late = letter("k2", case=found.case.number, number="演转〔2〕号", files=scan())
    assert late.case.state == "closed"
    ctx = ctx_of(actor)
    for one in (found, late):
        sent(ctx, register.find(ctx, one.row.id))
    session.commit()
    case = find_case(session, actor, found.case.number)
    assert (case.letters_owed, case.next_due_at) == ((), None)


def test_an_approver_who_answers_the_sender_still_judges_the_case(
    ctx_of, approver, letter, session
):
    found = letter()
    sent(ctx_of(approver), register.find(ctx_of(approver), found.row.id))
    session.commit()
    assert approver.id not in barred_from_judging(session, found.case)


# -- the register ----------------------------------------------------------------------------------


def test_targets_of_all_letters_follow_the_calendar(ctx_of, letter, actor, session, monkeypatch):
    monkeypatch.setattr(register, "PIECE", 2)
    made = [letter(f"k{n}", number=f"演转 {n} 号", due_on=None).row for n in range(5)]
    before = [row.target_on for row in made]
    for row in made:
        row.target_on = today() + 99 * DAY
    session.flush()
    register.refresh_targets(ctx_of(actor))
    assert [row.target_on for row in made] == before


def test_what_waits_stands_in_the_order_of_its_dates(ctx_of, letter, actor):
    days = {"k1": 9, "k2": 1, "k3": 5}
    for key, n in days.items():
        letter(key, number=f"演转 {n} 号", due_on=today() + n * DAY)
    ctx = ctx_of(actor)
    due = [found.row.due_on for found in register.listing(ctx, Wanted(state="owed"))]
    assert due == sorted(due)
    assert register.counts(ctx, "owed", "late")["owed"] == 3


@pytest.mark.parametrize("state", ["", "owed"])
def test_a_long_register_goes_on_by_its_key(ctx_of, letter, actor, state):
    made = {
        letter(f"k{n}", number=f"演转 {n} 号", due_on=today() + 4 * DAY).row.id for n in range(5)
    }
    ctx, seen, after = ctx_of(actor), [], ""
    for _ in range(3):
        found = register.listing(ctx, Wanted(state=state, after=after), most=2)
        seen += [one.row.id for one in found]
        after = register.after_of(found[-1])
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    ("query", "n"),
    [("", 2), ("source=csrc", 1), ("source=nobody", 2), ("q=协会", 1), ("q=%25", 0),
     ("state=replied", 0), ("state=rumour", 2), ("state=owed&source=amac", 1)],
)  # fmt: skip
def test_filters(on, web, actor, letter, query, n):
    letter("k1")
    letter("k2", source=Source.AMAC, body="某协会", number="协转 2 号")
    page = web(actor).get(f"{HOME}/transfers?{query}")
    assert page.text.count('<tr class="row">') == n
    assert page.status_code == 200


def test_nonsense_as_a_key_is_not_found(on, web, actor):
    assert web(actor).get(f"{HOME}/transfers?after=x").status_code == 404
    assert web(actor).get(f"{HOME}/transfers?after=2026-01-01~x").status_code == 404


def test_the_register_as_files_says_what_each_date_rests_on(on, web, actor, letter):
    letter("k1")
    letter("k2", source=Source.AMAC, number="=1+1", due_on=None)
    book = load_workbook(io.BytesIO(web(actor).get(f"{HOME}/transfers/export?as=xlsx").content))
    rows = list(book.active.values)
    assert [row[9] for row in rows[1:]] == ["公司制度", "转办函载明"]
    csv = web(actor).get(f"{HOME}/transfers/export?as=csv&source=csrc").content.decode("utf-8-sig")
    assert len(csv.strip().splitlines()) == 2
    whole = web(actor).get(f"{HOME}/transfers/export?as=csv").content.decode("utf-8-sig")
    assert ",=1+1" not in whole


def test_a_page_of_the_register_asks_a_fixed_number_of_times(ctx_of, letter, actor, queries):
    letter("k1")
    ctx = ctx_of(actor)
    queries.clear()
    register.listing(ctx, Wanted())
    few = len(queries)
    for n in range(2, 6):
        letter(f"k{n}", number=f"演转 {n} 号")
    queries.clear()
    register.listing(ctx, Wanted())
    assert len(queries) == few == 1


# -- a later day --


def extended(browser, found, rev=1, *, paper=True, **given):
    fields = {
        "rev": str(rev), "due_on": (today() + 20 * DAY).isoformat(),
        "granted_on": today().isoformat(), "extension_number": "演延 3 号",
        "reason": "案情复杂，同意延期", **given,
    }  # fmt: skip
    files = {"extension": ("同意延期.pdf", PDF, "application/pdf")} if paper else FILE
    return browser.post(f"{HOME}/transfers/{found.row.id}/extend", fields, files=files)


def test_the_sender_sets_a_later_day_and_the_first_one_stays_on_record(
    on, web, actor, letter, session, ctx_of, work
):
    found, other = letter(), letter("k2", number="另一函")
    browser = web(actor)
    page = text_of(follow(browser, extended(browser, found)))
    first, later = today() + 9 * DAY, today() + 20 * DAY
    for words in ("演延 3 号", "案情复杂，同意延期", str(first), str(later)):
        assert words in page
    work()
    session.expire_all()
    ctx = ctx_of(actor)
    known = register.find(ctx, found.row.id)
    assert known.row.due_on == known.row.target_on == known.clock.due_on == today() + 20 * DAY
    assert known.row.rev == 2
    (line,) = known.row.extensions
    assert (line["from"], line["by"]) == (str(today() + 9 * DAY), str(actor.id))
    assert len(line["scans"]) == 1
    assert register.find(ctx, other.row.id).clock.due_on == today() + 9 * DAY
    assert extended(browser, found).status_code == 409  # sent twice, it is done once
    again = follow(browser, extended(browser, found, 2, due_on=(today() + 30 * DAY).isoformat()))
    assert text_of(again).count("演延 3 号") == 2
    export = browser.get(f"{HOME}/transfers/export?as=csv").text
    assert f"{today() + 9 * DAY} → {today() + 20 * DAY}" in export


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"due_on": (today() + 9 * DAY).isoformat()}, "应晚于原期限"),
        ({"due_on": (today() + 2000 * DAY).isoformat()}, "三年以内"),
        ({"granted_on": (today() + 2 * DAY).isoformat()}, "不晚于今天"),
        ({"granted_on": (today() - 30 * DAY).isoformat()}, "应在收到函件之后"),
        ({"reason": "略"}, "延期理由"),
        ({"paper": False}, "请附转办单位同意延期的函件或记录"),
    ],
)
def test_a_later_day_that_cannot_be_is_said_at_its_field(
    on, web, actor, letter, session, given, words
):
    found = letter()
    answer = extended(web(actor), found, **given)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert 'value="演延 3 号"' in answer.text
    session.expire_all()
    assert session.get_one(Transfer, (session.tenant, found.row.id)).extensions == []


def test_a_letter_whose_day_stands_is_not_extended(
    on, web, actor, approver, letter, ctx_of, session
):
    late = letter(received_at=today() - 5 * DAY, due_on=today() - DAY)
    browser = web(actor)
    refused = extended(browser, late)
    assert (refused.status_code, "不改变届满日" in refused.text) == (422, True)
    undated = letter("k2", number="2 号", due_on=None)
    assert "转办单位同意延期" not in browser.get(f"{HOME}/transfers/{undated.row.id}").text
    assert extended(browser, undated).status_code == 409
    answered = letter("k3", number="3 号")
    sent(ctx_of(actor), answered)
    session.commit()
    assert extended(browser, answered, 2).status_code == 409
    open_ = letter("k4", number="4 号")
    assert extended(web(approver), open_).status_code == 404


def test_two_who_write_down_the_same_extension_do_it_once(on, web, actor, letter, session):
    found = letter()
    browsers = [web(actor), web(actor)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda browser: extended(browser, found).status_code, browsers))
    assert sorted(answers) == [303, 409]
    session.expire_all()
    assert len(session.get_one(Transfer, (session.tenant, found.row.id)).extensions) == 1


def test_a_later_day_recorded_elsewhere_stands_in_the_register(
    on, session, actor, letter, work, ctx_of
):
    found = letter()
    extend_transfer(
        session, actor, found.case.number, "演函", mark=found.row.mark,
        due_on=today() + 12 * DAY, granted_at=now(),
    )  # fmt: skip
    session.commit()
    work()
    session.expire_all()
    row = register.find(ctx_of(actor), found.row.id).row
    assert row.due_on == row.target_on == today() + 12 * DAY


# -- what comes in elsewhere -----------------------------------------------------------------------


def test_a_letter_registered_on_the_cases_own_page_stands_in_the_register(
    on, web, session, actor, work, ctx_of
):
    due = today() + timedelta(days=6)
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story=STORY, phone="13800000000",
               source=Source.HOTLINE_12386, transfer_number="热线 5 号", transfer_due=due),
    )  # fmt: skip
    session.commit()
    work()
    session.expire_all()
    known = find_case(session, actor, filed.number)
    assert [road.name for road in panel.roads_of(ctx_of(actor), known, [])] == ["phone"]
    assert "来路：电话" in text_of(web(actor).get(f"{CASES}/{filed.number}"))
    found = register.of_case(ctx_of(actor), known)
    assert [(one.row.number, one.row.due_on, one.row.mark) for one in found] == [
        ("热线 5 号", due, "")
    ]


def test_an_answer_on_the_cases_own_page_asks_for_its_proof_here(
    on, web, actor, letter, work, session, ctx_of
):
    found = letter()
    browser = web(actor)
    done = browser.post(
        f"{CASES}/{found.case.number}/do/answer_transfer",
        {"rev": str(found.case.version), "reason": "演复 9 号，已寄"},
    )
    assert done.status_code == 303, text_of(done)
    work()
    session.expire_all()
    known = register.find(ctx_of(actor), found.row.id)
    assert known.row.replied_on == today()
    assert "补登凭证" in text_of(browser.get(f"{HOME}/transfers/{found.row.id}"))
    sent(ctx_of(actor), known)
    assert [proof["number"] for proof in known.row.proofs] == ["E-01"]


def test_the_proof_of_an_answer_does_not_move_the_day_it_was_given(session, actor, letter, ctx_of):
    found = letter(received_at=today() - 5 * DAY, due_on=today() - 2 * DAY)
    answer_transfer(session, actor, found.case.number, "演复 9 号", mark=found.row.mark)
    session.commit()
    ctx = ctx_of(actor)
    known = register.find(ctx, found.row.id)
    assert known.late
    with pytest.raises(Invalid) as refused:
        sent(ctx, known, day=today() - 3 * DAY)
    assert set(refused.value.fields) == {"replied_on"}
    sent(ctx, known, day=today())
    assert known.row.replied_on == today() > known.row.target_on


def test_letters_that_others_registered_keep_their_own_facts(session, actor, case, on, work):
    for mark, source, days in (("m1", Source.CSRC, 3), ("m2", Source.AMAC, 1)):
        told = TransferLetter(
            mark=mark, source=source, number=f"{mark} 号", due_on=today() + days * DAY,
            received_at=now() - days * DAY,
        )  # fmt: skip
        receive_transfer(session, actor, case.number, told)
    session.commit()
    work()
    session.expire_all()
    rows = session.scalars(select(Transfer).order_by(Transfer.mark)).all()
    assert [(row.source, row.number, row.received_on) for row in rows] == [
        ("csrc", "m1 号", today() - 3 * DAY), ("amac", "m2 号", today() - DAY),
    ]  # fmt: skip


def test_cases_from_before_it_was_switched_on_are_taken_in_once(session, actor, ctx_of):
    file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story=STORY, phone="13800000000",
               source=Source.COURT),
    )  # fmt: skip
    ctx = ctx_of()
    assert register.adopt_all(ctx) == 1
    assert register.adopt_all(ctx) == 0
