"""Handing in, reading, verifying and counting the files of a case.

The bytes are durable before the row is written; whoever reads or verifies a file leaves a line in
its custody list and an entry in the ledger.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from sqlalchemy import Select, select

from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.stages import Audience, EntryKind
from huiyin.cases.verbs import VERBS
from huiyin.db import ScopedSession
from huiyin.evidence import kinds
from huiyin.evidence.errors import BlobDamaged, VerifierIsUploader
from huiyin.evidence.holding import PAGE, everything, holds_blobs
from huiyin.evidence.models import EvidenceFile, FileSource
from huiyin.evidence.rounds import Fault, compare, left_over, still_named
from huiyin.evidence.store import Blob, BlobStore, blobs, digest_of
from huiyin.identity.actor import Actor, ActorKind
from huiyin.kit.errors import Invalid, NotFound, Refused, TooLarge
from huiyin.kit.i18n import N_, Message
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.ledger import service as ledger

LIMIT: Final = 30 * 1024 * 1024
MOST: Final = 10
_HEAD: Final = 4096

TOO_BIG: Final = N_("文件「{name}」超过 30 MB，请压缩或分开上传")
EMPTY: Final = N_("文件「{name}」是空的，请重新选择")
PROGRAM: Final = N_("「{name}」是程序或脚本，请换成文档、图片或录音")
TOO_MANY: Final = N_("一次最多上传 10 个文件，请分次上传")
NONE: Final = N_("请选择要上传的文件")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it arrives: its name as the sender's machine has it, and its bytes.

    ``original`` is what has been taken in already, as it came: it is kept whatever it is.
    """

    name: str
    data: bytes | BinaryIO
    original: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    media_type: str
    blob: Blob


def add(
    session: ScopedSession,
    actor: Actor,
    number: str,
    uploads: Sequence[Upload],
    *,
    note: str = "",
    shared: bool = False,
    paper: bool = False,
) -> list[EvidenceFile]:
    """Put files to a case: ``add_evidence`` for staff, ``hand_in`` for the complainant.

    ``shared`` lets the complainant see them too.  ``paper`` is correspondence that is only filed:
    it comes after the end of a case as well, and filing it makes nobody a handler.

    Raises ``Invalid`` (field ``files``), ``StorageFull``, and whatever ``change`` raises; then
    nothing is kept.
    """
    verb = "file_paper" if paper else "add_evidence"
    if actor.kind is ActorKind.COMPLAINANT:
        verb = "hand_in"
    _may_begin(session, actor, number, verb)
    kept = _keep_all(session, uploads)
    try:
        return _enter(session, actor, number, verb, kept, note=note, shared=shared)
    except BaseException:
        _forget(kept)
        raise


def _may_begin(session: ScopedSession, actor: Actor, number: str, verb: str) -> None:
    """Fill no disk for somebody who may not; ``change`` judges again, under the lock."""
    find(session, actor, number)
    if actor.is_person and not actor.can(VERBS[verb].permission):
        raise Refused(N_("当前角色没有办理「{verb}」的权限"), verb=Message(VERBS[verb].title))


def _keep_all(session: ScopedSession, uploads: Sequence[Upload]) -> list[_Kept]:
    if not uploads:
        raise Invalid({"files": Message(NONE)})
    if len(uploads) > MOST:
        raise Invalid({"files": Message(TOO_MANY)})
    kept: list[_Kept] = []
    try:
        for upload in uploads:
            kept.append(_keep(session, upload))  # noqa: PERF401 - one by one, to undo those before
    except BaseException:
        _forget(kept)
        raise
    return kept


def _keep(session: ScopedSession, upload: Upload) -> _Kept:
    name = kinds.clean_name(upload.name)
    head = _head(upload.data)
    if not head and not upload.original:
        raise _wrong(EMPTY, name)
    if kinds.runs(name, head) and not upload.original:
        raise _wrong(PROGRAM, name)
    try:
        blob = blobs().put(session.tenant, upload.data, LIMIT)
    except TooLarge:
        raise _wrong(TOO_BIG, name) from None
    return _Kept(name, kinds.media_type(name, head), blob)


def _wrong(message: str, name: str) -> Invalid:
    return Invalid({"files": Message(message, {"name": name})})


def _head(data: bytes | BinaryIO) -> bytes:
    if isinstance(data, bytes):
        return data[:_HEAD]
    data.seek(0)
    head = data.read(_HEAD)
    data.seek(0)
    return head


def _forget(kept: Iterable[_Kept]) -> None:
    for item in kept:
        blobs().delete(item.blob.key)


def _enter(
    session: ScopedSession, actor: Actor, number: str, verb: str, kept: list[_Kept], *,
    note: str, shared: bool,
) -> list[EvidenceFile]:  # fmt: skip
    by_complainant = verb == "hand_in"
    shown = Audience.COMPLAINANT if shared or by_complainant else Audience.INTERNAL
    files: list[EvidenceFile] = []
    entered: list[dict[str, object]] = []

    def apply(case: Case) -> None:
        count = int(case.counts.get("evidence", 0))
        for position, item in enumerate(kept, start=count + 1):
            file = _row(case, actor, item, f"E-{position:02d}", shown=shown, note=note)
            session.add(file)
            files.append(file)
            entered.append({"id": file.id, "number": file.number, "sha256": item.blob.sha256})
        case.counts = {**case.counts, "evidence": count + len(kept)}

    change(
        session, actor, number,
        Deed(
            verb, body=note, apply=apply, audience=shown,
            kind=EntryKind.MESSAGE_IN if by_complainant else EntryKind.EVENT,
            data={"files": [item.name for item in kept]},
            facts={"files": entered},  # filled by ``apply``
            commits={f"name_{n}": item.name for n, item in enumerate(kept, start=1)},
            outbox_data={"files": len(kept)},
        ),
    )  # fmt: skip
    return files


