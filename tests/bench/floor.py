"""The floor: the same rows as a page with Litestar, psycopg and Jinja, and nothing else.

No rules, no ledger, no clocks, no languages, no forms protection: what is left is what any
program on this stack must spend.  It does ask who is there and stays behind the same wall.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import anyio.to_thread
import jinja2
import psycopg
import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from psycopg.rows import dict_row

from huiyin.kit.ids import uuid7

URL, TENANT = os.environ["BENCH_URL"], os.environ["BENCH_TENANT"]
THREADS = int(os.environ.get("HUIYIN_THREADS", "4"))
FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]

_local = threading.local()
_LAYOUT = (
    "<!doctype html><html lang=zh><head><title>{{ title }}</title></head><body><nav>{% for n in nav"
    " %}<a href=/{{ n }}>{{ n }}</a>{% endfor %}</nav><main><h1>{{ title }}</h1>%s</main></body>"
)
_TABLE = """<table>{% for c in rows %}<tr class="row"><td>{{ c.number }}</td><td><a href="/cases/{{
c.number }}">{{ c.title }}</a><span>{{ c.complainant }} {{ c.fund }}</span></td><td>{{ c.category }}
</td><td>{{ c.stage }}</td><td>{{ c.next_due_at.strftime("%m-%d %H:%M") if c.next_due_at else "" }}
</td><td>{{ c.owner }}</td><td>{{ c.last_activity }} {{ c.updated_at.strftime("%m-%d") }}</td></tr>
{% endfor %}</table>"""
_CASE = """<p>{{ c.number }} {{ c.complainant }} {{ c.fund }} {{ c.owner }}</p><p>{{ c.story }}</p>
<ul>{% for k in clocks %}<li>{{ k.title }} {{ k.due_at.strftime("%m-%d") }}</li>{% endfor %}</ul>
<ul>{% for p in people %}<li>{{ p.name }} {{ p.part }}</li>{% endfor %}</ul>
<ul>{% for t in tasks %}<li>{{ t.title }}</li>{% endfor %}</ul>
<ol>{% for e in entries %}<li>{{ e.at.strftime("%m-%d %H:%M") }} {{ e.author_name }} {{ e.kind }}
<p>{{ e.body }}</p></li>{% endfor %}</ol><form method=post><textarea name=body></textarea></form>"""
_ENV = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
_SURVEY = """<p>{{ n }}</p>{% for part in parts %}<section><h2>{{ part.title }}</h2><table>{% for
value, k in part.rows %}<tr class="row"><td>{{ value }}</td><td>{{ k }}</td><td>{{
"%.0f"|format(100 * k / part.n) }}%</td></tr>{% endfor %}</table></section>{% endfor %}"""
LIST = _ENV.from_string(_LAYOUT.replace("%s", _TABLE))
SURVEY = _ENV.from_string(_LAYOUT.replace("%s", _SURVEY))
CASE = _ENV.from_string(_LAYOUT.replace("%s", _CASE))
NAV = ("inbox", "unaccepted", "approvals", "cases", "archive", "search", "settings", "help")

_SET = (
    "SELECT set_config('huiyin.tenant', %s, true), set_config('huiyin.actor', %s, true),"
    " set_config('huiyin.purpose', '', true)"
)
_WHO = (
    "SELECT a.id, m.name, m.roles FROM login_session s JOIN account a ON a.id = s.account_id"
    " JOIN membership m ON m.account_id = a.id AND m.active WHERE s.id_hash = %s"
    " AND s.revoked_at IS NULL AND s.expires_at > now()"
)
_ROWS = (
    "SELECT c.id, c.number, c.title, c.category, c.stage, c.next_due_at, c.last_activity,"
    " c.updated_at, i.name AS complainant, f.short_name AS fund, m.name AS owner FROM case_file c"
    " LEFT JOIN investor i ON i.tenant_id = c.tenant_id AND i.id = c.complainant_id"
    " LEFT JOIN fund f ON f.tenant_id = c.tenant_id AND f.id = c.fund_id"
    " LEFT JOIN membership m ON m.tenant_id = c.tenant_id AND m.account_id = c.owner_id"
)


@contextmanager
def transaction() -> Iterator[psycopg.Cursor[dict[str, Any]]]:
    """One connection a thread, one transaction a request."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(URL, row_factory=dict_row)
    with _local.connection.transaction(), _local.connection.cursor() as cursor:
        yield cursor


def enter(cursor: psycopg.Cursor[dict[str, Any]], request: Request[Any, Any, Any]) -> Any:
    cursor.execute(_SET, (TENANT, os.environ["BENCH_ACTOR"]))
    token = request.cookies.get("huiyin", "")
    return cursor.execute(_WHO, (hashlib.sha256(token.encode()).digest(),)).fetchone()


