"""Courses, their drafts, and who must hold them."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Conflict,
    Desk,
    Form,
    FormData,
    NotFound,
    TenantContext,
    UploadData,
    action,
    causes,
    context_of,
    defaults,
    page,
    parse,
)
from huiyin_training_records import assigning, courses
from huiyin_training_records.errors import DRAFT_GONE
from huiyin_training_records.models import (
    Assignment,
    Course,
    Material,
    Question,
    Requirement,
    Version,
)
from huiyin_training_records.schemas import (
    AssignForm,
    CourseForm,
    MaterialForm,
    QuestionForm,
    RequirementForm,
    RulesForm,
)
from huiyin_training_records.shared import (
    BODY,
    attempt,
    home,
    key_of,
    options_of,
    people_of,
    rev_of,
    show,
    told,
    upload_of,
    without_file,
)
from huiyin_training_records.terms import MANAGE, READ, ROLE_TITLES, AssignmentState, VersionState

PAGE = 50


class CoursesController(Controller):
    path = "/manage/courses"

    @page("/", name="training_records:courses", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        rows = _listed(ctx, key_of(desk, "after"))
        more = f"?after={rows[PAGE - 1][0].id}" if len(rows) > PAGE else ""
        return show(desk, "courses.html", rows=rows[:PAGE], more=more, causes=causes())

    @page("/new", name="training_records:course_new", permission=MANAGE)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _course_form(desk, defaults(CourseForm), 200, None)

    @action("/new", name="training_records:course_create", permission=MANAGE)
    def create(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            made = courses.create(ctx, parse(CourseForm, data))
            return f"/manage/courses/{made.id}/draft"

        return attempt(
            desk, data, do, N_("课程已建立，请编写内容后发布"),
            lambda form, status: _course_form(desk, form, status, None),
        )  # fmt: skip

    @page("/{key:uuid}", name="training_records:course", permission=READ)
    def show_course(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _course_page(desk, key, Form(), 200)

    @page("/{key:uuid}/edit", name="training_records:course_edit", permission=MANAGE)
    def edit(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        course = courses.find(context_of(desk).session, key)
        return _course_form(desk, _filled(course), 200, course)

    @action("/{key:uuid}/edit", name="training_records:course_change", permission=MANAGE)
    def change(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            course = courses.find(ctx.session, key)
            courses.change(ctx, course, parse(CourseForm, data), rev_of(data))
            return f"/manage/courses/{key}"

        def again(form: Form, status: int) -> Response[Any]:
            course = courses.find(context_of(desk).session, key)
            if course.rev != rev_of(data):
                form.beside(_filled(course))
            return _course_form(desk, form, status, course)

        return attempt(desk, data, do, N_("课程已保存"), again)

    @action("/{key:uuid}/retire", name="training_records:course_retire", permission=MANAGE)
    def retire(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        """The form says which way, so that two clicks do not undo each other."""
        ctx = context_of(desk)
        wanted = str(data.get("to", ""))
        if wanted not in {"on", "off"}:
            raise NotFound
        courses.retire(ctx, courses.find(ctx.session, key), retired=wanted == "off")
        said = N_("课程已停用，已有的培训记录不变") if wanted == "off" else N_("课程已恢复")
        return desk.redirect(home(desk, f"/manage/courses/{key}"), said)

    # -- who must hold it ----------------------------------------------------------------------

    @action("/{key:uuid}/require", name="training_records:require", permission=MANAGE)
    def require(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            course = courses.find(ctx.session, key)
            assigning.require(ctx, course, parse(RequirementForm, data))
            return f"/manage/courses/{key}"

        return attempt(
            desk, data, do, N_("岗位要求已保存"),
            lambda form, status: _course_page(desk, key, form, status),
        )  # fmt: skip

    @action("/{key:uuid}/release", name="training_records:release", permission=MANAGE)
    def release(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        course = courses.find(ctx.session, key)
        assigning.no_longer_required(ctx, course, str(data.get("role", ""))[:40])
        return desk.redirect(home(desk, f"/manage/courses/{key}"), N_("岗位要求已取消"))

    @page("/{key:uuid}/assign", name="training_records:assign", permission=MANAGE)
    def assign_page(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _assign_page(desk, key, Form(), 200)

    @action("/{key:uuid}/assign", name="training_records:assign_do", permission=MANAGE)
    def assign(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            course = courses.find(ctx.session, key)
            assigning.by_hand(ctx, course, parse(AssignForm, data))
            return f"/manage/courses/{key}"

        return attempt(
            desk, data, do, N_("已指派，正在学习或仍有效的人员未重复指派"),
            lambda form, status: _assign_page(desk, key, form, status),
        )  # fmt: skip


class DraftController(Controller):
    path = "/manage/courses/{key:uuid}/draft"

    @page("/", name="training_records:draft", permission=MANAGE)
    def index(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _draft_page(desk, key, Form(), 200)

    @action("/begin", name="training_records:draft_begin", permission=MANAGE)
    def begin(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        courses.draft_of(ctx, courses.find(ctx.session, key, lock=True))
        return desk.redirect(home(desk, f"/manage/courses/{key}/draft"))

    @action("/rules", name="training_records:draft_rules", permission=MANAGE)
    def rules(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        return _write(
            desk, key, data, N_("规则已保存"),
            lambda ctx, draft: courses.set_rules(ctx, draft, parse(RulesForm, data)),
        )  # fmt: skip

    @action("/materials", name="training_records:material_add", permission=MANAGE, limit=BODY)
    def add_material(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        def do(ctx: TenantContext, draft: Version) -> None:
            form = parse(MaterialForm, without_file(data))
            courses.add_material(ctx, draft, form, upload_of(data))

        return _write(desk, key, data, N_("材料已添加"), do)

    @action("/questions", name="training_records:question_add", permission=MANAGE)
    def add_question(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        return _write(
            desk, key, data, N_("题目已添加"),
            lambda ctx, draft: courses.add_question(ctx, draft, parse(QuestionForm, data)),
        )  # fmt: skip

    @action("/drop/{what:str}/{row:uuid}", name="training_records:draft_drop", permission=MANAGE)
    def drop(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], what: FromPath[str],
        row: FromPath[uuid.UUID], data: FormData,
    ) -> Response[Any]:  # fmt: skip
        kinds: dict[str, type[Material | Question]] = {
            "material": Material,
            "question": Question,
        }
        if what not in kinds:
            raise NotFound
        return _write(
            desk, key, data, N_("已移除"),
            lambda ctx, draft: courses.drop(ctx, draft, kinds[what], row),
        )  # fmt: skip

    @action("/publish", name="training_records:publish", permission=MANAGE)
    def publish(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            course = courses.find(ctx.session, key, lock=True)
            courses.publish(ctx, course, _draft_to_change(ctx, course))
            return f"/manage/courses/{key}"

        return attempt(
            desk, data, do, N_("新版本已发布"),
            lambda form, status: _draft_again(desk, key, form, status),
        )  # fmt: skip

    @action("/discard", name="training_records:draft_discard", permission=MANAGE)
    def discard(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        course = courses.find(ctx.session, key, lock=True)
        return told(
            desk, lambda: courses.discard(ctx, _draft_to_change(ctx, course)),
            f"/manage/courses/{key}", N_("草稿已丢弃"),
        )  # fmt: skip


# -- pages -------------------------------------------------------------------------------------


def _listed(ctx: TenantContext, after: uuid.UUID | None) -> list[tuple[Course, Any, int]]:
    newest = (
        select(Version.course_id, func.max(Version.number).label("number"))
        .where(Version.state == VersionState.PUBLISHED.value)
        .group_by(Version.course_id)
        .subquery()
    )
    running = (
        select(Assignment.course_id, func.count().label("n"))
        .where(Assignment.state == AssignmentState.OPEN.value)
        .group_by(Assignment.course_id)
        .subquery()
    )
    asked = (
        select(Course, newest.c.number, func.coalesce(running.c.n, 0))
        .outerjoin(newest, newest.c.course_id == Course.id)
        .outerjoin(running, running.c.course_id == Course.id)
        .order_by(Course.id)
        .limit(PAGE + 1)
    )
    if after is not None:
        asked = asked.where(Course.id > after)
    return [(course, number, n) for course, number, n in ctx.session.execute(asked)]


def _filled(course: Course) -> Form:
    return defaults(
        CourseForm, code=course.code, title=course.title, aim=course.aim,
        valid_months=course.valid_months, causes=course.causes,
        needs_session=course.needs_session,
    )  # fmt: skip


def _draft(ctx: TenantContext, course: Course) -> Version:
    found = ctx.session.scalars(
        select(Version).where(
            Version.course_id == course.id, Version.state == VersionState.DRAFT.value
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _draft_to_change(ctx: TenantContext, course: Course) -> Version:
    """The draft, which somebody else may have published or thrown away meanwhile."""
    try:
        return _draft(ctx, course)
    except NotFound:
        raise Conflict(DRAFT_GONE) from None


def _draft_again(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    """The refused form on its draft, or on the page of the course once there is none."""
    try:
        return _draft_page(desk, key, form, status)
    except NotFound:
        return _course_page(desk, key, form, status)


def _write(desk: Desk, key: uuid.UUID, data: Any, said: str, do: Any) -> Response[Any]:
    """One change of the draft; its course is held, so that publishing does not come between."""

    def change(ctx: TenantContext) -> str:
        course = courses.find(ctx.session, key, lock=True)
        do(ctx, _draft_to_change(ctx, course))
        return f"/manage/courses/{key}/draft"

    return attempt(
        desk, data, change, said, lambda form, status: _draft_again(desk, key, form, status)
    )


def _course_form(desk: Desk, form: Form, status: int, course: Course | None) -> Response[Any]:
    options = [(code, f"{code} {desk._(cause.title)}") for code, cause in causes().items()]
    return show(
        desk, "course_form.html", status=status, form=form, course=course, cause_options=options
    )


def _course_page(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    form = form if form.values else defaults(RequirementForm)
    course = courses.find(ctx.session, key)
    versions = ctx.session.scalars(
        select(Version).where(Version.course_id == key).order_by(Version.number.desc()).limit(PAGE)
    ).all()
    asked = ctx.session.scalars(
        select(Requirement).where(Requirement.course_id == key).order_by(Requirement.role)
    ).all()
    current = next((v for v in versions if v.state == VersionState.PUBLISHED), None)
    return show(
        desk, "course.html", status=status, form=form, course=course, versions=versions,
        asked=asked, current=current, causes=causes(), roles=ROLE_TITLES,
        draft=next((v for v in versions if v.state == VersionState.DRAFT), None),
        materials=courses.materials(ctx.session, current.id) if current else (),
        pool=len(courses.questions(ctx.session, current.id)) if current else 0,
        names={person.id: person.name for person in people_of(ctx)},
    )  # fmt: skip


def _draft_page(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    course = courses.find(ctx.session, key)
    draft = _draft(ctx, course)
    known = {
        name: getattr(draft, name)
        for name in ("draw", "pass_mark", "attempts", "statement", "change")
    }
    rules = form if "draw" in form.values else defaults(RulesForm, **known)
    if "draw" in form.errors:
        rules.errors["draw"] = form.errors["draw"]
    return show(
        desk, "draft.html", status=status, form=form, rules=rules, course=course, draft=draft,
        materials=courses.materials(ctx.session, draft.id),
        questions=courses.questions(ctx.session, draft.id),
        adds_material="body" in form.values,
        adds_question="options" in form.values,
    )  # fmt: skip


def _assign_page(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    return show(
        desk, "assign.html", status=status, form=form, course=courses.find(ctx.session, key),
        people=options_of(desk, people_of(ctx)), today=assigning.today_of(ctx),
    )  # fmt: skip
