"""What messages say, whatever their form; and the confined reader of conversations."""

import io
import json
import zipfile
from datetime import UTC, datetime

import msgspec
import pytest

from huiyin.intake.schemas import Reading
from huiyin_channel_wecom import reader, said

from .conftest import kf_event, kf_message, message


def kf(**given):
    return json.dumps({**kf_message(1, "你好"), **given}).encode()


ODD = [
    b"", b"[]", b"null", b"{", b'"x"', b"{}", b"\xff\xfe", kf(origin="3"), kf(origin=[3]),
    kf(origin=4), kf(msgtype=["text"]), kf(msgtype="event"), kf(text=None), kf(text=["x"]),
    kf(text={"content": {"a": 1}}), kf(send_time="soon"), kf(send_time=-5), kf(send_time=10**30),
    kf(send_time=None), kf(external_userid=None), kf(external_userid={"x": 1}),
    kf(open_kfid=7), kf(text={"content": "a\0b"}), kf(text={"content": "\ud800"}),
    kf(msgtype="file", file={"media_id": ["x"], "filename": 3}), kf(msgtype="x" * 500),
    b'{"a":' * 2000,
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD, ids=range(len(ODD)))
def test_odd_messages_are_read_or_passed_over(raw):
    found = said.read("kf", raw)
    if found is not None:
        assert found.who in {"customer", "staff"}
        assert "\0" not in found.text
        found.text.encode()


@pytest.mark.parametrize("raw", ODD, ids=range(len(ODD)))
def test_an_odd_message_stops_no_other(firm, call, work, found, raw):
    try:
        odd = json.loads(raw)
    except (ValueError, RecursionError):
        return
    if not isinstance(odd, dict):
        return
    good = kf_message(2, "我要投诉，赎回款没有到账，已经等了三周了")
    firm.messages = [{**odd, "msgid": "kf-odd", "open_kfid": "wkDesk1"}, good]
    call(kf_event(), road="wecom")
    work(minutes=11)
    assert any("赎回款没有到账" in case.story for case in found.cases)


def test_every_kind_by_callback_has_its_words():
    def text(**fields):
        return said.read("mp", message(kind=fields.pop("kind"), **fields)).text

    assert text(kind="image", MediaId="m", PicUrl="https://x") == "（图片）"
    assert text(kind="voice", MediaId="m", Recognition="我要投诉") == "（语音：我要投诉）"
    assert text(kind="location", Location_X="31.2", Location_Y="121.5", Label="陆家嘴") == (
        "（位置：陆家嘴 31.2,121.5）"
    )
    assert text(kind="link", Title="公告", Description="", Url="https://x") == (
        "（链接：公告 https://x）"
    )
    assert text(kind="something") == "（其他消息）"


def test_times_are_those_of_this_age():
    assert said.moment("1795000000") == datetime.fromtimestamp(1795000000, UTC)
    for odd in ("", "x", "-1", "0", "9" * 30, None, "1e9", "²"):
        assert said.moment(odd) is None


def bundle(told, **files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as box:
        box.writestr("conversation.json", told if isinstance(told, str) else json.dumps(told))
        for name, data in files.items():
            box.writestr(f"files/{name}", data)
    return made.getvalue()


def line(text="x", **given):
    return {"key": "k", "who": "customer", "kind": "text", "text": text, "at": "", **given}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"PK\3\4", b"x" * 100, bundle("{"), bundle("[]"), bundle({"handle": "mp:x"}),
        bundle({"handle": "mp:x", "messages": [{}]}), bundle({"handle": "a", "messages": "x"}),
        bundle({"handle": "a", "messages": [line(file="../../etc")]}),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_bundle_is_a_reading_that_says_so(raw, tmp_path):
    assert reader.read(raw, tmp_path) == {"faults": ["fault"]}
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_larger_than_it_may_be_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "FILE", 10)
    raw = bundle({"handle": "a", "messages": [line(file="1", name="n")]}, **{"1": b"y" * 11})
    assert reader.read(raw, tmp_path) == {"faults": ["fault"]}


def test_a_bundle_has_the_shape_of_a_reading(tmp_path):
    told = {"handle": "kf:wm1", "messages": [
        line("（图片）", kind="image", file="1", name="图.jpg", at="2026-11-26T01:02:03+00:00"),
        line("第一句\n第二句"), line("同事", who="staff"), line("没取到", missing="gone"),
    ]}  # fmt: skip
    found = msgspec.convert(reader.read(bundle(told, **{"1": b"abc"}), tmp_path), Reading)
    assert (found.sender.handle, found.sender.address) == ("kf:wm1", "")
    assert found.subject == "第一句"
    assert found.text == "（图片）\n第一句\n第二句\n没取到"
    assert found.faults == ("file_missing",)
    assert [(file.name, file.size) for file in found.files] == [("图.jpg", 3)]
    assert (tmp_path / "1").read_bytes() == b"abc"
