"""Certificates: issued when everything is done, told by a code that only paper and page hold."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Conflict,
    Message,
    NotFound,
    Paper,
    PaperSection,
    Refused,
    ScopedSession,
    TenantContext,
    clean,
    colleagues,
    local_date,
    mask_name,
    paper_pdf,
    public_link,
    sealed,
    uuid7,
)
from huiyin_training_records.errors import OWN_RECORD
from huiyin_training_records.models import Assignment, Certificate, Course, Version

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
LENGTH: Final = 16  # characters, 80 bits
_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_MAKE: Final = "training_records.certificate"
_LOOK_UP: Final = "training_records.certificate.code"


def code_of(certificate: Certificate) -> str:
    """The code on the paper; it is derived anew each time and kept nowhere."""
    secret = sealed(_MAKE, f"{certificate.tenant_id}:{certificate.id}")
    number = int.from_bytes(secret[:10])
    return "".join(ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))


def shown(code: str) -> str:
    """In groups of four, as it is printed."""
    return "-".join(code[n : n + 4] for n in range(0, LENGTH, 4))


def normal(typed: str) -> str:
    """What somebody typed, as the code is written; ``""`` if it cannot be one."""
    bare = "".join(c for c in clean(typed).upper() if c.isalnum()).translate(_ALIKE)
    return bare if len(bare) == LENGTH and set(bare) <= set(ALPHABET) else ""


def issue(ctx: TenantContext, assignment: Assignment, course: Course, version: Version) -> None:
    """For the person of the assignment, who is done."""
    people = {person.id: person.name for person in colleagues(ctx.session, former=True)}
    row = Certificate(
        id=uuid7(), tenant_id=ctx.session.tenant, assignment_id=assignment.id,
        account_id=assignment.account_id, holder=people[assignment.account_id],
        course_title=course.title, version_number=version.number,
        issued_on=local_date(ctx.now()), valid_until=assignment.valid_until,
    )  # fmt: skip
    row.code_hash = sealed(_LOOK_UP, code_of(row))
    ctx.session.add(row)
    ctx.session.flush()


def of(session: ScopedSession, assignment_id: uuid.UUID) -> Certificate | None:
    return session.scalars(
        select(Certificate).where(Certificate.assignment_id == assignment_id)
    ).one_or_none()


def revoke(ctx: TenantContext, certificate: Certificate, reason: str) -> None:
    """It no longer counts, and whoever checks it is told so.  Nobody revokes his own."""
    if certificate.account_id == ctx.actor.id:
        raise Refused(OWN_RECORD)
    if certificate.revoked_at is not None:
        raise Conflict(N_("这张证书已经撤销"))
    certificate.revoked_at, certificate.revoked_by = ctx.now(), ctx.actor.id
    certificate.revoked_for = reason
    ctx.session.flush()
    ctx.record("certificate_revoked", certificate.id, {}, {"reason": reason})


# -- checking ----------------------------------------------------------------------------------


class Answer(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a stranger who holds the code is told."""

    answer: Answer
    holder: str  # masked
    course: str
    version: int
    issued_on: date
    valid_until: date | None
    code: str


def check(ctx: TenantContext, typed: str) -> Checked:
    """Raises ``NotFound`` for a code that is none, wrong, or another firm's: all alike."""
    code = normal(typed)
    found = ctx.session.scalars(
        select(Certificate).where(Certificate.code_hash == sealed(_LOOK_UP, code or "-"))
    ).one_or_none()
    if found is None:
        raise NotFound
    return Checked(
        answer=answer_of(found, local_date(ctx.now())), holder=mask_name(found.holder),
        course=found.course_title, version=found.version_number, issued_on=found.issued_on,
        valid_until=found.valid_until, code=shown(code),
    )  # fmt: skip


def answer_of(certificate: Certificate, day: date) -> Answer:
    if certificate.revoked_at is not None:
        return Answer.REVOKED
    ended = certificate.valid_until is not None and certificate.valid_until < day
    return Answer.EXPIRED if ended else Answer.VALID


# -- paper -------------------------------------------------------------------------------------


def pdf(ctx: TenantContext, certificate: Certificate) -> bytes:
    """A page to be hung on a wall, with the code by which anybody can check it."""
    _ = ctx.text
    code = shown(code_of(certificate))
    until = certificate.valid_until
    said = Message(
        N_("兹证明 {name} 已完成「{course}」的学习与考核"),
        {"name": certificate.holder, "course": certificate.course_title},
    )
    english = ctx.translator.language == "en"
    paper = Paper(
        title=_(N_("培训证书")), firm_name=ctx.tenant.name, date=certificate.issued_on,
        number=code, language="en" if english else "zh", certificate=True,
        facts=(
            (_(N_("姓名")), certificate.holder),
            (_(N_("课程")), certificate.course_title),
            (_(N_("版本")), str(certificate.version_number)),
            (_(N_("有效期至")), until.isoformat() if until else _(N_("长期"))),
        ),
        sections=(PaperSection(paragraphs=(_(said),)),),
        footer=_(
            N_("核验地址 {link}，编码 {code}"),
            link=public_link(ctx.tenant, "certificate"), code=code,
        ),
    )  # fmt: skip
    return paper_pdf(paper)
