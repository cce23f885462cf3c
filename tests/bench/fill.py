"""One firm with any number of cases, written in bulk: shapes and shares of a busy register.

A tenth of the cases is open, the newest ones.  What the clocks, the timeline and the search need
to show a page is there; ledger and outbox begin empty, because no page reads them.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

import msgspec
import psycopg

from huiyin.cases.search import normal, tokens
from huiyin.kit.ids import uuid7
from huiyin_survey_satisfaction.library import library

RARE = "邹浩"  # about one case in 700
COMMON = "赎回"  # about every second case
FUNDS = 40
PEOPLE = 30
SURVEY = 50_000  # answers of one survey, whatever the number of cases
_S = "plugin_survey_satisfaction__"
SURVEY_TABLES = tuple(f"{_S}{name}" for name in ("response", "answer", "tally"))
TABLES = ("fund", "investor", "case_file", "case_entry", "case_participation", "case_text", "clock")

_WHEN = ("上个月", "三月初", "封闭期满后", "去年底", "开放日当天", "合同到期时", "收到季报后")
_WHAT = (
    "我提交了赎回申请，款项至今没有到账",
    "我要求赎回，客户经理说要等下一个开放日",
    "赎回确认单上的净值和公布的净值对不上",
    "巨额赎回被延期办理，没有人提前通知",
    "赎回时扣了合同里没有写的业绩报酬",
    "产品净值连续三个月没有披露",
    "托管行的对账单与管理人发来的不一致",
    "销售人员说本金不会亏，现在亏了两成",
    "风险测评是销售人员替我填写的",
    "合格投资者的资产证明没有人核对过",
    "基金合同的签字不是我本人写的",
    "季度报告里没有说明投资了关联方",
)
_NEXT = (
    "打了三次客服电话，每次答复都不一样",
    "发了两封邮件，没有收到任何书面答复",
    "要求提供划款凭证，对方一直推脱",
    "希望说明原因并给出处理期限",
)
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗"
_GIVEN = ("建国", "秀英", "志强", "丽华", "海燕", "文博", "思远", "雨桐", "国庆", "晓梅")


def sentences() -> list[str]:
    """The 336 sentences all stories are made of."""
    return [f"{a}，{b}，{c}。" for a, b, c in itertools.product(_WHEN, _WHAT, _NEXT)]


def names() -> list[str]:
    """700 names, the last of them rare."""
    common = [s + g for s, g in itertools.product(_SURNAMES, _GIVEN)]
    return [*(common[i % len(common)] for i in range(699)), RARE]


@dataclass(frozen=True, slots=True)
class Filled:
    open_numbers: list[str]  # some open cases, for the page of a case
    survey: str  # the campaign with many answers
    rows: dict[str, int]  # table → rows


def fill(url: str, tenant: uuid.UUID, viewer: tuple[uuid.UUID, str], cases: int) -> Filled:
    """Write ``cases`` cases of the firm as the superuser at ``url``."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # keys are made right here
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET work_mem = '128MB'")
        # Parameters are not allowed in every statement below; a setting is.
        connection.execute("SELECT set_config('bench.tenant', %s, false)", (str(tenant),))
        connection.execute("SELECT set_config('bench.cases', %s, false)", (str(cases),))
        _words(connection)
        _people(connection, viewer)
        indexes = _take_indexes(connection)
        connection.execute("SELECT set_config('bench.design', %s, false)", (_design(),))
        for statement in (*_STATEMENTS, *_SURVEY):
            connection.execute(statement)
        for definition in indexes:
            connection.execute(definition)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        numbers = connection.execute(
            "SELECT number FROM case_file WHERE state = 'open' ORDER BY next_due_at LIMIT 200"
        ).fetchall()
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in (*TABLES, *SURVEY_TABLES)
        }
        (survey,) = connection.execute(f"SELECT id FROM {_S}campaign").fetchone()
    return Filled([n for (n,) in numbers], str(survey), rows)


def _design() -> str:
    return msgspec.json.encode(library()["yearly"].design).decode()


def _words(connection: psycopg.Connection) -> None:
    for table, values in (("sentence", sentences()), ("person", names())):
        connection.execute(f"CREATE TEMP TABLE {table} (n int, words text, pairs tsvector)")
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} VALUES (%s, %s, array_to_tsvector(%s::text[]))",
                [(n, value, tokens(normal(value))) for n, value in enumerate(values)],
            )


