"""A mail read: words, history, files, senders; and what is not parsed at all."""

import base64
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import msgspec
import pytest

from huiyin.sdk import Reading
from huiyin_channel_email import limits
from huiyin_channel_email.reader import read

from .conftest import STORY, mail


@pytest.fixture
def reading(tmp_path):
    def run(message):
        data = message if isinstance(message, bytes) else message.as_bytes()
        return msgspec.convert(read(data, tmp_path), Reading)

    return run


def test_a_plain_mail(reading):
    found = reading(mail(In_Reply_To="<letter.0@x>", References="<a@x> <letter.0@x>"))
    assert (found.sender.name, found.sender.address) == ("陈建国", "chen@example.com")
    assert found.subject == "赎回款没有到账"
    assert found.text == STORY
    assert found.references == ("<a@x>", "<letter.0@x>")
    assert found.message_id == "<one@example.com>"
    assert found.sent_at.isoformat() == "2026-11-23T01:30:00+00:00"
    assert found.nature == "message"
    assert not found.faults


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "gb18030", "utf-8", "x-unknown", "", "big5"])
def test_every_name_a_charset_goes_by(reading, charset):
    words = "镕基申赎、㐂、款项" if charset != "big5" else "贖回款項沒有到帳"
    actual = {"utf-8": "utf-8", "big5": "big5"}.get(charset, "gb18030")
    head = f'From: a@b.cn\r\nContent-Type: text/plain; charset="{charset}"\r\n\r\n'
    assert reading(head.encode() + words.encode(actual)).text == words


def test_a_subject_in_raw_bytes_and_one_in_encoded_words(reading):
    raw = "From: a@b.cn\r\nSubject: 赎回\r\n\r\nx".encode("gb18030")
    assert reading(raw).subject == "赎回"
    word = base64.b64encode("赎回款".encode("gb2312")).decode()
    raw = f"From: a@b.cn\r\nSubject: =?gb2312?B?{word}?=\r\n\r\nx".encode()
    assert reading(raw).subject == "赎回款"


def test_a_subject_cannot_begin_a_new_header(reading):
    word = base64.b64encode(b"hello\r\nBcc: all@example.com").decode()
    found = reading(f"From: a@b.cn\r\nSubject: =?utf-8?B?{word}?=\r\n\r\nx".encode())
    assert found.subject == "hello Bcc: all@example.com"


def test_html_becomes_words_without_its_tricks(reading):
    message = mail("")
    message.set_content(
        "<html><head><style>p{}</style></head><body><p>赎回&nbsp;没有到账</p>"
        "<script>alert(1)</script><img src='http://tracker/x'><ul><li>一</li><li>二</li></ul>"
        "<a href='https://example.com/a'>凭证</a><a href='javascript:x()'>点</a></body></html>",
        subtype="html",
    )
    text = reading(message).text
    assert text.startswith("赎回 没有到账")
    assert "- 一" in text
    assert "凭证 (https://example.com/a)" in text
    for trick in ("alert", "tracker", "javascript", "<"):
        assert trick not in text


def test_of_two_forms_of_one_text_the_plain_one_is_read(reading):
    message = mail("纯文本")
    message.add_alternative("<p>网页</p>", subtype="html")
    assert reading(message).text == "纯文本"


@pytest.mark.parametrize(
    "line",
    [
        "在 2026年11月20日，青禾澄川 <tousu@qinghe.cn> 写道：",
        "------------------ 原始邮件 ------------------",
        "-----Original Message-----",
        "On Fri, 20 Nov 2026 at 10:00, Qinghe <tousu@qinghe.cn> wrote:",
        "青禾 <tousu@qinghe.cn> 于2026年11月20日周五 10:00写道：",
        "发件人: 青禾 <tousu@qinghe.cn>\n发送时间: 2026年11月20日\n收件人: 陈\n主题: 收到",
        "发件人：青禾\n日期：2026年11月20日\n主题：收到\n",
    ],
)
def test_the_history_is_folded_away(reading, line):
    found = reading(mail(f"补充一点：合同编号 A12。\n\n{line}\n\n> 您好"))
    assert found.text == "补充一点：合同编号 A12。"
    assert line.split("\n")[0] in found.quoted


def test_a_sentence_with_a_colon_is_no_history(reading):
    found = reading(mail("发件人：我本人。\n\n在柜台他们写道歉信：没有。\n以上属实。"))
    assert found.quoted == ""
    assert found.text.endswith("以上属实。")


def test_files_are_taken_out_with_their_names(reading, tmp_path):
    message = mail()
    message.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf",
                           filename="确认单.pdf")  # fmt: skip
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", cid="<i>",
                           disposition="inline", filename="截图.png")  # fmt: skip
    found = reading(message)
    assert [file.name for file in found.files] == ["确认单.pdf", "截图.png"]
    assert (tmp_path / found.files[0].path).read_bytes() == b"%PDF-1.7 x"
    assert [file.inline for file in found.files] == [False, True]
    assert found.text == STORY


def test_a_file_named_to_leave_its_folder_stays_in_it(reading, tmp_path):
    message = mail()
    message.add_attachment(b"x", maintype="application", subtype="x", filename="../../etc/passwd")
    found = reading(message)
    assert found.files[0].path == "1"
    assert (tmp_path / "1").read_bytes() == b"x"


def _forward(inner, text="请处理"):
    outer = MIMEMultipart()
    outer["From"], outer["To"], outer["Subject"] = "staff@qinghe.cn", "tousu@qinghe.cn", "Fwd: x"
    outer.attach(MIMEText(text, "plain", "utf-8"))
    outer.attach(MIMEMessage(inner))
    return outer


