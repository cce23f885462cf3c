"""One step of the queue in a process that may be killed; see the fixture ``child``."""

import os
import sys
import uuid

from sqlalchemy import update

from huiyin.db import tenant_session
from huiyin.db.engine import application_engine
from huiyin.queue.registry import REGISTRY
from huiyin.queue.relay import fan_out, publish
from huiyin.queue.service import emit
from huiyin.queue.worker import run_one
from huiyin.tenancy.models import Counter


@REGISTRY.handler("count", on=["case.closed"])
def count(session, job):
    if not session.execute(update(Counter).values(value=Counter.value + 1)).rowcount:
        session.add(Counter(name="done", value=1))


def main(step: str, *ids: str) -> None:
    engine = application_engine(os.environ["TEST_DATABASE"], pool=2, overflow=1)
    if step == "emit":
        with tenant_session(engine, uuid.UUID(ids[0])) as session:
            emit(session, "case.closed", object_id=uuid.UUID(int=1))
            session.commit()
    elif step == "fan_out":
        fan_out(engine)
    elif step == "publish":
        publish(engine, lambda *_: None, room=10)
    elif step == "run":
        run_one(engine, uuid.UUID(ids[0]), uuid.UUID(ids[1]))
    engine.dispose()


main(*sys.argv[1:])