def _people(connection: psycopg.Connection, viewer: tuple[uuid.UUID, str]) -> None:
    connection.execute("CREATE TEMP TABLE colleague (n int, id uuid, name text)")
    people = [viewer, *((uuid7(), name) for name in names()[: PEOPLE - 1])]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO colleague VALUES (%s, %s, %s)",
            [(n, id_, name) for n, (id_, name) in enumerate(people)],
        )
        cursor.executemany(
            "INSERT INTO membership (tenant_id, id, account_id, name, roles, department, active,"
            " since) VALUES (current_setting('bench.tenant')::uuid, %s, %s, %s,"
            " '{investigator}', '合规客服部', true, now())",
            [(uuid7(), id_, name) for id_, name in people[1:]],
        )


def _take_indexes(connection: psycopg.Connection) -> list[str]:
    """Drop the indexes that carry no constraint; built afterwards they cost a fraction."""
    found = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = ANY (%s) AND NOT EXISTS"
        " (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
        (list(TABLES),),
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


_UUID7 = """
CREATE FUNCTION pg_temp.made(at timestamptz, seed text) RETURNS uuid LANGUAGE sql AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
          || substr(md5(seed), 1, 3) || '8' || substr(md5(seed), 4, 15))::uuid $$
"""
_STAMP = """
CREATE FUNCTION pg_temp.iso(at timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') $$
"""
_PREFIXES = """
CREATE FUNCTION pg_temp.prefixes(word text) RETURNS tsvector LANGUAGE sql AS $$
  SELECT array_to_tsvector(array(SELECT left(word, k) FROM generate_series(2, length(word)) k)) $$
"""
_FUND = f"""
INSERT INTO fund (tenant_id, id, name, short_name, filing_code, kind, risk_level, custodian, listed)
SELECT current_setting('bench.tenant')::uuid, pg_temp.made(now(), 'fund' || n),
       '稳健' || n || '号私募证券投资基金', '稳健' || n || '号', 'SB' || n, '', 'R3', '', true
FROM generate_series(1, {FUNDS}) n
"""
_DRAFT = f"""
CREATE TEMP TABLE draft AS
WITH seeds AS (
  SELECT i, i > n * 0.9 AS is_open,
         now() - interval '1000 days' * ((n - i + 1)::float / n) AS received_at
  FROM (SELECT current_setting('bench.cases')::int AS n) size, generate_series(1, size.n) i)
SELECT i, is_open, received_at, current_setting('bench.tenant')::uuid AS tenant_id,
  pg_temp.made(received_at, 'case' || i) AS id,
  'TS-' || extract(year FROM received_at) || '-' || to_char(i, 'FM0999999') AS number,
  pg_temp.made(received_at, 'investor' || i) AS investor_id,
  pg_temp.made(now(), 'fund' || (1 + i % {FUNDS})) AS fund_id,
  a.words AS one, b.words AS two, a.pairs || b.pairs AS pairs, p.words AS name,
  p.pairs AS name_pairs, '139' || lpad(((i::bigint * 7919) % 100000000)::text, 8, '0') AS phone,
  m.id AS owner_id, m.name AS owner,
  CASE WHEN is_open THEN (ARRAY['intake', 'preliminary', 'investigation', 'plan', 'approval',
    'implementation', 'response', 'followup'])[1 + i % 8] ELSE 'archive' END AS stage,
  CASE WHEN is_open THEN now() + interval '1 hour' * ((i::bigint * 7919) % 960 - 96) END AS due_at,
  CASE WHEN is_open THEN 8 ELSE 3 END AS entries
FROM seeds
JOIN sentence a ON a.n = (i::bigint * 7919) % 336
JOIN sentence b ON b.n = (i::bigint * 104729) % 336
JOIN person p ON p.n = i % 700 JOIN colleague m ON m.n = i % {PEOPLE}
"""
_INVESTOR = """
INSERT INTO investor (tenant_id, id, name, kind, phone, email, investor_class, risk_level,
  vulnerable, preferred_contact, known, created_at)
SELECT tenant_id, investor_id, name, 'person', phone, '', '普通', 'C3', false, '', true, received_at
FROM draft
"""
_CASE = """
INSERT INTO case_file (tenant_id, id, number, code_hash, idem_key, idem_hash, channel, source,
  transfer_number, intake_type, language, received_at, registered_at, title, story, wish,
  fund_text, fund_id, complainant_id, anonymous, category, severity, complexity, amount, stage,
  state, outcome, stage_since, accepted_at, closed_at, version, owner_id, team, walled, facts,
  counts, clock_events, stage_dates, next_due_at, next_due_kind, clocks_held, updated_at,
  last_activity)
SELECT tenant_id, id, number, decode(md5('code' || i), 'hex'), 'bench-' || i,
  decode(md5('idem' || i), 'hex'), 'phone', CASE WHEN i % 20 = 0 THEN '12386' ELSE 'direct' END,
  '', 'complaint', 'zh', received_at, received_at, left(one, 24), one || two, '', '', fund_id,
  investor_id, false, (ARRAY['A1', 'A2', 'B1', 'B2', 'C1', 'C2', 'D1'])[1 + i % 7],
  (ARRAY['S1', 'S2', 'S3'])[1 + i % 3], 'simple', 100000 + i, stage,
  CASE WHEN is_open THEN 'open' ELSE 'closed' END, CASE WHEN is_open THEN NULL ELSE 'archived' END,
  received_at + interval '3 days', received_at + interval '1 day',
  CASE WHEN is_open THEN NULL ELSE received_at + interval '20 days' END, entries, owner_id,
  ARRAY[owner_id], '{}', '{}',
  jsonb_build_object('entries', entries, 'events', 1, 'moves', 1, 'notes', (entries - 2 + 1) / 2,
                     'talk', (entries - 2) / 2),
  jsonb_build_array(
    jsonb_build_object('kind', 'received', 'at', pg_temp.iso(received_at),
                       'data', jsonb_build_object('source', 'direct')),
    jsonb_build_object('kind', 'stage_entered', 'at', pg_temp.iso(received_at),
                       'data', jsonb_build_object('stage', 'intake')),
    jsonb_build_object('kind', 'stage_entered', 'at', pg_temp.iso(received_at + interval '3 days'),
                       'data', jsonb_build_object('stage', stage))),
  jsonb_build_object('intake', received_at::date, stage, (received_at + interval '3 days')::date),
  due_at, CASE WHEN is_open THEN 'reply' END, false, received_at + interval '3 days', 'note'
FROM draft
"""
_ENTRY = """
INSERT INTO case_entry (tenant_id, id, case_id, seq, at, kind, audience, verb, author_id,
  author_name, body, data, stage)
SELECT tenant_id, pg_temp.made(received_at, 'entry' || i || '-' || seq), id, seq,
  received_at + interval '6 hours' * seq, kind,
  CASE WHEN kind = 'message_out' THEN 'complainant' ELSE 'internal' END,
  CASE kind WHEN 'event' THEN 'file' WHEN 'move' THEN 'accept' WHEN 'note' THEN 'note'
            ELSE 'message' END,
  owner_id, owner, CASE WHEN kind IN ('event', 'move') THEN '' ELSE two END,
  CASE WHEN kind = 'move' THEN '{"from": "intake", "to": "preliminary"}'::jsonb
       WHEN kind = 'event' THEN '{"channel": "phone", "source": "direct"}' ELSE '{}' END, stage
FROM draft, generate_series(1, entries) seq,
  LATERAL (SELECT CASE seq WHEN 1 THEN 'event' WHEN 2 THEN 'move'
                  ELSE CASE WHEN seq % 2 = 1 THEN 'note' ELSE 'message_out' END END AS kind) k
"""
_PART = """
INSERT INTO case_participation (tenant_id, id, case_id, account_id, name, part, since, by_id)
SELECT tenant_id, pg_temp.made(received_at, 'part' || i), id, owner_id, owner, 'owner',
  received_at, owner_id
FROM draft
"""
_TEXT = """
INSERT INTO case_text (tenant_id, id, words, bigrams, received_at)
SELECT tenant_id, id, concat_ws(' ', lower(number), one, two, name, phone),
  pairs || name_pairs || pg_temp.prefixes(lower(number)) || pg_temp.prefixes(phone), received_at
FROM draft
"""
_CLOCK = """
INSERT INTO clock (tenant_id, id, case_id, kind, key, title, stage, started_at, due_on, due_at,
  amount, unit, state, audience, origin, provisional, calendar_version, reminded, promised_on)
SELECT tenant_id, pg_temp.made(received_at, kind || i), id, kind,
  CASE kind WHEN 'reply' THEN 'reply#1' ELSE 'stage:' || stage || '#1' END, kind, stage,
  received_at, (received_at + interval '30 days')::date, received_at + interval '30 days', 15,
  'workday', CASE WHEN is_open THEN 'running' ELSE 'met' END,
  CASE kind WHEN 'reply' THEN 'complainant' ELSE 'internal' END, '{}', false, '1', 0,
  CASE kind WHEN 'reply' THEN (received_at + interval '30 days')::date END
FROM draft, unnest(ARRAY['reply', 'stage']) kind
"""
_COUNTER = """
INSERT INTO counter (tenant_id, id, name, value)
SELECT current_setting('bench.tenant')::uuid, gen_random_uuid(),
  'case:' || extract(year FROM now()), current_setting('bench.cases')::int
"""
_STATEMENTS = (
    _UUID7, _STAMP, _PREFIXES, _FUND, _DRAFT, "ANALYZE draft", _INVESTOR, _CASE, _ENTRY, _PART,
    _TEXT, _CLOCK, _COUNTER,
)  # fmt: skip

