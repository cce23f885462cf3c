"""Courses and their versions: written as a draft, published once, never changed afterwards."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec
from sqlalchemy import Select, delete, func, select, update

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    NotFound,
    ScopedSession,
    TenantContext,
    TooLarge,
    causes,
    clean_file_name,
    holds_blobs,
    is_program,
    uuid7,
)
from huiyin_training_records.errors import PUBLISHED
from huiyin_training_records.models import (
    Assignment,
    Attempt,
    Course,
    Material,
    Question,
    Reading,
    Version,
)
from huiyin_training_records.schemas import (
    CourseForm,
    MaterialForm,
    QuestionForm,
    RulesForm,
)
from huiyin_training_records.terms import AssignmentState, VersionState

MEGABYTE: Final = 1024 * 1024
LIMITS: Final[Mapping[str, int]] = {"pdf": 20 * MEGABYTE, "video": 60 * MEGABYTE}
MOST_MATERIALS: Final = 30
MOST_QUESTIONS: Final = 200
MOST_OPTIONS: Final = 8
JUDGE: Final = (N_("对"), N_("错"))
ANSWERS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("对", "正确", "true"), 0),
    **dict.fromkeys(("错", "错误", "false"), 1),
}
# How such a file begins: offset and bytes.
BEGINS: Final[Mapping[str, tuple[int, bytes]]] = {"pdf": (0, b"%PDF-"), "video": (4, b"ftyp")}
MEDIA: Final[Mapping[str, str]] = {"pdf": "application/pdf", "video": "video/mp4"}


# -- the course --------------------------------------------------------------------------------


def find(session: ScopedSession, course_id: uuid.UUID, *, lock: bool = False) -> Course:
    """Raises ``NotFound``.  ``lock`` holds the course until the transaction ends."""
    asked = select(Course).where(Course.id == course_id)
    course = session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if course is None:
        raise NotFound
    return course


def create(ctx: TenantContext, form: CourseForm) -> Course:
    """A new course with an empty draft.  Raises ``Invalid`` for a code that is taken."""
    _check_course(ctx, form, None)
    course = Course(id=uuid7(), created_by=ctx.actor.id, **_facts(form))
    ctx.session.add(course)
    ctx.session.flush()
    _new_draft(ctx, course, None)
    ctx.record("course_created", course.id, {"code": course.code})
    return course


def change(ctx: TenantContext, course: Course, form: CourseForm, rev: int) -> None:
    """Raises ``Conflict`` when somebody else changed the course in between."""
    _check_course(ctx, form, course.id)
    done = ctx.session.execute(
        update(Course)
        .where(Course.id == course.id, Course.rev == rev)
        .values(rev=rev + 1, **_facts(form))
        .returning(Course.id)
    ).scalar_one_or_none()
    if done is None:
        raise Conflict(N_("这门课程刚被其他人修改，请核对后重新保存"))
    ctx.session.refresh(course)
    ctx.record("course_changed", course.id, {"code": course.code, "rev": rev + 1})


def _facts(form: CourseForm) -> dict[str, Any]:
    facts = msgspec.structs.asdict(form)
    return {**facts, "code": form.code.upper(), "causes": list(dict.fromkeys(form.causes))}


def _check_course(ctx: TenantContext, form: CourseForm, own: uuid.UUID | None) -> None:
    known = set(causes())
    if unknown := [code for code in form.causes if code not in known]:
        text = Message(N_("没有根因 {code}，请从列表中选择"), {"code": unknown[0]})
        raise Invalid({"causes": text})
    taken = ctx.session.scalar(select(Course.id).where(Course.code == form.code.upper()))
    if taken is not None and taken != own:
        raise Invalid({"code": N_("这个编号已有课程使用，请换一个")})


def retire(ctx: TenantContext, course: Course, *, retired: bool) -> None:
    """No longer assigned; what was learnt stays valid as long as it would have been."""
    course.retired = retired
    ctx.record("course_retired" if retired else "course_restored", course.id, {})


def published(session: ScopedSession, course_id: uuid.UUID) -> Version | None:
    """The version that is taught now."""
    return session.scalars(
        select(Version)
        .where(Version.course_id == course_id, Version.state == VersionState.PUBLISHED.value)
        .order_by(Version.number.desc())
        .limit(1)
    ).one_or_none()


# -- the draft ---------------------------------------------------------------------------------


def draft_of(ctx: TenantContext, course: Course) -> Version:
    """The draft at hand, or a new one that begins as a copy of what is taught."""
    found = ctx.session.scalars(
        select(Version).where(
            Version.course_id == course.id, Version.state == VersionState.DRAFT.value
        )
    ).one_or_none()
    if found is not None:
        return found
    return _new_draft(ctx, course, published(ctx.session, course.id))


def _new_draft(ctx: TenantContext, course: Course, old: Version | None) -> Version:
    kept = (
        {
            name: getattr(old, name)
            for name in ("draw", "pass_mark", "attempts", "statement", "authors")
        }
        if old
        else {}
    )
    number = (old.number if old else 0) + 1
    draft = Version(id=uuid7(), course_id=course.id, number=number, **kept)
    ctx.session.add(draft)
    ctx.session.flush()
    for row in _parts(ctx.session, old) if old else ():
        columns = {c.key: getattr(row, c.key) for c in type(row).__mapper__.columns}
        ctx.session.add(type(row)(**{**columns, "id": uuid7(), "version_id": draft.id}))
    ctx.session.flush()
    return draft


def _parts(session: ScopedSession, version: Version) -> Sequence[Material | Question]:
    return [*materials(session, version.id), *questions(session, version.id)]


def materials(session: ScopedSession, version_id: uuid.UUID) -> Sequence[Material]:
    return session.scalars(
        select(Material).where(Material.version_id == version_id).order_by(Material.seq)
    ).all()


def questions(session: ScopedSession, version_id: uuid.UUID) -> Sequence[Question]:
    return session.scalars(
        select(Question).where(Question.version_id == version_id).order_by(Question.seq)
    ).all()


def set_rules(ctx: TenantContext, version: Version, form: RulesForm) -> None:
    """Draw, pass mark, attempts and the words to be attested."""
    _only_draft(version)
    for name, value in msgspec.structs.asdict(form).items():
        setattr(version, name, value)
    _wrote(ctx, version)


def add_material(
    ctx: TenantContext, version: Version, form: MaterialForm, file: tuple[str, BinaryIO] | None
) -> Material:
    """Raises ``Invalid`` at the field that lacks what the kind of material needs."""
    _only_draft(version)
    known = materials(ctx.session, version.id)
    if len(known) >= MOST_MATERIALS:
        raise Invalid({"title": Message(N_("一个版本最多 {n} 份材料"), {"n": MOST_MATERIALS})})
    row = Material(
        id=uuid7(), version_id=version.id, kind=form.kind, title=form.title,
        seq=(known[-1].seq if known else 0) + 1,
    )  # fmt: skip
    if form.kind == "text":
        if len(form.body) < 10:
            raise Invalid({"body": Message(N_("请至少写 {n} 个字"), {"n": 10})})
        row.body = form.body
    elif form.kind == "link":
        if not form.url:
            raise Invalid({"url": N_("请填写以 https:// 开头的网址")})
        row.url = form.url
    else:
        _keep_file(ctx, row, file)
    ctx.session.add(row)
    _wrote(ctx, version)
    return row


def _keep_file(ctx: TenantContext, row: Material, file: tuple[str, BinaryIO] | None) -> None:
    if file is None or not file[0]:
        raise Invalid({"file": N_("请选择要上传的文件")})
    name, stream = clean_file_name(file[0]), file[1]
    stream.seek(0)  # a request that is run again has read it once
    head = stream.read(4096)
    stream.seek(0)
    offset, begins = BEGINS[row.kind]
    if is_program(name, head) or not head[offset:].startswith(begins):
        raise Invalid({"file": N_("文件内容与种类不符，请上传 PDF 或 MP4 文件")})
    limit = LIMITS[row.kind]
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, limit)
    except TooLarge:
        text = Message(N_("文件超过 {n} MB，请压缩后上传"), {"n": limit // MEGABYTE})
        raise Invalid({"file": text}) from None
    row.file_name, row.blob_key, row.sha256, row.size = name, blob.key, blob.sha256, blob.size


@holds_blobs
def _held() -> Select[str, str]:
    return select(Material.blob_key, Material.sha256)


def drop(
    ctx: TenantContext, version: Version, kind: type[Material | Question], row_id: uuid.UUID
) -> None:
    """Take a material or a question out of a draft."""
    _only_draft(version)
    found = ctx.session.scalars(
        select(kind).where(kind.id == row_id, kind.version_id == version.id)
    ).one_or_none()
    if found is None:
        raise NotFound
    ctx.session.delete(found)
    _wrote(ctx, version)


def add_question(ctx: TenantContext, version: Version, form: QuestionForm) -> Question:
    """Raises ``Invalid`` for options that do not make a question of that kind."""
    _only_draft(version)
    options, right = read_options(form.kind, form.options)
    last, n = ctx.session.execute(
        select(func.max(Question.seq), func.count()).where(Question.version_id == version.id)
    ).one()
    if n >= MOST_QUESTIONS:
        raise Invalid({"text": Message(N_("题库最多 {n} 题"), {"n": MOST_QUESTIONS})})
    row = Question(
        id=uuid7(), version_id=version.id, seq=(last or 0) + 1, kind=form.kind, text=form.text,
        options=options, right=right, why=form.why,
    )  # fmt: skip
    ctx.session.add(row)
    _wrote(ctx, version)
    return row


def read_options(kind: str, typed: str) -> tuple[list[str], list[int]]:
    """One option a line, right ones with a star before them; of a judgement just the answer."""
    lines = [line.strip() for line in typed.split("\n") if line.strip()]
    if kind == "judge":
        said = lines[0].lstrip("*＊ ").lower() if len(lines) == 1 else ""
        if said not in ANSWERS:
            raise Invalid({"options": N_("判断题只填一行：对 或 错")})
        return list(JUDGE), [ANSWERS[said]]
    options = [line.lstrip("*＊ ")[:200] for line in lines]
    right = [n for n, line in enumerate(lines) if line[0] in "*＊"]
    if not 2 <= len(options) <= MOST_OPTIONS or len(set(options)) != len(options):
        text = Message(N_("请填写 2 到 {n} 个不同的选项，每行一个"), {"n": MOST_OPTIONS})
        raise Invalid({"options": text})
    if kind == "single" and len(right) != 1:
        raise Invalid({"options": N_("单选题请在一个正确选项前加 *")})
    if kind == "multi" and len(right) < 2:
        raise Invalid({"options": N_("多选题请在至少两个正确选项前加 *")})
    return options, right


def _only_draft(version: Version) -> None:
    if version.state != VersionState.DRAFT:
        raise Conflict(PUBLISHED)


def _wrote(ctx: TenantContext, version: Version) -> None:
    """Whoever has worked on it knows the answers, and does not sit its quiz."""
    if str(ctx.actor.id) not in version.authors:
        version.authors = [*version.authors, str(ctx.actor.id)]
    version.rev += 1
    ctx.session.flush()


# -- publishing --------------------------------------------------------------------------------


def publish(ctx: TenantContext, course: Course, version: Version) -> None:
    """From now on this is taught.  Whoever has not begun yet goes over to it.

    Raises ``Invalid`` for a pool smaller than the draw, or nothing to learn.
    """
    _only_draft(version)
    pool = len(questions(ctx.session, version.id))
    shown = materials(ctx.session, version.id)
    if pool < version.draw:
        text = Message(
            N_("题库只有 {n} 题，少于每次抽取的 {m} 题，请补充题目或减少抽题数"),
            {"n": pool, "m": version.draw},
        )
        raise Invalid({"draw": text})
    if not shown and not course.needs_session:
        raise Invalid({"form": N_("请至少添加一份材料，或要求参加现场培训")})
    version.content_sha256 = content_hash(course, version, shown, ctx.session)
    version.state = VersionState.PUBLISHED.value
    version.published_at, version.published_by = ctx.now(), ctx.actor.id
    _wrote(ctx, version)
    _move_untouched(ctx, course, version)
    ctx.record(
        "version_published", version.id,
        {"course": str(course.id), "number": version.number, "sha256": version.content_sha256},
    )  # fmt: skip


def content_hash(
    course: Course, version: Version, shown: Sequence[Material], session: ScopedSession
) -> str:
    """What an attestation is about: every word and file of the version."""
    said = {
        "course": course.code, "number": version.number, "statement": version.statement,
        "quiz": [version.draw, version.pass_mark],
        "materials": [[m.kind, m.title, m.body, m.url, m.sha256] for m in shown],
        "questions": [
            [q.kind, q.text, q.options, q.right] for q in questions(session, version.id)
        ],
    }  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _move_untouched(ctx: TenantContext, course: Course, version: Version) -> None:
    begun = select(Reading.assignment_id).union(select(Attempt.assignment_id))
    ctx.session.execute(
        update(Assignment)
        .where(
            Assignment.course_id == course.id,
            Assignment.state == AssignmentState.OPEN.value,
            Assignment.id.not_in(begun),
        )
        .values(version_id=version.id)
        .execution_options(synchronize_session=False)
    )


def discard(ctx: TenantContext, version: Version) -> None:
    """Throw a draft away."""
    _only_draft(version)
    if version.number == 1:
        raise Conflict(N_("第一版不能丢弃，可以停用课程"))
    ctx.session.execute(delete(Version).where(Version.id == version.id))
