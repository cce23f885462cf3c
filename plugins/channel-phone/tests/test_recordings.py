"""Recordings: kept with their hash, played in the page, evidence once there is a case."""

import re

import pytest
from sqlalchemy import select

from huiyin.evidence.models import EvidenceFile
from huiyin.evidence.service import reconcile
from huiyin.ledger.models import LedgerEntry
from huiyin.testing.web import run_jobs
from huiyin_channel_phone import recordings
from huiyin_channel_phone.models import Recording

from .conftest import HOME, NUMBER, STORY, calls_in, sha256, sound

TYPED = {"number": NUMBER, "story": STORY, "told": "on"}
CONSENT = "接通时已播放录音提示"


@pytest.fixture
def upload(browser):
    def run(call, name, data, consent=CONSENT):
        return browser.post(
            f"{HOME}/calls/{call.id}/recordings", {"consent": consent},
            files={"file": (name, data, "audio/wav")},
        )  # fmt: skip

    return run


@pytest.fixture
def logged(browser, session):
    """``logged(to=…)``: a call that was written down."""

    def run(**fields):
        path = browser.post(f"{HOME}/calls/new", {"number": NUMBER}).headers["location"]
        answer = browser.post(path, {**TYPED, **fields})
        assert answer.status_code == 303, answer.text
        key = answer.headers["location"].rpartition("/")[2]
        return next(call for call in calls_in(session) if str(call.id) == key)

    return run


def held(session):
    session.expire_all()
    return session.scalars(select(Recording).order_by(Recording.at)).all()


def files(session):
    session.expire_all()
    return session.scalars(select(EvidenceFile)).all()


def test_of_a_call_on_a_case_it_is_evidence(browser, upload, logged, session, make_case, officer):
    filed = make_case(officer)
    call = logged(to=f"case:{filed.number}")
    name, data = sound()
    assert upload(call, name, data).status_code == 303
    (row,), (file,) = held(session), files(session)
    assert (row.evidence_id, row.blob_key) == (file.id, "")
    assert file.sha256 == row.sha256 == sha256(data)
    assert CONSENT in file.note
    assert file.case_id == filed.case_id
    page = browser.get(f"{HOME}/calls/{call.id}").text
    assert row.sha256 in page
    assert "案件证据" in page
    assert name in browser.get(f"/t/qinghe/w/cases/{filed.number}/evidence").text
    assert "有录音" in browser.get(f"/t/qinghe/w/cases/{filed.number}").text


def test_it_becomes_evidence_when_its_call_is_added_to_a_case(
    browser, upload, tell, session, place, site
):
    call = tell(answered=True, seconds=12)
    name, data = sound()
    upload(call, name, data)
    (row,) = held(session)
    assert row.evidence_id is None
    key = row.blob_key
    assert site.blobs.exists(key)
    path = browser.post(f"{HOME}/calls/{call.id}/complete").headers["location"]
    assert browser.post(path, {**TYPED, "to": "new"}).status_code == 303
    (row,), (file,) = held(session), files(session)
    assert (row.evidence_id, row.blob_key, file.sha256) == (file.id, "", sha256(data))
    run_jobs(place)
    assert not site.blobs.exists(key)
    assert reconcile(session, site.blobs) == 0


def test_it_is_heard_in_the_page_and_each_hearing_is_written_down(
    browser, upload, logged, session, make_case, officer
):
    call = logged(to=f"case:{make_case(officer).number}")
    name, data = sound()
    upload(call, name, data)
    page = browser.get(f"{HOME}/calls/{call.id}").text
    src = re.search(r'<audio controls preload="none" src="([^"]+)"', page)[1]
    answer = browser.get(src)
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert [line["act"] for line in files(session)[0].custody] == ["add", "read"]
    policy = browser.get(f"{HOME}/calls/{call.id}").headers["content-security-policy"]
    assert "media-src 'self'" in policy


