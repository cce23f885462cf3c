"""A made-up firm's letters, visits and agents, made with the same services that people use."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    Actor,
    Case,
    Colleague,
    Role,
    Source,
    TenantContext,
    colleagues,
)
from huiyin_channel_referral import agents, papers, register, transfers
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.schemas import (
    AgentForm,
    CheckForm,
    DraftForm,
    PaperForm,
    ReplyForm,
    TransferForm,
)
from huiyin_channel_referral.terms import Document, Relation, Scope, Way

_DAY: Final = timedelta(days=1)
_PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def fill(ctx: TenantContext) -> None:
    """The letters its cases came with, two more, a visit, a letter by post, and two agents.

    All of them about cases that are there: the number of complaints is the stories' own.
    """
    register.adopt_all(ctx)
    people = colleagues(ctx.session)
    officer, other = _first(people, Role.COMPLAINT_OFFICER), _first(people, Role.APPROVER)
    if officer is None or other is None:
        return
    taking, checking = _as(ctx, officer), _as(ctx, other)
    cases = _open_cases(taking)
    if not cases:
        return
    _letters(taking, _passed_on(taking) or cases)
    _papers(taking, officer, cases)
    _agents(taking, checking, cases)


def _first(people: Sequence[Colleague], role: Role) -> Colleague | None:
    return next((p for p in people if role in p.roles), None)


def _as(ctx: TenantContext, person: Colleague) -> TenantContext:
    """What that colleague would be lent."""
    actor = Actor(person.id, ctx.tenant.id, person.name, person.roles, person.department)
    return replace(ctx, actor=actor)


def _open_cases(ctx: TenantContext) -> list[Case]:
    query = select(Case).where(Case.state == "open", register.in_reach(ctx))
    return list(ctx.session.scalars(query.order_by(Case.received_at, Case.id).limit(3)))


def _passed_on(ctx: TenantContext) -> list[Case]:
    """Cases that came by a letter already, open ones first."""
    query = select(Case).where(Case.source != Source.DIRECT.value, register.in_reach(ctx))
    return list(ctx.session.scalars(query.order_by(Case.state != "open", Case.id).limit(2)))


def _file(name: str) -> list[tuple[str, io.BytesIO]]:
    return [(name, io.BytesIO(_PDF))]


def _letters(ctx: TenantContext, cases: Sequence[Case]) -> None:
    """One that is drafted and due soon, one that was answered in time; both join a known case."""
    day = today_of(ctx)
    near = transfers.take(
        ctx,
        TransferForm(
            case=cases[-1].number, source=Source.CSRC, body="演示证监局投资者保护处",
            number="演证转〔2026〕018 号", received_at=day - 6 * _DAY, letter_on=day - 8 * _DAY,
            due_on=day + 2 * _DAY, contact="王处，021-0000-0000",
            note="请于期限前书面报告处理情况，并附证明材料",
        ),
        _key(), _file("转办函.pdf"),
    )  # fmt: skip
    found = register.find(ctx, near.id)
    words = "已核对有关流水和合同约定，处理方案正在审批，拟于三日内书面答复投资者。"
    transfers.draft(ctx, found, DraftForm(draft=words), found.row.rev)
    later = transfers.take(
        ctx,
        TransferForm(
            case=cases[0].number, source=Source.AMAC, body="演示基金业协会投诉办",
            number="演协函〔2026〕7 号", received_at=day - 9 * _DAY, due_on=day - _DAY,
            note="与贵司已受理事项一并办理",
        ),
        _key(), _file("协会转办函.pdf"),
    )  # fmt: skip
    found = register.find(ctx, later.id)
    sent = ReplyForm(
        replied_on=day - 2 * _DAY, reply_way=Way.SYSTEM, reply_number="演复〔2026〕3 号",
        reply_words="已受理并答复投资者，处理情况见附件。",
    )  # fmt: skip
    transfers.reply(ctx, found, sent, found.row.rev, _file("报送截图.pdf"))


def _papers(ctx: TenantContext, officer: Colleague, cases: Sequence[Case]) -> None:
    """A visit and a letter of complainants who are known."""
    day = today_of(ctx)
    papers.take(
        ctx,
        PaperForm(
            kind="visit", case=cases[-1].number, received_at=day - 3 * _DAY, came_at="10:20",
            received_by=officer.id, place="公司一楼接待室", visitors="吴敏\n其女儿（陪同）",
            notes="情绪平稳，出示了基金合同原件，已复印。请求书面说明处理进展。",
        ),
        _key(), _file("来访登记表.pdf"), _file("签字.pdf"),
    )  # fmt: skip
    papers.take(
        ctx,
        PaperForm(
            kind="letter", case=cases[0].number, received_at=day - 2 * _DAY,
            post_number="演 1234 5678 9 号",
        ),
        _key(), _file("来信.pdf"), (),
    )  # fmt: skip


def _agents(ctx: TenantContext, checking: TenantContext, cases: Sequence[Case]) -> None:
    day = today_of(ctx)
    known = agents.take(
        ctx,
        AgentForm(
            case=cases[0].number, name="何律", relation=Relation.LAWYER, phone="13900000031",
            papers=(Document.MANDATE, Document.LICENCE), valid_from=day - 30 * _DAY,
            scope=(Scope.SUBMIT, Scope.PROGRESS, Scope.ANSWER), valid_until=day + 9 * _DAY,
        ),
        _key(), _file("授权委托书.pdf"),
    )  # fmt: skip
    for lent, how in ((ctx, "电话向投诉人本人确认授权"), (checking, "核对执业证号与所函原件")):
        line = agents.find(lent, known.id)
        agents.check(lent, line, CheckForm(decision="confirm", how=how), line.row.rev)
    agents.take(
        ctx,
        AgentForm(
            case=cases[-1].number, name="孙小雨", relation=Relation.HEIR,
            papers=(Document.KINSHIP, Document.IDENTITY), scope=(Scope.SUBMIT, Scope.PROGRESS),
            valid_from=day - 5 * _DAY, note="投诉人去世，继承人为其女，公证书办理中",
        ),
        _key(), _file("亲属关系证明.pdf"),
    )  # fmt: skip


def _key() -> str:
    return uuid.uuid4().hex
