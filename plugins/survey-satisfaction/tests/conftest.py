"""A firm that asks its investors, a mail server that remembers, and people who answer."""

import asyncio
import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html import unescape

import pytest
from sqlalchemy import text

from huiyin.sdk import Fund, Investor, Part, rehearse, uuid7
from huiyin.testing.history import closed_case
from huiyin.testing.web import run_jobs
from huiyin_survey_satisfaction import campaigns, invitations, plugin, questionnaires, tokens
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.wording import State

STAFF = "/t/qinghe/w/x/survey-satisfaction"
PUBLIC = "/p/qinghe/survey"


@pytest.fixture
def web_plugins():
    return ("survey_satisfaction", "channel_web")


def switch(session, tenant, *, active, name="survey_satisfaction"):
    session.execute(
        text(
            "INSERT INTO plugin_activation (tenant_id, id, plugin, active, changed_at)"
            " VALUES (:tenant, :id, :name, :active, now())"
            " ON CONFLICT (tenant_id, plugin) DO UPDATE SET active = :active"
        ),
        {"tenant": tenant.id, "id": uuid7(), "active": active, "name": name},
    )
    session.commit()


@pytest.fixture
def on(session, tenant, place):
    """The plugin is switched on."""
    switch(session, tenant, active=True)
    place.host.forget()


@pytest.fixture
def off(session, tenant, place):
    """A function that switches it off, and on again."""

    def turn(*, active=False):
        switch(session, tenant, active=active)
        place.host.forget()

    return turn


@pytest.fixture
def supervisor(make_actor):
    return make_actor("supervisor", name="何书宁")


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def handler(make_actor):
    """Somebody who handles cases and has since become an approver."""
    return make_actor("approver", name="周岚")


@pytest.fixture
def ctx(session, place, supervisor):
    """What the plugin is lent when the supervisor works."""
    return lent(session, place, supervisor)


@pytest.fixture
def system(session, place):
    """What its jobs are lent."""
    return replace(rehearse(plugin, session, name="survey_satisfaction"), blobs=place.site.blobs)


def lent(session, place, actor, **given):
    return replace(
        rehearse(plugin, session, name="survey_satisfaction", actor=actor, **given),
        blobs=place.site.blobs,
    )


@pytest.fixture
def ask(ctx):
    """Publish one of the library's questionnaires and begin a campaign with it."""

    def begin(code="after_case", *, start=True, **given):
        made = questionnaires.take(ctx, code)
        questionnaires.publish(ctx, made, "1")
        form = CampaignForm(**{"title": "投诉处理满意度", "questionnaire": str(made.id), **given})
        campaign = campaigns.save(ctx, form)
        if start:
            campaigns.start(ctx, campaign.id)
        ctx.session.commit()
        return campaign

    return begin


@pytest.fixture
def case(session, actor, make_actor):
    """A complaint that was handled by ``actor`` and closed."""

    def closed(email="chen@investor.test", fund=None, **given):
        person = Investor(name="陈建国", phone="13800006021", email=email)
        session.add(person)
        session.flush()
        made = closed_case(
            session, people={Part.OWNER: given.pop("by", actor)}, complainant_id=person.id,
            anonymous=False, fund_id=fund.id if fund else None, **given,
        )  # fmt: skip
        session.commit()
        return made

    return closed


@pytest.fixture
def fund(session):
    listed = Fund(name="澄川稳进三号私募证券投资基金", short_name="稳进三号", filing_code="SX1")
    session.add(listed)
    session.commit()
    return listed


@pytest.fixture
def invite(ctx):
    """People who were asked in a campaign; answers their tokens."""

    def make(campaign, n=1, *, segment="", state="sent", prefix="person"):
        tokens_ = []
        for index in range(n):
            one = invitations.made(
                ctx, campaign, address=f"{prefix}{index}@investor.test", name=f"投资者{index}",
                email=f"{prefix}{index}@investor.test", segment=segment, state=State(state),
            )  # fmt: skip
            ctx.session.add(one)
            ctx.session.flush()
            tokens_.append(tokens.token_of(ctx.tenant.id, one.id))
        ctx.session.commit()
        return tokens_

    return make