def html(text: str) -> Response[str]:
    return Response(text, media_type="text/html")


@get("/inbox", sync_to_thread=True)
def inbox(request: Request[Any, Any, Any]) -> Response[str]:
    with transaction() as cursor:
        enter(cursor, request)
        rows = cursor.execute(
            f"{_ROWS} WHERE c.tenant_id = %s AND c.state = 'open' ORDER BY c.next_due_at, c.id"
            " LIMIT 50",
            (TENANT,),
        ).fetchall()
    return html(LIST.render(title="待办", nav=NAV, rows=rows))


@get("/search", sync_to_thread=True)
def search(request: Request[Any, Any, Any]) -> Response[str]:
    words = request.query_params["q"]
    pairs = [words[i : i + 2] for i in range(len(words) - 1)]
    with transaction() as cursor:
        enter(cursor, request)
        rows = cursor.execute(
            f"{_ROWS} WHERE c.tenant_id = %s AND c.id = ANY (ARRAY(SELECT id FROM case_search("
            "%s::tsquery, %s, true, NULL, NULL, 50))) ORDER BY c.received_at DESC, c.id DESC",
            (TENANT, " & ".join(f"'{p}'" for p in pairs), [f"%{words}%"]),
        ).fetchall()
    return html(LIST.render(title="检索", nav=NAV, rows=rows))


@get("/cases/{number:str}", sync_to_thread=True)
def case(request: Request[Any, Any, Any], number: str) -> Response[str]:
    with transaction() as cursor:
        enter(cursor, request)
        found = cursor.execute(
            _ROWS.replace("SELECT c.id,", "SELECT c.id, c.story,")
            + " WHERE c.tenant_id = %s AND c.number = %s",
            (TENANT, number),
        ).fetchone()
        parts: dict[str, Any] = {}
        for name, query in _PARTS.items():
            parts[name] = cursor.execute(query, (TENANT, found["id"])).fetchall()
    return html(CASE.render(title=found["title"], nav=NAV, c=found, **parts))


@get("/survey/{campaign:str}", sync_to_thread=True)
def survey(request: Request[Any, Any, Any], campaign: str) -> Response[str]:
    """The same counts as the page of results, grouped from the answers; it keeps no tallies."""
    with transaction() as cursor:
        enter(cursor, request)
        found = cursor.execute(
            "SELECT c.title, e.design FROM plugin_survey_satisfaction__campaign c"
            " JOIN plugin_survey_satisfaction__edition e ON e.tenant_id = c.tenant_id"
            " AND e.id = c.version_id WHERE c.tenant_id = %s AND c.id = %s",
            (TENANT, campaign),
        ).fetchone()
        rows = cursor.execute(_VALUES, (TENANT, campaign)).fetchall()
        cuts = cursor.execute(_CUTS, (TENANT, campaign)).fetchall()
    parts: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        parts.setdefault(f"{row['question']} {row['item']}", []).append((row["value"], row["n"]))
    for row in cuts:
        parts.setdefault(row["cut"], []).append((row["key"], row["n"]))
    shown = [{"title": t, "rows": r, "n": sum(k for _, k in r)} for t, r in parts.items()]
    return html(SURVEY.render(title=found["title"], nav=NAV, n=len(rows), parts=shown))


_VALUES = (
    "SELECT question, item, value, count(*) AS n FROM plugin_survey_satisfaction__answer"
    " WHERE tenant_id = %s AND campaign_id = %s GROUP BY question, item, value"
    " ORDER BY question, item, value"
)
_CUTS = (
    "SELECT CASE WHEN segment IS NULL THEN 'month' ELSE 'segment' END AS cut,"
    " coalesce(segment, month::text) AS key, count(*) AS n, avg(score) AS score"
    " FROM (SELECT segment, date_trunc('month', on_day)::date AS month, score"
    " FROM plugin_survey_satisfaction__response WHERE tenant_id = %s AND campaign_id = %s) r"
    " GROUP BY GROUPING SETS ((segment), (month)) ORDER BY cut, key"
)


_OF = "WHERE tenant_id = %s AND case_id = %s"
_PARTS = {
    "entries": f"SELECT * FROM case_entry {_OF} ORDER BY seq DESC LIMIT 31",
    "clocks": f"SELECT * FROM clock {_OF}",
    "people": f"SELECT * FROM case_participation {_OF}",
    "tasks": f"SELECT * FROM case_task {_OF} LIMIT 20",
}