def test_an_attached_original_says_who_wrote_it(reading):
    found = reading(_forward(mail(sender="李四 <li@example.com>")))
    assert found.forwarded.sender.address == "li@example.com"
    assert found.forwarded.text == STORY
    assert found.text == "请处理"
    assert found.files[0].name == "赎回款没有到账.eml"


def test_an_original_below_a_header_block_says_who_wrote_it(reading):
    text = (
        "请处理。\n\n---------- 转发的邮件 ----------\n发件人: 李四 <li@example.com>\n"
        "日期: 2026年11月20日\n主题: 赎回问题\n收件人: 王五 <wang@qinghe.cn>\n\n" + STORY
    )
    found = reading(mail(text, subject="转发：赎回问题", sender="wang@qinghe.cn"))
    assert found.forwarded.sender.address == "li@example.com"
    assert found.forwarded.text == STORY
    assert found.text == "请处理。"


def test_an_answer_is_not_a_forward(reading):
    text = "补充。\n\n发件人: 青禾 <tousu@qinghe.cn>\n日期: 2026年\n主题: 收到\n\n您好"
    assert reading(mail(text, subject="回复：收到")).forwarded is None


@pytest.mark.parametrize(
    ("headers", "nature"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"Auto_Submitted": "no"}, "message"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"List_Id": "<news.example.com>"}, "bulk"),
        ({"Return_Path": "<>"}, "automatic"),
        ({"subject": "自动回复：我在休假"}, "automatic"),
        ({"subject": "Out of Office: back on Monday"}, "automatic"),
        ({"subject": "贵司的自动回复没有用"}, "message"),
        ({"X_Spam_Flag": "YES"}, "spam"),
    ],
)
def test_machines_are_told_from_people(reading, headers, nature):
    assert reading(mail(**headers)).nature == nature


def test_two_senders_are_nobody(reading):
    raw = b"From: a@example.com\r\nFrom: b@example.com\r\nSubject: x\r\n\r\nhello"
    assert "several_senders" in reading(raw).faults
    raw = b"From: a@example.com, b@example.com\r\nSubject: x\r\n\r\nhello"
    assert "several_senders" in reading(raw).faults


def test_one_mail_has_one_identity_however_it_travels(reading):
    first = mail("一样的正文，足够长，需要编码。" * 3)
    second = mail("一样的正文，足够长，需要编码。" * 3, Received="from mx.example.com")
    second.replace_header("Content-Transfer-Encoding", "base64")
    second.set_payload(base64.encodebytes(first.get_payload(decode=True)).decode())
    assert reading(first).identity == reading(second).identity
    assert reading(mail("别的正文")).identity != reading(first).identity
    other_id = mail("一样的正文，足够长，需要编码。" * 3, message_id="<two@example.com>")
    assert reading(other_id).identity != reading(first).identity


REPORT = """From: MAILER-DAEMON@mx.example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

no such user
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; chen@example.com
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <letter.0123456789abcdef0123456789abcdef@qinghe.test>
Subject: x

--b--
"""


def test_a_report_says_which_mail_came_back(reading):
    found = reading(REPORT.encode())
    assert found.nature == "bounce"
    assert found.bounce.action == "failed"
    assert found.bounce.status == "5.1.1"
    assert found.bounce.recipient == "chen@example.com"
    assert found.bounce.original_id.startswith("<letter.0123")


def _nested(depth):
    text = "From: a@b.cn\r\n"
    for n in range(depth):
        text += f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'
    return (text + "Content-Type: text/plain\r\n\r\nx\r\n").encode()


HOSTILE = {
    "depth": _nested(1_000),
    "encoded_words": b"From: a@b.cn\r\nSubject:" + b" =?utf-8?B?YQ==?=\r\n" * 2_000 + b"\r\nx",
    "headers": b"From: a@b.cn\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\nx",
    "parts": b'From: a@b.cn\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\n\r\nx\r\n" * 20_000,
    "addresses": b"From: a@b.cn\r\nTo: " + b", ".join([b"a@b.cn"] * 1_000) + b"\r\n\r\nx",
    "too_large": b"From: a@b.cn\r\n\r\n" + b"x" * (limits.LARGEST + 1),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_what_would_break_the_parser_is_not_parsed(reading, fault):
    found = reading(HOSTILE[fault])
    assert found.faults == (fault,)
    assert found.sender.address == "a@b.cn"


def test_a_thousand_brackets_in_a_name(reading):
    found = reading(b"From: " + b"(" * 1_000 + b" a@b.cn\r\nSubject: x\r\n\r\nhello")
    assert found.text == "hello"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0",
        b"no header at all",
        b"From: \xff\xfe@\xff\r\n\r\n\xff",
        b"From: a@b.cn\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@b.cn\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 50_000 + b"x",
        b"From: a@b.cn\r\nContent-Transfer-Encoding: base64\r\n\r\n====!!",
        b"From: a@b.cn\r\nContent-Type: message/rfc822\r\n\r\n",
        b"From: a@b.cn\r\nDate: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
        b"From: a@b.cn\r\nContent-Type: text/plain; charset=zlib_codec\r\n\r\nx\x9c\x03\x00",
        b"From: a@b.cn\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\nbroken",
        b"From: a@b.cn\r\nSubject: =?utf-8?B?!!!?= =?x?Q?=ZZ?=\r\n\r\nx",
    ],
)
def test_whatever_comes_is_a_reading(reading, raw):
    assert isinstance(reading(raw), Reading)


def test_an_empty_message_object_is_no_sender(reading):
    assert "no_sender" in reading(EmailMessage()).faults
