"""How the tests of the API file and follow a complaint."""

from __future__ import annotations

from sqlalchemy import func, select

from huiyin.cases.models import Case
from huiyin.db import tenant_session

STORY = "二月初申请赎回，合同写明三个工作日到账，至今没有收到。"
BODY = {"story": STORY, "name": "陈建国", "phone": "13800006021", "fund": "青禾稳健一号"}


def file(client, body=None, key="k-1", firm="qinghe", **headers):
    return client.ask(
        "POST",
        f"/api/v1/p/{firm}/complaints",
        json=BODY if body is None else body,
        headers={"Idempotency-Key": key, **headers},
    )


def track(client, number, code, firm="qinghe"):
    return client.get(f"/api/v1/p/{firm}/cases/{number}", headers={"X-Tracking-Code": code})


def count(engine, tenant, model=Case):
    with tenant_session(engine, tenant.id) as session:
        return session.scalar(select(func.count()).select_from(model))
