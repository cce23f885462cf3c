"""A firm's settings: inherited, drafted, tried, published by a second person."""

from importlib import import_module

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huiyin.db import tenant_session
from huiyin.kit.errors import Conflict, Invalid, NotFound, Refused
from huiyin.ledger.models import LedgerEntry
from huiyin.plugins import drafts, settings
from huiyin.plugins.settings import Origin
from huiyin.tenancy.models import SettingState, SettingVersion

PLUGIN = "call_back"


@pytest.fixture
def shape(stranger):
    return import_module("acme_call_back.settings").CallBackSettings


@pytest.fixture
def write(stranger, session, admin):
    """Draft some changes as the administrator."""

    def draft(reason="", **changes):
        made = drafts.draft(stranger, session, admin, PLUGIN, changes, reason=reason)
        session.commit()
        return made

    return draft


@pytest.fixture
def publish(stranger, session, second):
    def go():
        made = drafts.publish(stranger, session, second, PLUGIN)
        session.commit()
        return made

    return go


@pytest.fixture
def held(stranger, session, shape):
    return lambda: settings.effective(stranger, session, PLUGIN, shape)


@pytest.fixture
def shown(stranger, session):
    def rows():
        version = settings.drafted(session, PLUGIN) or settings.live(session, PLUGIN)
        return {
            value.field.name: value
            for value in settings.values_of(stranger, session, PLUGIN, version)
        }

    return rows


def test_without_a_word_of_the_firm_the_defaults_hold(held, shape, shown):
    assert held() == shape()
    assert shown()["hours"].origin is Origin.PLATFORM


def test_the_advisers_template_stands_between(stranger, held, shown, write, publish):
    stranger.advice = lambda _session, _plugin: {"hours": 12, "tries": 2}
    assert (held().hours, shown()["hours"].origin) == (12, Origin.ADVISER)
    write(hours="48")
    publish()
    row = shown()["hours"]
    assert (held().hours, held().tries) == (48, 2)
    assert (row.origin, row.inherited) == (Origin.OWN, 12)


def test_a_draft_changes_nothing_until_a_second_person_publishes_it(held, write, publish):
    write(hours="8", tone="warm", required="on", numbers="021-1\n021-2", greeting="您好")
    assert held().hours == 24
    publish()
    now = held()
    assert (now.hours, now.tone, now.required) == (8, "warm", True)
    assert (now.numbers, now.greeting) == (("021-1", "021-2"), "您好")


def test_whoever_drafted_it_cannot_publish_it(stranger, session, make_actor):
    both = make_actor("tenant_admin")
    drafts.draft(stranger, session, both, PLUGIN, {"hours": 8})
    with pytest.raises(Refused, match="拟定人以外"):
        drafts.publish(stranger, session, both, PLUGIN)


def test_the_database_says_so_too(session, admin):
    session.add(
        SettingVersion(
            plugin=PLUGIN, version=1, state="published", data={},
            author_id=admin.id, publisher_id=admin.id,
        )
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="second_person"):
        session.flush()


def test_an_officer_neither_drafts_nor_publishes(stranger, session, actor, write):
    with pytest.raises(Refused):
        drafts.draft(stranger, session, actor, PLUGIN, {"hours": 8})
    write(hours=8)
    for act in (drafts.publish, drafts.discard):
        with pytest.raises(Refused):
            act(stranger, session, actor, PLUGIN)


def test_an_approver_publishes_but_does_not_draft(stranger, session, second):
    with pytest.raises(Refused):
        drafts.draft(stranger, session, second, PLUGIN, {"hours": 8})


def test_a_draft_belongs_to_whoever_began_it(stranger, session, make_actor, write):
    write(hours=8)
    with pytest.raises(Refused, match="其他人拟定"):
        drafts.draft(stranger, session, make_actor("tenant_admin"), PLUGIN, {"hours": 9})


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"hours": "0"}, {"hours"}),
        ({"hours": "soon"}, {"hours"}),
        ({"hours": ""}, {"hours"}),
        ({"hours": "99", "tone": "rude"}, {"hours", "tone"}),
        ({"greeting": "长" * 41}, {"greeting"}),
        ({"numbers": "1\n2\n3\n4\n5\n6"}, {"numbers"}),
        ({"nothing": "1"}, {"nothing"}),
        ({"hours": "2", "tries": "5"}, {""}),
    ],
)
def test_what_does_not_fit_is_said_at_the_field(write, session, changes, fields):
    with pytest.raises(Invalid) as refused:
        write(**changes)
    assert set(refused.value.fields) == fields
    session.rollback()
    assert settings.drafted(session, PLUGIN) is None


def test_a_text_and_a_list_may_be_emptied(write, publish, held):
    write(greeting="您好", numbers="021-1")
    publish()
    write(greeting="", numbers="", required="")
    publish()
    assert (held().greeting, held().numbers, held().required) == ("", (), False)


