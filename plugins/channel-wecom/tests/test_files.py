"""Files of messages: fetched, checked, kept with their hash, and put to the case."""

import hashlib
from datetime import timedelta

import pytest

from huiyin.kit.time import now
from huiyin_channel_wecom import bundling

from .conftest import kf_event, kf_message, message

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
JPG = b"\xff\xd8\xff" + b"j" * 100
AMR = b"#!AMR\n" + b"a" * 100
MP4 = b"\0\0\0\x20ftypisom" + b"v" * 100
PDF = b"%PDF-1.7 contract"


def image(data=JPG, kind="image/jpeg", name="x.jpg"):
    return {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}, data


@pytest.fixture
def pictured(firm, call):
    """A message, then a picture that the provider has."""

    def run(headers_and_data=None, *, kind="image", media="m1", **fields):
        if headers_and_data:
            firm.media[media] = headers_and_data
        call(message(number="1"))
        return call(message(number="2", kind=kind, MediaId=media, **fields))

    return run


def test_all_kinds_of_a_chat_are_evidence_of_one_case(firm, call, work, found):
    firm.media |= {
        "i": image(), "v": image(AMR, "audio/amr"), "f": image(MP4, "video/mp4"),
        "d": image(PDF, "application/octet-stream", "合同.pdf".encode().decode("latin-1")),
    }  # fmt: skip
    firm.messages = [
        kf_message(1, "赎回没有到账，材料如下"),
        kf_message(2, kind="image", media_id="i"), kf_message(3, kind="voice", media_id="v"),
        kf_message(4, kind="video", media_id="f"), kf_message(5, kind="file", media_id="d"),
        kf_message(6, kind="location", latitude=31.2, longitude=121.5, name="陆家嘴", address="沪"),
        kf_message(7, kind="link", title="公告", desc="延期", url="https://example.com/a"),
        kf_message(8, kind="business_card", userid="x"),
        kf_message(9, "同事的回复", origin=5),
        kf_message(10, kind="event", event_type="enter_session"),
    ]  # fmt: skip
    call(kf_event(), road="wecom")
    work()
    work(minutes=11)
    (case,) = found.cases
    assert case.story.split("\n") == [
        "赎回没有到账，材料如下", "（图片）", "（语音）", "（视频）", "（文件）",
        "（位置：陆家嘴 沪 31.2,121.5）", "（链接：公告 延期 https://example.com/a）", "（名片）",
    ]  # fmt: skip
    files = {file.sha256: file for file in found.files(case)}
    for data in (JPG, AMR, MP4, PDF):
        assert hashlib.sha256(data).hexdigest() in files
    assert "合同.pdf" in {file.name for file in files.values()}
    assert found.arrivals[0].reading["quoted"].endswith("同事的回复")
    assert len(found.files(case)) == 5


def test_a_picture_does_not_cut_the_conversation_short(pictured, work, found):
    pictured(image(PNG, "image/png"))
    work()
    assert found.kept[-1].file_state == "kept"
    assert found.kept[-1].file_name.endswith(".png")
    assert not found.arrivals or found.talks[0].messages == 2


def test_a_conversation_waits_for_its_picture_and_no_longer(firm, call, work, found):
    firm.fail["cgi-bin/media/get"] = [45009]
    firm.media["m1"] = image()
    call(message("请看图片", number="1"))
    call(message(number="2", kind="image", MediaId="m1"))
    work()
    assert [row.file_state for row in found.kept] == ["", "waiting"]
    work(minutes=12)
    assert [row.file_state for row in found.kept] == ["", "kept"]
    (case,) = found.cases
    assert len(found.files(case)) == 2


def test_a_conversation_whose_picture_never_comes_is_handed_in_without(firm, call, work, found):
    firm.fail["cgi-bin/media/get"] = [-1] * 50
    call(message("请看图片", number="1"))
    call(message(number="2", kind="image", MediaId="m1"))
    for _ in range(8):
        work(hours=2)
    assert [row.file_reason for row in found.kept] == ["", "tried"]
    assert found.arrivals[0].reading["faults"] == ["file_missing"]
    assert len(found.cases) == 1


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (None, "image", "gone"),  # 40007
        (({"Content-Type": "application/json"}, b'{"video_url": "https://x"}'), "video", "gone"),
        (image(b"MZ\x90" + b"x" * 50, "application/octet-stream", "a.exe"), "file", "program"),
        (image(PDF, "image/jpeg"), "image", "kind"),
        (image(b"", "image/jpeg"), "image", "kind"),
        (image(JPG, "video/mp4"), "video", "kind"),
        (image(b"", "audio/amr"), "voice", "kind"),
        (image(b"#!/bin/sh\n", "application/octet-stream", "a.txt"), "file", "program"),
    ],
)
def test_what_is_not_what_it_says_is_named_and_not_kept(pictured, work, found, given, kind, reason):
    pictured(given, kind=kind)
    work()
    work(minutes=11)
    row = found.kept[-1]
    assert (row.file_state, row.file_reason, row.file_key) == ("refused", reason, "")
    assert "file_missing" in found.arrivals[-1].reading["faults"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(pictured, work, found, monkeypatch):
    monkeypatch.setattr("huiyin_channel_wecom.client.MEDIA", 64)
    pictured(image())
    work()
    assert found.kept[-1].file_reason == "gone"


def test_what_has_no_room_in_one_arrival_follows_in_another(firm, call, work, found, monkeypatch):
    monkeypatch.setattr("huiyin_channel_wecom.bundling.ROOM", 250)
    for n in range(4):
        firm.media[f"m{n}"] = image(JPG + bytes([n]))
        call(message(number=f"{n}", kind="image", MediaId=f"m{n}"))
    work()
    for _ in range(3):
        work(minutes=11)
    (case,) = found.cases
    kept = {file.sha256 for file in found.files(case)}
    assert {hashlib.sha256(JPG + bytes([n])).hexdigest() for n in range(4)} <= kept
    assert [arrival.state for arrival in found.arrivals] == ["filed", "joined"]
    assert sum(talk.messages for talk in found.talks) == 4


def test_who_never_stops_is_handed_in_all_the_same(firm, call, work, found, monkeypatch):
    monkeypatch.setattr("huiyin_channel_wecom.bundling.FULL", 3)
    for n in range(7):
        call(message(f"第 {n} 句", number=str(n)))
    work()
    assert sum(len(a.reading["text"].split("\n")) for a in found.arrivals) >= 6
    assert all(talk.messages <= 7 for talk in found.talks)


def test_an_expired_token_is_replaced_and_the_file_fetched(firm, pictured, work, found, call):
    call(message("先来一句", number="0"))
    pictured(image())
    firm.media["m2"] = image(PNG, "image/png")
    work()
    firm.expire()
    call(message(number="3", kind="image", MediaId="m2"))
    work()
    assert [row.file_state for row in found.kept] == ["", "", "kept", "kept"]
    assert firm.asked.count("cgi-bin/token") == 2


def test_what_has_no_room_because_there_is_too_much_of_it_follows(
    firm, call, work, found, monkeypatch
):
    monkeypatch.setattr(bundling, "MOST", 3)
    for n in range(7):
        call(message(f"第 {n} 句", number=str(n), at=now() + timedelta(seconds=n)))
    for _ in range(4):
        work(minutes=20)
    told = "\n".join(str(arrival.reading["text"]) for arrival in found.arrivals)
    assert all(f"第 {n} 句" in told for n in range(7))
