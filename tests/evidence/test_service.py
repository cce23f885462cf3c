"""Files of a case: handed in whole, read on record, verified by somebody else."""

import io
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from huiyin.cases.change import find
from huiyin.cases.models import Entry
from huiyin.cases.stages import Audience
from huiyin.db import tenant_session
from huiyin.evidence import service
from huiyin.evidence.errors import BlobDamaged, VerifierIsUploader
from huiyin.evidence.models import EvidenceFile
from huiyin.evidence.service import Upload
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Invalid, NotFound, Refused
from huiyin.ledger.models import LedgerEntry

PDF = b"%PDF-1.7\n" + b"x" * 100


@pytest.fixture(autouse=True)
def _store(folder):
    return folder


def test_files_get_their_numbers_in_the_case(session, actor, number):
    first = service.add(session, actor, number, [Upload("合同.pdf", PDF)], note="投诉人提供")
    more = service.add(
        session, actor, number, [Upload("a.txt", io.BytesIO(b"a")), Upload("../b.svg", b"<svg>")]
    )
    session.commit()
    assert [f.number for f in [*first, *more]] == ["E-01", "E-02", "E-03"]
    assert more[1].name == "b.svg"
    assert more[1].media_type == "application/octet-stream"
    case = find(session, actor, number)
    assert case.counts["evidence"] == 3
    assert [f.number for f in service.list_of(session, case)] == ["E-01", "E-02", "E-03"]
    entry = session.scalars(
        select(Entry).where(Entry.verb == "add_evidence").order_by(Entry.seq)
    ).first()
    assert entry.data == {"files": ["合同.pdf"]}
    assert entry.audience == Audience.INTERNAL


def test_one_byte_over_thirty_megabytes_is_refused_at_the_field(session, actor, number, leftovers):
    exactly = Upload("录音.mp3", b"ID3" + b"\0" * (service.LIMIT - 3))
    over = Upload("录像.mp4", b"\0\0\0\x18ftypisom" + b"\0" * (service.LIMIT - 11))
    assert service.add(session, actor, number, [exactly])[0].size == service.LIMIT
    session.commit()
    with pytest.raises(Invalid) as caught:
        service.add(session, actor, number, [Upload("a.pdf", PDF), over])
    assert str(caught.value.fields["files"]).startswith("文件「录像.mp4」超过 30 MB")
    session.rollback()
    assert len(leftovers()) == 1  # neither the large one nor the one before it


@pytest.mark.parametrize(
    "uploads",
    [
        [],
        [Upload("空.pdf", b"")],
        [Upload("x.exe", b"MZ\x90")],
        [Upload(f"{n}.pdf", PDF) for n in range(11)],
    ],
    ids=["none", "empty", "program", "eleven"],
)
def test_what_is_no_evidence_is_refused_whole(session, actor, number, uploads, leftovers):
    with pytest.raises(Invalid) as caught:
        service.add(session, actor, number, uploads)
    assert set(caught.value.fields) == {"files"}
    assert leftovers() == []


def test_nothing_is_kept_for_somebody_who_may_not(session, make_actor, number, leftovers):
    with pytest.raises(Refused):
        service.add(session, _without_note(make_actor), number, [Upload("a.pdf", PDF)])
    assert leftovers() == []


def _without_note(make_actor):
    """Sees every case, but with a token that may only read."""
    person = make_actor("complaint_officer")
    return type(person)(
        person.id, person.tenant_id, person.name, person.roles, scopes=frozenset({"case.read"})
    )


def test_the_complainant_sees_what_was_shared_and_nothing_else(session, actor, number, tenant):
    mine = complainant_actor(tenant.id)
    handed = service.add(session, mine, number, [Upload("截图.png", b"\x89PNG\r\n\x1a\n")])
    inside = service.add(session, actor, number, [Upload("访谈.pdf", PDF)])
    session.commit()
    case = find(session, mine, number)
    assert service.list_of(session, case, shared_only=True) == handed
    assert handed[0].source == "complainant"
    _, stream = service.read(session, mine, number, handed[0].id)
    stream.close()
    with pytest.raises(NotFound):
        service.read(session, mine, number, inside[0].id)