def _row(
    case: Case, actor: Actor, item: _Kept, number: str, *, shown: Audience, note: str
) -> EvidenceFile:
    source = {
        ActorKind.COMPLAINANT: FileSource.COMPLAINANT, ActorKind.SYSTEM: FileSource.SYSTEM,
    }.get(actor.kind, FileSource.STAFF)  # fmt: skip
    moment = now()
    file = EvidenceFile(
        id=uuid7(), case_id=case.id, number=number, name=item.name,
        media_type=item.media_type, size=item.blob.size, sha256=item.blob.sha256,
        blob_key=item.blob.key, source=source.value, audience=shown.value, note=note,
        uploaded_by=actor.id, uploaded_name=actor.name, at=moment, custody=[],
    )  # fmt: skip
    _custody(file, actor, "add", note)
    return file


def _custody(file: EvidenceFile, actor: Actor, act: str, note: str = "") -> None:
    file.custody = [
        *file.custody,
        {"at": now().isoformat(), "by": actor.name, "by_id": str(actor.id), "act": act,
         "note": note},
    ]  # fmt: skip


def verify(
    session: ScopedSession, actor: Actor, number: str, file_id: uuid.UUID, note: str
) -> EvidenceFile:
    """Vouch for a file: where it comes from, and that its bytes are still the ones handed in.

    Raises ``VerifierIsUploader``, ``BlobDamaged``, or ``Invalid`` (``note``) without words.
    """
    if not note:
        raise Invalid({"note": Message(N_("请写明如何核验来源与完整性"))})
    case = find(session, actor, number)
    file = _file(session, case, file_id)
    if file.uploaded_by == actor.id:
        raise VerifierIsUploader
    _intact(file)

    def apply(_: Case) -> None:
        session.refresh(file, with_for_update=True)
        file.verified_at, file.verified_by, file.verified_name = now(), actor.id, actor.name
        _custody(file, actor, "verify", note)

    change(
        session, actor, number,
        Deed("verify_evidence", body=note, apply=apply, data={"file": file.number},
             facts={"file": file.id, "sha256": file.sha256}),
    )  # fmt: skip
    return file


def _file(
    session: ScopedSession, case: Case, file_id: uuid.UUID, *, lock: bool = False
) -> EvidenceFile:
    query = select(EvidenceFile).where(EvidenceFile.id == file_id, EvidenceFile.case_id == case.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    file = session.scalar(query)
    if file is None:
        raise NotFound
    return file


def _intact(file: EvidenceFile) -> None:
    try:
        with blobs().open(file.blob_key) as stream:
            same = digest_of(stream) == file.sha256
    except FileNotFoundError:
        same = False
    if not same:
        raise BlobDamaged(name=file.name)


def list_of(
    session: ScopedSession, case: Case, *, shared_only: bool = False
) -> Sequence[EvidenceFile]:
    """The files of a case in their order; ``shared_only`` those the complainant may see."""
    query = select(EvidenceFile).where(EvidenceFile.case_id == case.id)
    if shared_only:
        query = query.where(EvidenceFile.audience == Audience.COMPLAINANT.value)
    return session.scalars(query.order_by(EvidenceFile.at, EvidenceFile.number)).all()


def read(
    session: ScopedSession, actor: Actor, number: str, file_id: uuid.UUID
) -> tuple[EvidenceFile, BinaryIO]:
    """One file and its bytes, for download.  The reading is written down: commit it before.

    Raises ``NotFound`` alike for a file that is not there and one that is not for this reader,
    and ``BlobDamaged`` when the bytes are gone.
    """
    case = find(session, actor, number)
    if actor.is_person and not actor.can("case.read"):
        raise NotFound
    file = _file(session, case, file_id, lock=True)
    if actor.kind is ActorKind.COMPLAINANT and file.audience != Audience.COMPLAINANT.value:
        raise NotFound
    try:
        stream = blobs().open(file.blob_key)
    except FileNotFoundError:
        raise BlobDamaged(name=file.name) from None
    _custody(file, actor, "read")
    ledger.append(
        session, kind="evidence.read", object_id=case.id, actor_id=actor.id,
        facts={"number": case.number, "file": file.id, "sha256": file.sha256},
    )  # fmt: skip
    return file, stream


# -- counting ----------------------------------------------------------------------------------


@holds_blobs
def _evidence() -> Select[str, str]:
    return select(EvidenceFile.blob_key, EvidenceFile.sha256)


@dataclass(frozen=True, slots=True)
class Examined:
    """What is wrong between rows and bytes; ``left_over`` nobody names, as after a crash."""

    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    left_over: tuple[str, ...]

    @property
    def bad(self) -> int:
        return len(self.missing) + len(self.damaged) + len(self.left_over)


def examine(session: ScopedSession, store: BlobStore) -> Examined:
    """Compare every row of the firm with its bytes, and every file with the rows, here and now.

    A file that nobody names is left alone for a day, because its row may be about to come.
    """
    faults = {
        key: fault
        for key, sha256 in everything(session)
        if (fault := compare(store, key, sha256)[0])
    }
    faults = still_named(session, faults)
    left: list[str] = []
    listing = store.listing(session.tenant)
    while found := list(islice(listing, PAGE)):
        left += [one.path.name for one in left_over(session, found)]
    return Examined(
        tuple(key for key, fault in faults.items() if fault is Fault.MISSING),
        tuple(key for key, fault in faults.items() if fault is Fault.DAMAGED),
        tuple(left),
    )


def reconcile(session: ScopedSession, store: BlobStore | None = None) -> int:
    """``blob_bad``: rows without blob, hashes that differ, blobs without row past the grace."""
    return examine(session, store or blobs()).bad
