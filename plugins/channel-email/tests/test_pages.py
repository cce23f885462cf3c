"""来件 in the browser: who sees it, and where an officer puts it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.evidence.models import EvidenceFile
from huiyin.intake.models import Arrival
from huiyin.kit import jail
from huiyin.testing.web import run_jobs

from .conftest import STORY, mail

HOME = "/t/qinghe/w/arrivals"


@pytest.fixture
def officer(make_actor, web):
    return web(make_actor("complaint_officer", name="沈若溪"))


@pytest.fixture
def waiting(deliver):
    """An arrival that nobody could recognise, after one that is a case."""
    deliver(mail())
    return deliver(mail("另外一件事", message_id="<2@x>", subject="另一只基金"))


def now_of(session, arrival):
    session.expire_all()
    return session.get_one(Arrival, (session.tenant, arrival.id))


def case(session):
    return session.scalars(select(Case).order_by(Case.number).limit(1)).one()


def test_what_waits_is_listed_with_its_reason_and_counted(officer, waiting):
    page = officer.get(HOME)
    assert page.status_code == 200
    assert "另一只基金" in page.text
    assert "发件人有未办结的投诉" in page.text
    assert re.search(r'href="/t/qinghe/w/arrivals"[^>]*>.*?<span class="n hot">1</span>', page.text)
    placed = officer.get(f"{HOME}?tab=placed")
    assert "赎回款没有到账" in placed.text
    assert "另一只基金" not in placed.text


def test_its_page_shows_the_words_and_the_candidates(officer, waiting, session):
    page = officer.get(f"{HOME}/{waiting.id}")
    assert "另外一件事" in page.text
    assert f'value="case:{case(session).number}"' in page.text


def test_an_officer_adds_it_to_a_case(officer, waiting, session):
    number = case(session).number
    fields = {"rev": waiting.version, "to": f"case:{number}"}
    answer = officer.post(f"{HOME}/{waiting.id}", fields)
    assert answer.headers["location"] == f"/t/qinghe/w/cases/{number}"
    arrival = now_of(session, waiting)
    assert (arrival.state, arrival.reason, arrival.settled_name) == ("joined", "decided", "沈若溪")
    assert "另外一件事" in officer.get(f"/t/qinghe/w/cases/{number}").text


def test_an_officer_makes_it_a_case_of_its_own(officer, waiting, session):
    officer.post(f"{HOME}/{waiting.id}", {"rev": waiting.version, "to": "new"})
    arrival = now_of(session, waiting)
    made = session.get_one(Case, (session.tenant, arrival.case_id))
    assert (arrival.state, made.story) == ("filed", "另外一件事")
    assert made.received_at == arrival.received_at


@pytest.fixture
def with_files(deliver):
    deliver(mail())
    message = mail("另外一件事", message_id="<2@x>", subject="另一只基金")
    message.add_attachment(b"%PDF-1.7 y", maintype="application", subtype="pdf", filename="合.pdf")
    return deliver(message)


def files_of(session, arrival):
    rows = select(EvidenceFile.name).where(EvidenceFile.case_id == arrival.case_id)
    return session.scalars(rows.order_by(EvidenceFile.number)).all()


@pytest.mark.parametrize("to", ["new", "case"])
def test_nothing_is_read_while_the_officer_waits(
    officer, with_files, session, place, monkeypatch, to
):
    def reads(*_given, **_named):
        raise AssertionError

    path, number = f"{HOME}/{with_files.id}", case(session).number
    with monkeypatch.context() as request:
        request.setattr(jail, "run", reads)
        page = officer.post(path, {"rev": with_files.version, "to": to, "number": number})
        assert page.status_code == 303
    arrival = now_of(session, with_files)
    before = files_of(session, arrival)
    assert "合.pdf" not in before
    assert len([name for name in before if name.endswith(".eml")]) == (1 if to == "new" else 2)
    run_jobs(place)
    assert files_of(session, arrival) == [*before, "合.pdf"]


def test_files_of_a_case_that_ended_in_between_are_filed_too(officer, with_files, session, place):
    officer.post(f"{HOME}/{with_files.id}", {"rev": with_files.version, "to": "new"})
    arrival = now_of(session, with_files)
    ended = session.get_one(Case, (session.tenant, arrival.case_id))
    ended.state, ended.outcome, ended.closed_at = "closed", "archived", arrival.received_at
    session.commit()
    run_jobs(place)
    assert "合.pdf" in files_of(session, arrival)


def test_what_cannot_be_read_just_now_is_taken_out_later(
    officer, with_files, session, place, monkeypatch
):
    def busy(*_given, **_named):
        raise jail.Broken("time")

    officer.post(f"{HOME}/{with_files.id}", {"rev": with_files.version, "to": "new"})
    with monkeypatch.context() as request:
        request.setattr(jail, "run", busy)
        run_jobs(place)
    arrival = now_of(session, with_files)
    assert "合.pdf" not in files_of(session, arrival)
    run_jobs(place, ahead=timedelta(hours=2))
    assert files_of(session, arrival).count("合.pdf") == 1


def test_an_officer_puts_it_aside_with_a_reason_and_takes_it_up_again(officer, waiting, session):
    path = f"{HOME}/{waiting.id}"
    refused = officer.post(path, {"rev": waiting.version, "to": "nothing"})
    assert refused.status_code == 422
    assert "请写明为什么不需要处理" in refused.text
    officer.post(path, {"rev": waiting.version, "to": "nothing", "reason": "广告"})
    arrival = now_of(session, waiting)
    assert (arrival.state, arrival.note) == ("ignored", "广告")
    officer.post(path, {"rev": arrival.version, "to": "new"})
    assert now_of(session, waiting).state == "filed"


def test_a_number_that_is_none_keeps_what_was_typed(officer, waiting):
    fields = {"rev": waiting.version, "to": "case", "number": "QH-2026-9999", "reason": "来电确认"}
    answer = officer.post(f"{HOME}/{waiting.id}", fields)
    assert answer.status_code == 422
    assert "没有找到这件投诉" in answer.text
    assert 'value="QH-2026-9999"' in answer.text
    assert "来电确认" in answer.text


def test_two_officers_decide_once(officer, waiting, session):
    fields = {"rev": waiting.version, "to": "new"}
    officer.post(f"{HOME}/{waiting.id}", fields)
    late = officer.post(f"{HOME}/{waiting.id}", {**fields, "to": "nothing", "reason": "广告"})
    assert late.status_code == 409
    assert "刚刚已有去向" in late.text
    assert len(session.scalars(select(Case)).all()) == 2


def test_the_original_is_the_bytes_as_they_came(officer, deliver):
    arrival = deliver(mail())
    answer = officer.get(f"{HOME}/{arrival.id}/original")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content == mail().as_bytes()


def test_markup_of_a_stranger_is_text(officer, deliver):
    bad = '<script>alert(1)</script>"><img src=x onerror=y>'
    arrival = deliver(mail(bad, subject=bad, sender=f'"{bad[:25]}" <a@b.cn>'))
    for path in (f"{HOME}?tab=placed", f"{HOME}/{arrival.id}"):
        page = officer.get(path)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


@pytest.mark.parametrize("role", ["investigator", "tenant_admin", "executive_viewer"])
def test_others_have_no_such_page(make_actor, web, waiting, role):
    person = web(make_actor(role))
    for path in (HOME, f"{HOME}/{waiting.id}", f"{HOME}/{waiting.id}/original"):
        assert person.get(path).status_code == 404
    assert person.post(f"{HOME}/{waiting.id}", {"rev": 1, "to": "new"}).status_code == 404


def test_another_firm_has_no_such_arrival(make_tenant, make_actor, web, waiting, session):
    there = make_tenant("yuancen")
    officer = web(make_actor("complaint_officer", of=there))
    for path in ("", "/original"):
        assert officer.get(f"/t/yuancen/w/arrivals/{waiting.id}{path}").status_code == 404
    fields = {"rev": waiting.version, "to": "new"}
    assert officer.post(f"/t/yuancen/w/arrivals/{waiting.id}", fields).status_code == 404
    assert now_of(session, waiting).state == "waiting"


def test_whoever_is_complained_about_does_not_see_what_belongs_to_the_case(
    officer, deliver, session, make_actor, web
):
    arrival = deliver(mail())
    known = case(session)
    named = make_actor("complaint_officer", name="被投诉人")
    known.walled = [named.id]
    session.commit()
    browser = web(named)
    assert "赎回款没有到账" not in browser.get(f"{HOME}?tab=placed").text
    assert browser.get(f"{HOME}/{arrival.id}").status_code == 404
    asked = deliver(mail("另外一件事", message_id="<2@x>", subject="另一只基金"))
    page = browser.get(f"{HOME}/{asked.id}")
    assert known.number not in page.text


def test_the_list_goes_on_by_key(officer, deliver, session):
    first = deliver(mail())
    for n in range(60):
        session.add(
            Arrival(
                channel="email", key=f"k{n}", raw_key=first.raw_key, raw_sha256="", raw_size=1,
                state="ignored", reason="bulk", subject=f"第 {n:02d} 封", reading={},
                candidates=[], envelope={},
            )
        )  # fmt: skip
    session.commit()
    page = officer.get(f"{HOME}?tab=aside")
    more = re.search(r'href="(\?tab=aside[^"]+)"[^>]*rel="next"', page.text)
    rest = officer.get(HOME + more[1].replace("&amp;", "&"))
    shown = set(re.findall(r"第 \d\d 封", page.text)) | set(re.findall(r"第 \d\d 封", rest.text))
    assert len(shown) == 60


def test_the_list_asks_as_often_for_one_as_for_fifty(officer, deliver, session, queries):
    first = deliver(mail())

    def asked():
        queries.clear()
        assert officer.get(f"{HOME}?tab=aside").status_code == 200
        return len(queries)

    officer.get(HOME)
    counts = [asked()]
    for n in range(50):
        session.add(
            Arrival(
                channel="email", key=f"k{n}", raw_key=first.raw_key, raw_sha256="", raw_size=1,
                state="ignored", reason="bulk", reading={}, candidates=[], envelope={},
            )
        )  # fmt: skip
    session.commit()
    counts.append(asked())
    assert counts[0] == counts[1] <= 6, STORY
