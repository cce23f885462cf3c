"""Investors and funds of one firm."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel, columns
from huiyin.kit.text import mask_email, mask_name, mask_phone
from huiyin.kit.time import now


class PartyKind(StrEnum):
    PERSON = "person"
    ENTITY = "entity"


class Investor(TenantModel):
    """Somebody who holds, held or says to hold a product of the firm.

    A complaint filed in public makes a record of its own; joining it with a known investor is
    an officer's act, never a guess.
    """

    __tablename__ = "investor"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index("ix_investor_tenant_id_phone", *columns("phone")),
        Index("ix_investor_tenant_id_email", *columns("email")),
    )

    name: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default=PartyKind.PERSON.value)
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    investor_class: Mapped[str] = mapped_column(default="")  # 普通 / 专业
    risk_level: Mapped[str] = mapped_column(default="")  # C1–C5
    vulnerable: Mapped[bool] = mapped_column(default=False)
    preferred_contact: Mapped[str] = mapped_column(default="")
    known: Mapped[bool] = mapped_column(default=False)  # checked against the register
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_contact(self) -> str:
        return mask_phone(self.phone) if self.phone else mask_email(self.email)


class Fund(TenantModel):
    """A product: its filing code with the association, custodian, and when it ended."""

    __tablename__ = "fund"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "filing_code"),)

    name: Mapped[str]
    short_name: Mapped[str]
    filing_code: Mapped[str]  # 备案编码
    kind: Mapped[str] = mapped_column(default="")
    risk_level: Mapped[str] = mapped_column(default="")  # R1–R5
    custodian: Mapped[str] = mapped_column(default="")
    listed: Mapped[bool] = mapped_column(default=True)  # offered in the public form
    liquidated_on: Mapped[date | None]