class Respondent:
    """Somebody with a link, in a browser of their own."""

    def __init__(self, browser):
        self.browser = browser

    def get(self, path):
        return self.browser.get(f"{PUBLIC}/{path}")

    def post(self, path, **fields):
        return self.browser.post(f"{PUBLIC}/{path}", fields)

    def begin(self, token, sign="signed"):
        answer = self.post(f"{token}/begin", sign=sign)
        assert answer.status_code == 303, words_of(answer)
        return answer.headers["location"].removeprefix(f"{PUBLIC}/").rpartition("/")[0]

    def answer(self, token, *, sign="signed", overall="5", solved="yes", words="", **more):
        """The questionnaire after a case, from its first page to the last."""
        base = self.begin(token, sign)
        first = self.post(f"{base}/1", overall=overall)
        assert first.headers["location"] == f"{PUBLIC}/{base}/2", words_of(first)
        self.post(f"{base}/2", **{"aspects-timely": "4", "aspects-clear": "5"})
        return self.post(f"{base}/3", solved=solved, words=words, **more)


@pytest.fixture
def respondent(web, tenant, on):
    return Respondent(web())


@pytest.fixture
def respondents(web, tenant, on):
    """A new browser each time."""
    return lambda: Respondent(web())


@pytest.fixture
def work(place):
    return lambda **given: run_jobs(place, **given)


def words_of(answer):
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


class Mailbox:
    """A server that speaks SMTP and keeps what it heard; ``refuse`` is what it says to RCPT."""

    def __init__(self):
        self.mails, self.refuse = [], ""

    async def talk(self, reader, writer):
        async def say(words):
            writer.write(f"{words}\r\n".encode())
            await writer.drain()

        await say("220 sink.test ESMTP")
        while line := await reader.readline():
            verb = line.decode().split(" ")[0].split(":")[0].strip().lower()
            if verb == "ehlo":
                await say("250 sink.test")
            elif verb == "rcpt" and self.refuse:
                await say(self.refuse)
            elif verb == "data":
                await say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(message_from_bytes(body[:-5], policy=default))
                await say("250 kept")
            else:
                await say("221 bye" if verb == "quit" else "250 ok")
            if verb == "quit":
                break
        writer.close()

    def links(self):
        return [
            re.search(r"/survey/(\S+)", mail.get_body().get_content())[1] for mail in self.mails
        ]

    @contextmanager
    def running(self):
        ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

        async def serve():
            server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            server.close()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()


@pytest.fixture
def mailbox(monkeypatch):
    with Mailbox().running() as box:
        monkeypatch.setenv("HUIYIN_SMTP_URL", f"smtp://127.0.0.1:{box.port}")
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "survey@qinghe.test")
        monkeypatch.setenv("HUIYIN_PUBLIC_URL", "https://huiyin.test")
        yield box


@pytest.fixture
def all_rows(session):
    """Every row of every table of the database, as text, by table."""

    def read():
        session.rollback()
        tables = session.execute(
            text(
                "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r'"
                " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        ).scalars().all()  # fmt: skip
        found = {}
        for table in tables:
            allowed = session.execute(
                text("SELECT has_table_privilege(current_user, :t, 'SELECT')"), {"t": table}
            ).scalar_one()
            if allowed:
                rows = session.execute(text(f'SELECT xmin::text AS x, t::text FROM "{table}" t'))
                found[table] = [(row[0], row[1]) for row in rows]
        return found

    return read


@pytest.fixture
def browser(web, supervisor, on):
    return web(supervisor)


@pytest.fixture
def listing(ask, on):
    return ask(
        "yearly", start=False, trigger="periodic", source="list", naming="anonymous",
        title="年度调查",
    )  # fmt: skip