def test_reading_leaves_a_line_and_an_entry(session, actor, make_actor, number):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.commit()
    reader = make_actor("supervisor", name="程勉")
    row, stream = service.read(session, reader, number, file.id)
    with stream:
        assert stream.read() == PDF
    session.commit()
    assert [(line["act"], line["by"]) for line in row.custody] == [
        ("add", actor.name), ("read", "程勉"),
    ]  # fmt: skip
    kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)).all()
    assert kinds[-1] == "evidence.read"


def test_nobody_vouches_for_a_file_of_his_own(session, actor, make_actor, number):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.commit()
    with pytest.raises(VerifierIsUploader):
        service.verify(session, actor, number, file.id, "核对原件")
    other = make_actor("approver", name="顾明远")
    service.verify(session, other, number, file.id, "核对原件，无异常")
    session.commit()
    assert file.verified_name == "顾明远"
    assert file.custody[-1]["act"] == "verify"
    file.verified_by = actor.id
    with pytest.raises(IntegrityError, match="second_person"):
        session.flush()


def test_damaged_bytes_are_never_vouched_for(session, actor, make_actor, number, folder):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.commit()
    (folder.root / file.blob_key).write_bytes(b"%PDF-1.7\nforged")
    with pytest.raises(BlobDamaged):
        service.verify(session, make_actor("approver"), number, file.id, "核对原件")


def test_a_walled_person_meets_nothing(session, actor, make_actor, number):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    subject = make_actor("complaint_officer")
    case = find(session, actor, number)
    case.walled = [subject.id]
    session.commit()
    for act in (
        lambda: service.read(session, subject, number, file.id),
        lambda: service.add(session, subject, number, [Upload("a.pdf", PDF)]),
        lambda: service.verify(session, subject, number, file.id, "核对"),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"name": "别的.pdf"}, {"custody": []}])
def test_the_database_lets_nobody_rewrite_evidence(session, actor, number, change):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.commit()
    for name, value in change.items():
        setattr(file, name, value)
    with pytest.raises(IntegrityError, match="separation of duties"):
        session.flush()


def test_a_custody_line_cannot_be_swapped(session, actor, number):
    (file,) = service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.commit()
    file.custody = [{**file.custody[0], "by": "别人"}]
    with pytest.raises(IntegrityError, match="only grows"):
        session.flush()


def test_two_uploads_at_once_get_two_numbers(engine, actor, tenant, session, number):
    def one(n):
        with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
            service.add(own, actor, number, [Upload(f"{n}.pdf", PDF)])
            own.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    numbers = session.scalars(select(EvidenceFile.number).order_by(EvidenceFile.number)).all()
    assert numbers == ["E-01", "E-02", "E-03", "E-04"]


def test_reconcile_counts_missing_damaged_and_left_over(session, actor, number, folder, tenant):
    files = service.add(session, actor, number, [Upload(f"{n}.pdf", PDF) for n in range(3)])
    session.commit()
    assert service.reconcile(session, folder) == 0
    folder.delete(files[0].blob_key)
    (folder.root / files[1].blob_key).write_bytes(b"forged")
    orphan = folder.put(tenant.id, b"nobody's", 99)
    assert service.reconcile(session, folder) == 2  # a fresh orphan may still get its row
    old = time.time() - 25 * 3600
    os.utime(folder.root / orphan.key, (old, old))
    half = folder.root / tenant.id.hex / "ab"
    half.mkdir(exist_ok=True)
    (half / ".new-half").write_bytes(b"x")
    os.utime(half / ".new-half", (old, old))
    found = service.examine(session, folder)
    assert found.missing == (files[0].blob_key,)
    assert found.damaged == (files[1].blob_key,)
    assert len(found.left_over) == 2
    assert folder.exists(files[2].blob_key)


def test_a_change_that_fails_forgets_the_bytes(session, actor, number, leftovers):
    case = find(session, actor, number)
    case.state, case.closed_at, case.outcome = "closed", case.received_at, "archived"
    session.commit()
    before = session.scalar(select(func.count()).select_from(EvidenceFile))
    with pytest.raises(Exception, match="案件当前处于"):
        service.add(session, actor, number, [Upload("合同.pdf", PDF)])
    session.rollback()
    assert leftovers() == []
    assert session.scalar(select(func.count()).select_from(EvidenceFile)) == before
