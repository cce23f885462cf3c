"""What returns by itself does so in every firm, whoever set it up."""

from datetime import timedelta

from sqlalchemy import select

from huiyin.cases import tasks as reminders
from huiyin.db import tenant_session
from huiyin.evidence import tasks as evidence
from huiyin.queue import forgetting
from huiyin.queue.models import Schedule
from huiyin.queue.schedule import start_everywhere


def test_clocks_and_files_are_looked_at_in_every_firm(engine, tenant, make_tenant):
    other = make_tenant("yuancen")
    known = set()
    for _ in range(2):
        start_everywhere(engine, known)
    for firm in (tenant, other):
        with tenant_session(engine, firm.id) as mine:
            rows = {row.kind: row.every for row in mine.scalars(select(Schedule))}
        assert rows == {
            reminders.SCAN: timedelta(minutes=5), evidence.SWEEP: timedelta(days=1),
            forgetting.FORGET: timedelta(days=1),
        }  # fmt: skip
    assert known == {tenant.id, other.id}