def test_the_difference_is_shown_before_it_is_published(stranger, session, write, publish):
    write(hours=8)
    publish()
    write(hours=9, tone="warm", exchange_key="geheim")
    changes = {c.field.name: c for c in settings.diff(stranger, session, PLUGIN)}
    assert set(changes) == {"hours", "tone", "exchange_key"}
    assert (changes["hours"].before, changes["hours"].after) == (8, 9)
    assert changes["tone"].before_origin is Origin.PLATFORM
    assert (changes["exchange_key"].before, changes["exchange_key"].after) == (False, True)


def test_one_drafted_change_can_be_undone(stranger, session, admin, write, publish, held):
    write(hours=8)
    publish()
    write(hours=9, tone="warm")
    drafts.undo(stranger, session, admin, PLUGIN, "hours")
    changes = settings.diff(stranger, session, PLUGIN)
    assert [change.field.name for change in changes] == ["tone"]


def test_a_field_can_be_inherited_again(stranger, session, admin, write, publish, held, shown):
    write(hours=8)
    publish()
    drafts.restore(stranger, session, admin, PLUGIN, "hours")
    session.commit()
    publish()
    assert held().hours == 24
    assert shown()["hours"].origin is Origin.PLATFORM


def test_a_former_version_comes_back_through_a_draft(
    stranger, session, admin, write, publish, held
):
    write(hours=8)
    publish()
    write(hours=9)
    publish()
    drafts.rollback(stranger, session, admin, PLUGIN, 1)
    session.commit()
    assert held().hours == 9
    assert publish().version == 3
    assert held().hours == 8
    with pytest.raises(NotFound):
        drafts.rollback(stranger, session, admin, PLUGIN, 77)


def test_a_discarded_draft_stays_in_the_history(stranger, session, admin, write):
    write(hours=8)
    drafts.discard(stranger, session, admin, PLUGIN)
    session.commit()
    (version,) = settings.history(session, PLUGIN)
    assert (version.state, version.published_at) == (SettingState.RETIRED.value, None)
    with pytest.raises(NotFound):
        drafts.rollback(stranger, session, admin, PLUGIN, 1)
    with pytest.raises(Conflict):
        drafts.discard(stranger, session, admin, PLUGIN)


def test_a_secret_is_sealed_and_never_shown_again(session, write, publish, held, shown):
    write(exchange_key="geheim")
    publish()
    stored = settings.live(session, PLUGIN)
    assert "geheim" not in f"{stored.data} {stored.secrets}"
    assert shown()["exchange_key"].value is True
    assert held().exchange_key == "geheim"
    write(exchange_key="", hours=8)
    publish()
    assert held().exchange_key == "geheim"


def test_a_sealed_secret_opens_nowhere_else(
    session, engine, make_tenant, stranger, shape, write, publish
):
    write(exchange_key="geheim")
    publish()
    box = settings.live(session, PLUGIN).secrets
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as elsewhere:
        version = SettingVersion(plugin=PLUGIN, version=1, state="draft", data={}, secrets=box)
        assert settings.resolve(stranger, elsewhere, PLUGIN, version).exchange_key == ""


def test_a_stored_value_that_no_longer_fits_gives_way(stranger, session, shape):
    version = SettingVersion(
        plugin=PLUGIN, version=1, data={"hours": 900, "tone": "warm"}, secrets={}
    )
    assert settings.resolve(stranger, session, PLUGIN, version) == shape(tone="warm")


def test_settings_are_asked_for_by_their_own_type(stranger, session, hooks):
    with pytest.raises(TypeError, match="CallBackSettings"):
        hooks().context(PLUGIN).settings(SettingVersion)


def test_the_plugin_says_beforehand_what_would_change(
    stranger, tables, session, write, hooks, case
):
    assert settings.dry_run(hooks(), PLUGIN) == []
    promise = import_module("acme_call_back.models").Promise
    session.add(promise(case_id=case.id, due_at=case.received_at))
    write(hours=8)
    (message,) = settings.dry_run(hooks(), PLUGIN)
    assert str(message) == "1 个待回电的承诺不变，新受理案件按 8 小时"


def test_the_book_knows_who_published_what_and_why(session, write, publish, second, admin):
    write(reason="对齐公司制度第 9 条", hours=8)
    publish()
    entry = session.scalars(
        select(LedgerEntry).where(LedgerEntry.kind == "settings.published")
    ).one()
    assert entry.actor_id == second.id
    told = bytes(entry.doc).decode()
    assert '"fields":["hours"]' in told
    assert str(admin.id) in told
    assert "公司制度" not in told


def test_the_schema_follows_from_the_struct(stranger):
    schema = settings.schema_of(stranger, PLUGIN)
    hours = schema["$defs"]["CallBackSettings"]["properties"]["hours"]
    assert (hours["minimum"], hours["maximum"], hours["title"]) == (1, 72, "回电时限")
