"""Files on their way from a browser to the case."""

import hashlib
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.sdk import Invalid, complainant_actor, files_of, read_file
from huiyin_channel_web import drafts, visits
from huiyin_channel_web.models import Draft, DraftFile, Visit

from .conftest import PDF, text_of


def blob_keys(session):
    session.rollback()
    return [row.blob_key for row in session.scalars(select(DraftFile))]


def test_files_are_stored_before_the_answer_and_become_evidence(visitor, session, site, only_case):
    answer = visitor.upload("/complain/files", ("回执.pdf", PDF), do="add")
    assert answer.headers["location"] == "/p/qinghe/complain/files"
    (key,) = blob_keys(session)
    assert site.blobs.exists(key)
    assert "回执.pdf" in text_of(visitor.get("/complain/files"))
    visitor.file()
    case = only_case()
    (file,) = files_of(session, case, shared_only=True)
    assert (file.name, file.sha256) == ("回执.pdf", hashlib.sha256(PDF).hexdigest())
    _, stream = read_file(session, complainant_actor(case.tenant_id), case.number, file.id)
    with stream:
        assert stream.read() == PDF


BAD = [
    ("setup.exe", b"MZ not a paper", "「setup.exe」是程序或脚本，请换成文档、图片或录音"),
    ("notes.pdf", b"#!/bin/sh", "「notes.pdf」是程序或脚本"),
    ("empty.pdf", b"", "文件「empty.pdf」是空的，请重新选择"),
    (
        "big.bin.pdf",
        b"x" * (30 * 1024 * 1024 + 1),
        "文件「big.bin.pdf」超过 30 MB，请压缩或分开上传",
    ),
]


@pytest.mark.parametrize(("name", "data", "words"), BAD, ids=[b[0] for b in BAD])
def test_a_file_that_cannot_be_taken_is_named_at_the_field(visitor, session, name, data, words):
    answer = visitor.upload("/complain/files", (name, data), do="next")
    assert answer.status_code == 422
    assert text_of(answer).count(words) == 2
    assert blob_keys(session) == []


def test_the_good_files_of_a_choice_are_kept_beside_the_bad(visitor, session):
    answer = visitor.upload("/complain/files", ("a.pdf", PDF), ("b.exe", b"MZ"), do="next")
    assert answer.status_code == 422
    assert "已上传 1 个文件" in text_of(answer)
    assert len(blob_keys(session)) == 1


def test_thirty_megabytes_are_taken(visitor, session):
    whole = b"x" * (30 * 1024 * 1024)
    assert visitor.upload("/complain/files", ("a.wav", whole), do="next").status_code == 303
    assert len(blob_keys(session)) == 1


def test_nothing_chosen_is_a_fault_only_for_those_who_wanted_to_upload(visitor):
    assert "请先选择文件" in text_of(visitor.upload("/complain/files", ("", b""), do="add"))
    onward = visitor.upload("/complain/files", ("", b""), do="next")
    assert onward.headers["location"] == "/p/qinghe/complain/contact"


def test_the_eleventh_file_is_too_many(visitor, session):
    ten = [(f"{n}.pdf", PDF) for n in range(10)]
    assert visitor.upload("/complain/files", *ten, do="add").status_code == 303
    assert 'type="file"' not in visitor.get("/complain/files").text
    answer = visitor.upload("/complain/files", ("11.pdf", PDF), do="next")
    assert "最多 10 个文件" in text_of(answer)
    assert len(blob_keys(session)) == 10


def test_a_file_can_be_removed_by_its_owner_only(visitor, another, session, ctx, site):
    visitor.upload("/complain/files", ("a.pdf", PDF), do="add")
    file_id, key = session.execute(select(DraftFile.id, DraftFile.blob_key)).one()
    another.post("/complain/topic", topic="fees")
    assert another.post("/complain/files/remove", file=str(file_id)).status_code == 404
    assert visitor.post("/complain/files/remove", file=str(file_id)).status_code == 303
    assert blob_keys(session) == []
    assert site.blobs.exists(key), "the bytes go once the removal is certain"
    drafts.forget(ctx, {"keys": [key]})
    assert not site.blobs.exists(key)


def test_a_file_whose_bytes_are_gone_stops_the_filing_with_words(visitor, session, site):
    visitor.answer_all()
    visitor.upload("/complain/files", ("a.pdf", PDF), do="next")
    site.blobs.delete(blob_keys(session)[0])
    answer = visitor.post("/complain/check", consent="on")
    assert answer.status_code == 422
    assert "文件「a.pdf」没有保存好，请移除后重新上传" in text_of(answer)
    assert blob_keys(session)


def test_the_sweep_removes_old_drafts_with_their_files_and_leaves_the_young(
    visitor, another, session, site, age, ctx
):
    visitor.upload("/complain/files", ("a.pdf", PDF), do="add")
    (key,) = blob_keys(session)
    age("draft", "expires_at", timedelta(days=1))
    another.post("/complain/topic", topic="fees")
    assert drafts.sweep(ctx) == 1
    session.commit()
    assert not site.blobs.exists(key)
    assert blob_keys(session) == []
    assert len(session.scalars(select(Draft)).all()) == 1


def test_the_sweep_ends_visits_past_their_time(visitor, session, age, ctx):
    visitor.enter(visitor.file())
    assert visits.sweep(ctx) == 0
    age("visit", "seen_at", timedelta(minutes=30))
    assert visits.sweep(ctx) == 1
    assert session.scalars(select(Visit)).all() == []


def test_a_firm_may_allow_less(ctx, site):
    class Small:
        max_files, max_mb, draft_days = 1, 1, 1

    small = replace(ctx, source=lambda _: Small)
    draft, _ = drafts.begin(small)
    with pytest.raises(Invalid) as refused:
        drafts.keep_file(small, draft, "a.pdf", io.BytesIO(b"x" * (1024 * 1024 + 1)))
    assert refused.value.fields["files"].params == {"name": "a.pdf", "mb": 1}
    drafts.keep_file(small, draft, "a.pdf", io.BytesIO(PDF))
    with pytest.raises(Invalid):
        drafts.keep_file(small, draft, "b.pdf", io.BytesIO(PDF))
