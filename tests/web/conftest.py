"""Every route of the product, and a firm with one of everything in it."""

import re
import uuid
from dataclasses import dataclass

import pytest
from litestar.enums import RequestEncodingType
from sqlalchemy import func, select, update

from huiyin.cases import service
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Task
from huiyin.db import tenant_session
from huiyin.evidence import service as evidence
from huiyin.identity.policy import PUBLIC
from huiyin.ledger.models import LedgerEntry
from huiyin.letters import service as letters
from huiyin.letters.schemas import AnswerForm
from huiyin.parties.models import Fund
from huiyin.plugins.loading import SHIPPED
from huiyin.remedies import service as remedies
from huiyin.remedies.schemas import Measure, PlanForm
from huiyin.tenancy.models import PluginActivation, SettingVersion
from huiyin.web.routes import MARK


@pytest.fixture
def web_plugins():
    """The product as it is shipped."""
    return SHIPPED


@pytest.fixture
def make_tenant(make_tenant, engine):
    """A firm that has everything on that is shipped; ``plugins=()`` leaves it as it comes."""

    def make(slug="qinghe", *, plugins=SHIPPED, **facts):
        firm = make_tenant(slug, **facts)
        with tenant_session(engine, firm.id) as session:
            session.add_all([PluginActivation(plugin=name, active=True) for name in plugins])
            session.commit()
        return firm

    return make


@dataclass(frozen=True)
class Route:
    """One operation: its path with places to fill, and what it asks for."""

    method: str
    path: str
    name: str
    permission: str
    kind: str
    upload: bool = False  # takes files, and nothing but multipart

    def __str__(self):
        return f"{self.method} {self.path}"

    @property
    def is_safe(self):
        return self.method == "GET"

    @property
    def is_staff(self):
        return self.permission != PUBLIC and "{tenant" in self.path

    @property
    def files(self):
        """What makes a request one with files, for the routes that take nothing else."""
        return {"files": {"files": ("a.txt", b"a", "text/plain")}} if self.upload else {}

    def at(self, **known):
        """The path with what is known filled in, and something likely in every other place."""
        return re.sub(
            r"\{(\w+):(\w+)\}",
            lambda m: (
                "7"
                if m[2] == "int"
                else str(known.get(m[1], uuid.UUID(int=7) if m[2] == "uuid" else "x"))
            ),
            self.path,
        )


@pytest.fixture
def routes(place):
    """Every route that names a permission, the static files aside."""
    found = []
    for route in place.routes:
        for handler in getattr(route, "route_handlers", ()):
            kind = handler.opt.get("kind")
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                if kind:
                    name, permission = handler.name or "", handler.opt[MARK]
                    taken = handler.parsed_data_field
                    upload = taken is not None and (
                        taken.kwarg_definition.media_type == RequestEncodingType.MULTI_PART
                    )
                    found.append(Route(method, route.path, name, permission, kind, upload))
    assert len(found) > 60
    return sorted(found, key=str)


@pytest.fixture
def entries(engine):
    """How many acts the ledgers of all these firms hold."""

    def count(*firms):
        total = 0
        for firm in firms:
            with tenant_session(engine, firm.id) as session:
                total += session.scalar(select(func.count()).select_from(LedgerEntry))
        return total

    return count


@dataclass
class Visitor:
    """Somebody in a browser, and the same somebody's program."""

    actor: object
    person: object
    program: object
    nobody: object

    def visit(self, route, path):
        """Ask for the route as its own page, or a program, would; ``nobody`` has no token."""
        client = (self.program or self.nobody) if route.kind == "api" else self.person
        if route.is_safe:
            return client.get(path)
        if route.kind == "api":
            return client.ask(route.method, path, json={})
        return client.post(path, {}, **route.files)


@pytest.fixture
def come(make_actor, web, api):
    """``come("approver")`` is a member of these roles, in a browser and as a program."""

    def make(*roles, of=None):
        actor = make_actor(*roles, of=of)
        return Visitor(actor, web(actor), api(actor) if actor.permissions else None, web())

    return make


@pytest.fixture
def visitor():
    """``visitor(browser)``: nobody known, in this browser."""
    return lambda browser: Visitor(None, browser, None, browser)


@pytest.fixture
def ours(tenant, furnish):
    """The firm of the test, furnished."""
    return furnish(tenant)


@dataclass
class Furnished:
    """A firm with one of everything; ``at`` fills a path's places with what it has."""

    firm: object
    officer: object
    number: str
    code: str
    known: dict


@pytest.fixture
def furnish(engine, place, make_actor):
    """``furnish(firm, "words")``: a firm where every text that people write says ``words``."""

    def make(firm, words="寻常的话"):
        officer = make_actor("complaint_officer", name=words, of=firm)
        with tenant_session(engine, firm.id, actor_id=officer.id) as session:
            fund = Fund(name=words, short_name=words, filing_code=f"S{words}")
            session.add(fund)
            session.flush()
            filed = file_complaint(
                session,
                officer,
                Filing(
                    channel="phone",
                    idem_key=words,
                    title=words,
                    story=f"{words}，讲了很久的经过",
                    wish=words,
                    name=words,
                    email=f"{words}@huiyin.test",
                    fund=words,
                    fund_id=fund.id,
                    transfer_number=words,
                ),
            )
            service.talk(session, officer, filed.number, "note", words)
            service.talk(session, officer, filed.number, "message", words)
            known = _write(session, officer, filed.case_id, filed.number, words)
            session.execute(
                update(Case).values(facts={"recusal_checked": {"by": words, "note": words}})
            )
            session.commit()
        known |= {"tenant": firm.slug, "number": filed.number, "account": officer.id}
        return Furnished(firm, officer, filed.number, filed.code, known)

    return make


def _write(session, officer, case_id, number, words):
    """What hangs on a case, through the services."""
    (file,) = evidence.add(
        session, officer, number, [evidence.Upload(f"{words}.txt", words.encode())], note=words
    )
    task = Task(case_id=case_id, title=words, assignee_name=words, created_by=officer.id)
    setting = SettingVersion(
        plugin=SHIPPED[0],
        version=1,
        state="published",
        data={},
        reason=words,
        author_id=officer.id,
    )
    session.add_all([task, setting])
    case = session.get_one(Case, (session.tenant, case_id))
    case.stage, case.category, case.severity = "plan", "C1", "S1"
    session.flush()
    measure = Measure(title=words, owner_id=officer.id)
    plan = remedies.save_draft(
        session,
        officer,
        number,
        PlanForm(goal=words, basis=words, measures=(measure,), wish=words),
        rev=case.version,
    )
    letter = letters.draft_answer(
        session, officer, number, AnswerForm(findings=words, outcome=words, basis=words)
    )
    return {
        "task_id": task.id,
        "letter_id": letter.id,
        "file_id": file.id,
        "plan_id": plan.id,
        "extension_id": uuid.UUID(int=9),
    }
