"""A file is what its bytes are."""

import pytest

from huiyin.evidence.kinds import PLAIN_BYTES, clean_name, media_type, runs

PK = b"PK\x03\x04\x14\x00"
KNOWN = [
    ("合同.pdf", b"%PDF-1.7\n", "application/pdf"),
    ("a.png", b"\x89PNG\r\n\x1a\n\0", "image/png"),
    ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
    ("a.gif", b"GIF89a", "image/gif"),
    ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ("a.heic", b"\0\0\0\x18ftypheic", "image/heic"),
    ("通话.mp3", b"ID3\x04", "audio/mpeg"),
    ("通话.wav", b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    ("通话.m4a", b"\0\0\0\x18ftypM4A ", "audio/mp4"),
    ("录像.mp4", b"\0\0\0\x18ftypisom", "video/mp4"),
    ("通话.amr", b"#!AMR\n", "audio/amr"),
    ("流水.xlsx", PK, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("说明.docx", PK, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("一包.zip", PK, "application/zip"),
    ("聊天.txt", "您好".encode("gb18030"), "text/plain"),
    ("流水.csv", "日期,金额\n".encode(), "text/csv"),
    ("来信.eml", b"From: a@b.cn\n\nhi", "message/rfc822"),
]
# Named as something harmless, and something else inside.
DOWNLOAD_ONLY = [
    ("a.html", b"<!doctype html><script>"),
    ("a.svg", b"<svg xmlns='x' onload='x'>"),
    ("a.txt", b"\xef\xbb\xbf  <html><script>alert(1)</script>"),
    ("a.pdf", b"<html>"),
    ("宏.docm", PK),
    ("a.webp", b"XXXX\x10\0\0\0WEBP"),
    ("a.txt", b"a\0b"),
    ("不明", b"\x01\x02\x03"),
]


@pytest.mark.parametrize(("name", "head", "kind"), KNOWN)
def test_known_kinds_are_told_by_their_beginning(name, head, kind):
    assert media_type(name, head) == kind
    assert not runs(name, head)


@pytest.mark.parametrize(("name", "head"), DOWNLOAD_ONLY)
def test_what_a_browser_could_run_is_plain_bytes(name, head):
    assert media_type(name, head) == PLAIN_BYTES


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("说明.pdf", b"MZ\x90\0"),
        ("a", b"\x7fELF\x02"),
        ("a.txt", b"#!/bin/sh\n"),
        ("a.EXE", b"hello"),
        ("合同.pdf.js", b"alert(1)"),
        ("a.hta", b"<html>"),
    ],
)
def test_what_a_machine_could_run_is_known(name, head):
    assert runs(name, head)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\文件\\合同.pdf", "合同.pdf"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("合同\u202efdp.exe", "合同fdp.exe"),
        ("零\u200b宽.pdf", "零宽.pdf"),
        ("  . ", "文件"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_a_name_carries_no_path_and_no_trick(given, kept):
    assert clean_name(given) == kept
