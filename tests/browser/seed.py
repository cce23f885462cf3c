"""A small firm for tests that click: ``python seed.py PASSWORD`` into ``HUIYIN_HOME``."""

import sys
from collections.abc import Callable

from huiyin.app.compose import Installation, install
from huiyin.app.settings import Settings
from huiyin.identity.policy import Role
from huiyin.onboarding import seed
from huiyin.onboarding.schemas import FirmData, Firms, FundData, PersonData

TENANT = "yuanshan"
PEOPLE = (
    (Role.TENANT_ADMIN, "admin", "林之航", "运营部"),
    (Role.COMPLAINT_OFFICER, "officer", "沈佳宁", "合规客服部"),
    (Role.INVESTIGATOR, "investigator", "周岚", "合规风控部"),
    (Role.APPROVER, "approver", "顾明远", "公司管理层"),
)


def firms() -> Firms:
    firm = FirmData(
        slug=TENANT, name="远山私募基金管理（上海）有限公司", short_name="远山私募",
        mark="远", number_prefix="YS", hotline="400-000-0009",
        mailbox="tousu@yuanshan.test", address="上海市浦东新区试验路 9 号",
        plugins=("channel_web",),
    )  # fmt: skip
    people = tuple(
        PersonData(
            tenant=TENANT, roles=(role,), name=name, email=f"{login}@{TENANT}.test",
            department=department,
        )
        for role, login, name, department in PEOPLE
    )  # fmt: skip
    fund = FundData(
        tenant=TENANT, filing_code="SZZ001", name="远山稳健一号私募证券投资基金",
        short_name="稳健一号", risk_level="R3", custodian="试验托管银行",
    )  # fmt: skip
    return Firms(tenants=(firm,), people=people, funds=(fund,))


def main(password: str, more: Callable[[Installation], None] = lambda _: None) -> None:
    """``more`` adds to the firm before the installation is closed."""
    installation = install(Settings.read())
    try:
        engine = installation.engine
        seed.load(
            engine, installation.host, firms(), (), password=password,
            base=seed.base_of(engine, [TENANT]),
        )  # fmt: skip
        more(installation)
    finally:
        installation.close()


if __name__ == "__main__":
    main(sys.argv[1])