def test_of_no_case_the_hearing_is_in_the_ledger(browser, upload, logged, session):
    call = logged(to="enquiry", answer="已说明")
    upload(call, *sound())
    (row,) = held(session)
    path = f"{HOME}/calls/{call.id}/recordings/{row.id}"
    assert browser.get(path).status_code == 200
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert kinds.count("channel_phone:recording_read") == 1


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, None),
        ("bytes=100-199", 100, 199),
        ("bytes=0-1", 0, 1),
        ("bytes=5-99999999", 5, None),
    ],
)
def test_a_player_may_ask_for_a_piece(browser, upload, logged, session, asked, first, last):
    call = logged(to="enquiry", answer="已说明")
    _, data = sound()
    upload(call, "a.wav", data)
    path = f"{HOME}/calls/{call.id}/recordings/{held(session)[0].id}"
    answer = browser.get(path, headers={"Range": asked})
    end = len(data) - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.content == data[first : end + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{end}/{len(data)}"
    assert answer.headers["content-length"] == str(end - first + 1)


@pytest.mark.parametrize(
    "asked", ["", "bytes=9-5", "bytes=99999999-", "rows=1-2", "bytes=-5", "bytes=0-1,4-5"]
)
def test_other_pieces_are_the_whole(asked):
    assert recordings.span(asked, 1000) is None


def test_what_is_no_recording_is_refused_and_what_was_typed_stays(upload, logged, session):
    call = logged(to="enquiry", answer="已说明")
    _, data = sound()
    for name, bad in (
        ("a.wav", b"MZ" + data), ("a.exe", data), ("a.html", b"<script>x</script>"),
        ("a.wav", b"#!/bin/sh\n"), ("a.pdf", b"%PDF-1.7"), ("a.wav", b"RIFFxxxxWEBP"),
    ):  # fmt: skip
        answer = upload(call, name, bad)
        assert answer.status_code == 422, name
        assert "只接收 WAV、MP3、M4A 或 AMR 录音" in answer.text
        assert CONSENT in answer.text
    assert upload(call, "a.wav", data, consent="").status_code == 422
    assert held(session) == []


def test_one_that_is_too_large_is_refused(upload, logged, session, monkeypatch):
    call = logged(to="enquiry", answer="已说明")
    monkeypatch.setattr(recordings, "LIMIT", 10_000)
    answer = upload(call, *sound())
    assert answer.status_code == 422
    assert "录音超过 30 MB" in answer.text
    assert held(session) == []


def test_the_same_sound_twice_is_one(upload, logged, session, make_case, officer):
    call = logged(to=f"case:{make_case(officer).number}")
    name, data = sound()
    upload(call, name, data)
    upload(call, "另一个名字.wav", data)
    assert len(held(session)) == len(files(session)) == 1


def test_a_wall_hides_the_sound_too(
    browser, upload, logged, session, make_case, officer, other, web
):
    filed = make_case(officer)
    call = logged(to=f"case:{filed.number}")
    upload(call, *sound())
    path = f"{HOME}/calls/{call.id}/recordings/{held(session)[0].id}"
    walled = web(other)
    assert walled.get(path).status_code == 200
    from huiyin.cases.models import Case  # noqa: PLC0415

    session.get_one(Case, (session.tenant, filed.case_id)).walled = [other.id]
    session.commit()
    assert walled.get(path).status_code == 404
    assert (
        walled.post(
            f"{HOME}/calls/{call.id}/recordings",
            {"consent": CONSENT},
            files={"file": ("a.wav", b"x", "audio/wav")},
        ).status_code
        == 404
    )


def test_others_listen_but_add_nothing(upload, logged, session, web, supervisor, make_actor):
    call = logged(to="enquiry", answer="已说明")
    upload(call, *sound())
    path = f"{HOME}/calls/{call.id}/recordings"
    assert web(supervisor).get(f"{path}/{held(session)[0].id}").status_code == 200
    file = {"file": ("a.wav", sound()[1], "audio/wav")}
    assert web(supervisor).post(path, {"consent": CONSENT}, files=file).status_code == 404
    assert web(make_actor("investigator")).get(f"{path}/{held(session)[0].id}").status_code == 404