@post("/cases/{number:str}/talk", status_code=303, sync_to_thread=True)
def talk(request: Request[Any, Any, Any], number: str, data: FormData) -> Response[str]:
    with transaction() as cursor:
        who = enter(cursor, request)
        found = cursor.execute(
            "UPDATE case_file SET version = version + 1, updated_at = now(), counts = jsonb_set("
            "counts, '{entries}', to_jsonb((counts->>'entries')::int + 1)) WHERE tenant_id = %s"
            " AND number = %s RETURNING id, stage, (counts->>'entries')::int AS seq",
            (TENANT, number),
        ).fetchone()
        cursor.execute(
            _ENTRY,
            (TENANT, uuid7(), found["id"], found["seq"], "note", who["id"], who["name"],
             data["body"], found["stage"]),
        )  # fmt: skip
    return Response("", status_code=303, headers={"Location": f"/cases/{number}"})


_ENTRY = (
    "INSERT INTO case_entry (tenant_id, id, case_id, seq, at, kind, audience, verb, author_id,"
    " author_name, body, data, stage) VALUES (%s, %s, %s, %s, now(), %s, 'internal', 'note', %s,"
    " %s, %s, '{}', %s)"
)


@post("/complaints", status_code=201, sync_to_thread=True)
def complain(request: Request[Any, Any, Any], data: dict[str, Any]) -> Response[str]:
    """Seven statements: setting, counter, person, case, timeline, clock, words."""
    case_id, person = uuid7(), uuid7()
    story, name, phone = data["story"], data["name"], data["phone"]
    key = request.headers["idempotency-key"]
    pairs = list({story[i : i + 2] for i in range(len(story) - 1)})
    actor = os.environ["BENCH_ACTOR"]
    with transaction() as cursor:
        cursor.execute(_SET, (TENANT, actor))
        row = cursor.execute(_COUNTER, (TENANT, uuid7())).fetchone()
        number = f"FL-{row['value']}"
        cursor.execute(_PERSON, (TENANT, person, name, phone))
        hashed = hashlib.sha256(key.encode()).digest()
        cursor.execute(
            _NEW, (TENANT, case_id, number, hashed, key, hashed, story[:24], story, person)
        )
        cursor.execute(_ENTRY, (TENANT, uuid7(), case_id, 1, "event", actor, name, "", "intake"))
        cursor.execute(_CLOCK, (TENANT, uuid7(), case_id))
        cursor.execute(_TEXT, (TENANT, case_id, f"{number} {story} {name} {phone}", pairs))
    return Response(json.dumps({"number": number}), status_code=201, media_type="application/json")


_COUNTER = (
    "INSERT INTO counter (tenant_id, id, name, value) VALUES (%s, %s, 'floor', 1)"
    " ON CONFLICT (tenant_id, name) DO UPDATE SET value = counter.value + 1 RETURNING value"
)
_PERSON = (
    "INSERT INTO investor (tenant_id, id, name, kind, phone, email, investor_class, risk_level,"
    " vulnerable, preferred_contact, known, created_at) VALUES (%s, %s, %s, 'person', %s, '', '',"
    " '', false, '', false, now())"
)
_NEW = (
    "INSERT INTO case_file (tenant_id, id, number, code_hash, idem_key, idem_hash, channel, source,"
    " transfer_number, intake_type, language, received_at, registered_at, title, story, wish,"
    " fund_text, complainant_id, anonymous, complexity, stage, state, stage_since, version, team,"
    " walled, facts, counts, clock_events, stage_dates, next_due_at, next_due_kind, clocks_held,"
    " updated_at, last_activity) VALUES (%s, %s, %s, %s, %s, %s, 'floor', 'direct', '',"
    " 'complaint', 'zh', now(), now(), %s, %s, '', '', %s, false, 'simple', 'intake', 'open',"
    " now(), 1, '{}', '{}', '{}', '{\"entries\": 1}', '[]', '{}', now() + interval '15 days',"
    " 'reply', false, now(), 'file')"
)
_CLOCK = (
    "INSERT INTO clock (tenant_id, id, case_id, kind, key, title, stage, started_at, due_on,"
    " due_at, amount, unit, state, audience, origin, provisional, calendar_version, reminded)"
    " VALUES (%s, %s, %s, 'reply', 'reply#1', 'reply', '', now(), now()::date + 15,"
    " now() + interval '15 days', 15, 'workday', 'running', 'complainant', '{}', false, '1', 0)"
)
_TEXT = (
    "INSERT INTO case_text (tenant_id, id, words, bigrams, received_at)"
    " VALUES (%s, %s, %s, array_to_tsvector(%s::text[]), now())"
)


async def narrow_threads(_: Litestar) -> None:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS


if __name__ == "__main__":
    app = Litestar(
        [inbox, search, case, survey, talk, complain],
        on_startup=[narrow_threads],
        logging_config=None,
    )
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["HUIYIN_PORT"]), log_level="warning",
        access_log=False, server_header=False,
    )  # fmt: skip