# One yearly survey over two years and all funds: a response each, its answers, and the tallies as
# the plugin keeps them.
_QUESTIONNAIRE = f"""
INSERT INTO {_S}questionnaire (tenant_id, id, title, title_en, origin, created_at, created_by)
SELECT current_setting('bench.tenant')::uuid, pg_temp.made(now(), 'questionnaire'), '年度调查', '',
  'yearly', now(), id FROM colleague WHERE n = 0
"""
_EDITION = f"""
INSERT INTO {_S}edition (tenant_id, id, questionnaire_id, number, state, rev, design, published_at,
  published_by)
SELECT tenant_id, pg_temp.made(now(), 'edition'), id, 1, 'published', 1,
  current_setting('bench.design')::jsonb, now(), created_by FROM {_S}questionnaire
"""
_CAMPAIGN = f"""
INSERT INTO {_S}campaign (tenant_id, id, questionnaire_id, version_id, title, trigger, naming,
  source, quota, seed, every_months, wait_days, valid_days, rest_days, reminders, remind_days,
  state, created_at, created_by, started_at)
SELECT tenant_id, pg_temp.made(now(), 'campaign'), questionnaire_id, id, '年度投资者调查',
  'periodic', 'anonymous', 'register', 0, 1, 0, 0, 30, 90, 1, 7, 'running', now(), published_by,
  now() FROM {_S}edition
"""
_RESPONSE = f"""
INSERT INTO {_S}response (tenant_id, id, campaign_id, version_id, signed, on_day, segment, score,
  low)
SELECT c.tenant_id, gen_random_uuid(), c.id, c.version_id, false,
  current_date - (n * 7919 % 730)::int, '稳健' || (1 + n % {FUNDS}) || '号', n * 104729 % 11 * 10,
  n * 104729 % 11 < 3
FROM {_S}campaign c, generate_series(1, {SURVEY}::bigint) n
"""
_ANSWER = f"""
INSERT INTO {_S}answer (tenant_id, id, response_id, campaign_id, question, item, value, words,
  themes, blob_key, blob_sha256)
SELECT r.tenant_id, gen_random_uuid(), r.id, r.campaign_id, q.question, q.item, q.value, '', '{{}}',
  '', ''
FROM {_S}response r, LATERAL (VALUES
  ('nps', '', (r.score / 10)::int::text),
  ('service', 'disclosure', (1 + ascii(substr(r.id::text, 1, 1)) % 5)::text),
  ('service', 'risk', (1 + ascii(substr(r.id::text, 2, 1)) % 5)::text),
  ('service', 'fees', (1 + ascii(substr(r.id::text, 3, 1)) % 5)::text),
  ('service', 'redeem', (1 + ascii(substr(r.id::text, 4, 1)) % 5)::text),
  ('service', 'answer', (1 + ascii(substr(r.id::text, 5, 1)) % 5)::text),
  ('complained', '', (ARRAY['yes', 'wanted', 'no'])[1 + ascii(substr(r.id::text, 6, 1)) % 3])
) q(question, item, value)
"""
_TALLY = f"""
INSERT INTO {_S}tally (tenant_id, id, campaign_id, cut, key, question, item, value, n)
SELECT tenant_id, gen_random_uuid(), campaign_id, cut, key, question, item, value, count(*)
FROM (
  SELECT r.tenant_id, r.campaign_id, q.*, c.cut, c.key
  FROM {_S}response r, LATERAL (
    SELECT question, item, value, false FROM {_S}answer a
      WHERE a.tenant_id = r.tenant_id AND a.response_id = r.id
    UNION ALL VALUES ('_all', '', '', true), ('_score', '', trim_scale(r.score)::text, true)
    UNION ALL SELECT '_low', '', '', true WHERE r.low) q(question, item, value, own),
  LATERAL (VALUES ('all', ''), ('segment', r.segment), ('month', to_char(r.on_day, 'YYYY-MM')))
    c(cut, key)
  WHERE c.cut <> 'month' OR q.own) each
GROUP BY tenant_id, campaign_id, cut, key, question, item, value
"""
_SURVEY = (
    _QUESTIONNAIRE, _EDITION, _CAMPAIGN, _RESPONSE, f"ANALYZE {_S}response", _ANSWER,
    f"ANALYZE {_S}answer", _TALLY,
)  # fmt: skip
