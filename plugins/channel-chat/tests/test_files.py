"""Files both ways: what may be kept, and who gets it back."""

import re

import pytest
from sqlalchemy import select

from huiyin.evidence.service import LIMIT
from huiyin_channel_chat.models import Said
from huiyin_channel_chat.terms import FILE_LIMIT

from .conftest import HOME, QUEUE, Visitor

PDF = b"%PDF-1.7 statement"


def link_in(page):
    return re.search(r'href="([^"]*/files/[^"]+)"', page.text)[1]


def test_a_file_of_the_visitor_reaches_the_officer_and_back(visitor, officer, only):
    visitor.begin()
    assert visitor.send_file("对账单.pdf", PDF).status_code == 303
    path = f"{QUEUE}/talks/{only().id}"
    got = officer.get(link_in(officer.get(path)))
    assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]
    officer.post(path, {"act": "take"})
    sent = officer.post(f"{path}/files", {"id": "officer-1"}, files={"file": ("函.pdf", PDF)})
    assert sent.status_code == 303
    assert "函.pdf" in visitor.page().text
    assert visitor.browser.get(link_in(visitor.page())).content == PDF


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("a.exe", b"MZ\x90\x00", "是程序或脚本"), ("a.pdf", b"", "是空的"), ("", b"", "请先选择文件")],
)
def test_what_may_not_be_kept_says_why_and_leaves_nothing(visitor, session, name, data, words):
    visitor.begin()
    answer = visitor.send_file(name or "x", data) if name else visitor.browser.post(
        f"{HOME}/files", {"_csrf": visitor.csrf, "id": "a" * 8},
        files={"other": ("a.txt", b"x")},
    )  # fmt: skip
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalars(select(Said).where(Said.file_name != "")).all() == []


def test_a_file_of_the_same_id_is_one_file(visitor, session, site):
    visitor.begin()
    for _ in range(2):
        assert visitor.send_file("a.pdf", PDF, id="file-0001").status_code == 303
    (said,) = session.scalars(select(Said).where(Said.file_name != "")).all()
    with site.blobs.open(said.blob_key) as stream:
        assert stream.read() == PDF


def test_a_stranger_neither_sends_nor_fetches(visitor, web, only):
    visitor.begin()
    visitor.send_file("a.pdf", PDF)
    stranger = Visitor(web())
    stranger.csrf = visitor.csrf
    assert stranger.send_file("b.pdf", PDF).status_code == 404
    assert stranger.browser.get(link_in(visitor.page())).status_code == 404


def test_the_frame_fetches_with_its_token(visitor, web):
    visitor.begin()
    visitor.send_file("a.pdf", PDF)
    path, other = link_in(visitor.page()), web()
    assert other.get(path, headers={"X-Chat-Token": visitor.secret}).content == PDF
    sent = other.post(
        f"{HOME}/files", {"id": "frame-001"}, files={"file": ("b.pdf", PDF)},
        headers={"X-Chat-Token": visitor.secret},
    )  # fmt: skip
    assert sent.json() == {"ok": True}
    refused = other.post(
        f"{HOME}/files", {"id": "frame-002"}, files={"file": ("b.exe", b"MZ")},
        headers={"X-Chat-Token": visitor.secret},
    )  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


def test_the_limit_is_that_of_evidence():
    assert FILE_LIMIT == LIMIT
