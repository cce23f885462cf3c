"""Packs: what ships, what is refused and why, taking into use, applicability, vouching."""
# long: the rules of one file format, each with the mistake it refuses

import json
import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from huiyin.sdk import XLSX, Conflict, Invalid, NotFound, today
from huiyin_checklist_regulatory import library, packfile, packs, packtable, report, runs
from huiyin_checklist_regulatory.errors import SecondPerson
from huiyin_checklist_regulatory.packfile import PackRefused
from huiyin_checklist_regulatory.schemas import VouchForm
from huiyin_checklist_regulatory.standing import Standing, standing_of, verdict
from huiyin_checklist_regulatory.terms import Answer, Applies, Confidence, Duty, Voucher
from huiyin_checklist_regulatory.views import ItemView, item_applies, why

PACKS = sorted(library.shipped())
PACKAGE = Path(packfile.__file__).parent
BREACH = re.compile(r"违法|违规|违反|[Bb]reach|[Vv]iolat|[Ii]llegal|[Uu]nlawful")


def refused(text, name="x.toml"):
    with pytest.raises(PackRefused) as caught:
        packfile.load(text if isinstance(text, bytes) else text.encode(), name, library.facts())
    return caught.value.faults


# -- what ships --------------------------------------------------------------------------------


def test_every_item_of_the_three_packs_is_there():
    counts = {pack_id: len(pack.items) for pack_id, pack in library.shipped().items()}
    assert counts == {"cn-pfm-self": 24, "fca-disp1": 20, "iso10002": 20}
    for pack in library.shipped().values():
        assert [item.item_id for item in pack.items] == [
            str(n) for n in range(1, len(pack.items) + 1)
        ]


@pytest.mark.parametrize("pack_id", PACKS)
def test_every_item_has_both_languages_a_source_and_no_tick(pack_id):
    for item in library.shipped()[pack_id].items:
        assert item.text_zh
        assert item.text_en
        assert item.text_en.isascii() or "’" in item.text_en
        assert item.evidence_types_zh
        assert item.cites
        assert not item.counsel_tick


@pytest.mark.parametrize("pack_id", PACKS)
def test_every_pack_comes_back_from_its_own_json(pack_id):
    pack = library.shipped()[pack_id]
    again = packfile.load(msgspec.json.encode(pack), "x.json", library.facts())
    assert again.hash() == pack.hash()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_called_a_breach_while_its_source_is_not_verified_and_ticked(language, lend):
    ctx = lend("approver", language=language)
    for pack in library.shipped().values():
        no_breach(ctx, pack, language)


def no_breach(ctx, pack, language):
    """Whatever is known short of both, and whatever was answered."""
    said = ctx.text("待核实")
    read = {"read_by": "甲", "read_on": today()}
    counsel = {"counsel": "乙", "counsel_on": today()}
    for item in pack.items:
        view = ItemView.of_pack(pack, item, language)
        shown = [view.text, view.citation, view.duty, *(c.label for c in view.cites)]
        assert not BREACH.search(" ".join(ctx.text(text) for text in shown))
        for known in ({}, read, counsel):
            for answer in Answer:
                told = verdict(item, answer, Standing(**known), view.citation, binds=True)
                assert told is None or ctx.text(told) == said
        held = standing_of(item, (), imported=False)
        assert held.verified is False  # nobody's counsel has ticked it


def test_a_duty_that_is_verified_and_ticked_is_named_with_its_source(lend):
    pack = library.shipped()["cn-pfm-self"]
    item = next(i for i in pack.items if i.item_id == "13")
    held = Standing("甲", today(), "乙", today())
    view = ItemView.of_pack(pack, item, "zh")
    told = lend("approver").text(verdict(item, Answer.NOT_MET, held, view.citation, binds=True))
    assert told == "违规：《私募投资基金监督管理条例》（国务院令第 762 号）第 15 条"
    assert verdict(item, Answer.MET, held, view.citation, binds=True) is None


def test_good_practice_is_never_a_breach_however_well_it_is_known(lend):
    for pack in library.shipped().values():
        for item in pack.items:
            if item.duty in {Duty.GOOD, Duty.LIKELY}:
                held = Standing("甲", today(), "乙", today())
                told = verdict(item, Answer.NOT_MET, held, "x", binds=True)
                assert not BREACH.search(lend("approver").text(told))


def test_the_words_for_a_breach_stand_in_one_place_only():
    """The lint: sources, templates and packs of this plugin hold them nowhere else."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*"))
        if path.suffix in {".py", ".html", ".toml"}
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search("违法|违规", line)
    ]
    assert found == ['standing.py: BREACH: Final = N_("违规：{source}")']


def test_an_item_is_as_sure_as_the_weakest_of_its_sources():
    items = {i.item_id: i for i in library.shipped()["cn-pfm-self"].items}
    assert items["13"].confidence is Confidence.READ
    assert items["24"].confidence is Confidence.REPORTED  # V and V2
    assert items["16"].confidence is Confidence.UNCERTAIN


def test_the_twenty_sections_are_there():
    assert sorted(library.sections()) == list(range(1, 21))


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "item", "field", "words"),
    [
        ('item_id = "2"', 'item_id = "1"', "1", "item_id", "出现了两次"),
        ('duty = "G"', 'duty = "G"\nweight = 3', "2", "weight", "无法识别的栏目"),
        ('version = "1"', 'version = "1"\ncolour = "red"', "", "colour", "无法识别的栏目"),
        ('duty = "G"', 'duty = "M"', "2", "cites", "没有出处"),
        ('duty = "G"', 'duty = "X"', "2", "duty", "请改为：M / M? / G / M(UK)"),
        ('article_zh = "第 3 条", ', "", "1", "cites.article_zh", "须写明条款号"),
        ('source = "A"', 'source = "B"', "1", "cites.source", "sources 中没有「B」"),
        ('confidence = "K"', 'confidence = "V"', "1", "cites.verified_by", "核对人"),
        ('scope = "binds"', 'scope = "benchmark"', "1", "cites", "没有出处"),
        ('text_en = "Second"', "", "2", "text_en", "缺少「text_en」"),
        ('duty = "G"', 'duty = "G"\nwhen = ["moon"]', "2", "when", "没有「moon」这项事实"),
        ('duty = "G"', 'duty = "G"\ncounsel_tick = "某"', "2", "counsel_tick", "不能随文件带入"),
        (
            'jurisdiction = "CN"', 'jurisdiction = "CN"\neffective_to = 2019-01-01', "",
            "effective_to", "失效日期早于生效日期",
        ),
        (
            'scope = "binds"',
            'scope = "binds"\neffective_from = 2024-01-02\neffective_to = 2024-01-01',
            "sources.A", "effective_to", "失效日期早于生效日期",
        ),
        ('severity_if_fail = "S1"', 'severity_if_fail = "S9"', "2", "severity_if_fail", "写法"),
        ("[[items]]", "[[entries]]", "", "", ""),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_is_refused_with_item_field_and_fix(
    old, new, item, field, words, kit
):
    text = kit.tiny().decode()
    assert old in text
    faults = refused(text.replace(old, new))
    told = [(f.item, f.field, str(f.fix)) for f in faults]
    assert any(i == item and (not field or fd == field) and words in fix for i, fd, fix in told), (
        told
    )


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"\xff\xfe\x00", "x.toml", "UTF-8"),
        (b"pack_id = ", "x.toml", "TOML"),
        (b"{", "x.json", "JSON"),
        (b"[1]", "x.json", "一张表"),
        (b"[" * 100_000, "x.json", "JSON"),
        (b"x" * 1_000_001, "x.toml", "1 MB"),
        (b"items = 3", "x.toml", "写法不对"),
        (b"sources = [1]", "x.toml", "写法不对"),
    ],
)
def test_what_is_no_pack_at_all_is_refused(content, name, words):
    assert any(words in str(fault.fix) for fault in refused(content, name))


def test_all_faults_are_told_at_once(kit):
    text = kit.tiny().decode().replace('text_en = "Second"', "x = 1").replace("text_en = ", "y = ")
    assert len(refused(text)) >= 3


CONTRADICTIONS = (
    ({"version": "1", "text": "改了"}, "内容却不同"),
    ({"version": "1"}, "内容相同"),
    ({"version": "2", "since": "2019-01-01"}, "前后颠倒"),
    ({"version": "0.9", "since": "2021-01-01"}, "前后颠倒"),
    ({"pack_id": "iso10002", "version": "9999"}, "平台清单包"),
)


def test_a_version_that_contradicts_another_is_refused_and_nothing_is_kept(lend, tiny_pack, kit):
    ctx = lend("admin")
    before = len(packs.versions(ctx))
    for given, words in CONTRADICTIONS:
        entry = packs.bring_in(ctx, kit.tiny(**given), "again.toml")
        assert not entry.accepted
        assert words in str(packs.fault_message(entry.faults[0]))
        assert len(packs.versions(ctx)) == before


def test_dates_that_overlap_are_refused(lend, kit):
    ctx = lend("admin")
    ended = kit.tiny().decode().replace("2020-01-01", "2020-01-01\neffective_to = 2022-12-31")
    assert packs.bring_in(ctx, ended.encode(), "a.toml").accepted
    entry = packs.bring_in(ctx, kit.tiny(version="2", since="2022-06-01"), "b.toml")
    assert "重叠" in str(packs.fault_message(entry.faults[0]))
    assert packs.bring_in(ctx, kit.tiny(version="2", since="2023-01-01"), "b.toml").accepted


# -- tables ------------------------------------------------------------------------------------


def test_the_sample_table_can_be_brought_in_as_it_is(lend):
    content = packtable.sample(library.shipped()["cn-pfm-self"])
    entry = packs.bring_in(lend("admin"), content, "pack.xlsx")
    assert entry.accepted, entry.faults
    pack = packs.shelf(lend("admin"), "my-firm").newest
    assert [item.item_id for item in pack.items] == ["1", "2", "3", "4", "5"]
    assert pack.items[0].evidence_types_zh == ("制度", "决议")


def test_wrong_rows_give_a_sheet_of_faults_and_change_nothing(lend):
    rows = [
        "pack_id,version,title_zh,title_en,jurisdiction,effective_from,item_id,text_zh,text_en,duty,severity_if_fail",
        "own,1,甲,A,CN,2026-01-01,1,第一项,First,G,S1",
        "own,2,甲,A,CN,2026-01-01,2,=HYPERLINK(1),Second,MUST,S1",
    ]
    ctx = lend("admin")
    entry = packs.bring_in(ctx, "\n".join(rows).encode(), "own.csv")
    assert [(f["item"], f["field"]) for f in entry.faults] == [("2", "version")]
    rows[2] = "own,1,,,,,1,=HYPERLINK(1),Second,MUST,S1"
    entry = packs.bring_in(ctx, "\n".join(rows).encode(), "own.csv")
    assert [(f["item"], f["field"]) for f in entry.faults] == [("1", "duty")]
    assert packs.versions(ctx) == []
    assert report.fault_sheet(ctx, entry.faults)[:2] == b"PK"
    assert XLSX.endswith("sheet")


# -- taking into use ---------------------------------------------------------------------------


def test_whoever_brought_a_pack_in_does_not_take_it_into_use(lend, kit):
    assert packs.bring_in(lend("approver"), kit.tiny(), "tiny.toml").accepted
    with pytest.raises(SecondPerson):
        packs.adopt(lend("approver"), "tiny", "1")
    assert packs.adopt(lend("approver2"), "tiny", "1").adopted_name == "梁以恒"


def test_an_upgrade_is_compared_item_by_item_and_open_runs_keep_their_version(lend, run, kit):
    ctx = lend("admin")
    newer = kit.tiny(version="2", since="2021-01-01", text="改过的第一项").decode()
    newer += '\n[[items]]\nitem_id = "3"\ntext_zh = "新"\ntext_en = "New"\n'
    newer += 'duty = "G"\nseverity_if_fail = "S1"\n'
    assert packs.bring_in(ctx, newer.encode(), "tiny2.toml").accepted
    shelf = packs.shelf(ctx, "tiny")
    assert shelf.newer is not None
    changes = packs.difference(packs.pack_of(shelf.current), shelf.newer)
    assert [(c.item_id, c.old is None, c.fields) for c in changes] == [
        ("1", False, ("text_zh",)), ("3", True, ()),
    ]  # fmt: skip
    packs.adopt(lend("approver"), "tiny", "2")
    assert runs.find(ctx, run.id).pack_version == "1"
    assert [r.content["item"]["text_zh"] for r in runs.items(ctx, run.id)] == ["第一项", "第二项"]
    later = runs.begin(lend("approver"), kit.run_form(title="后一次"), "k2")
    assert later.pack_version == "2"
    with pytest.raises(Conflict):
        packs.adopt(lend("approver"), "tiny", "1")


def test_a_change_of_a_source_changes_its_items_too(kit):
    old = packfile.load(kit.tiny(), "a.toml", library.facts())
    text = kit.tiny(version="2").decode().replace("第 1 号", "第 2 号")
    new = packfile.load(text.encode(), "b.toml", library.facts())
    assert [(c.item_id, c.fields) for c in packs.difference(old, new)] == [("1", ("sources",))]


# -- applicability -----------------------------------------------------------------------------


def test_an_item_says_whether_and_why_it_concerns_the_firm(lend):
    pack = library.shipped()["cn-pfm-self"]
    item = next(i for i in pack.items if i.item_id == "13")
    ctx = lend("admin")
    told = []
    for answers in (
        {},
        {"uncustodied_funds": "no"},
        {"uncustodied_funds": "yes", "cn_manager": "yes"},
    ):
        packs.answer_facts(ctx, answers, seen=ctx.now())
        concerns, reasons = item_applies(pack, item, packs.answers(ctx))
        told.append((concerns, [ctx.text(m) for m in why(reasons, "zh")]))
    assert [concerns for concerns, _ in told] == [Applies.OPEN, Applies.NO, Applies.YES]
    assert told[1][1][1] == "是否管理未托管的基金：否"


def test_what_does_not_concern_the_firm_is_answered_by_its_rule(lend, kit):
    packs.answer_facts(lend("admin"), {"cn_manager": "yes", "uncustodied_funds": "no"})
    packs.adopt(lend("approver"), "cn-pfm-self", library.shipped()["cn-pfm-self"].version)
    run = runs.begin(lend("approver"), kit.run_form(pack="cn-pfm-self"), "k")
    rows = {r.item_id: r for r in runs.items(lend("approver"), run.id)}
    assert rows["13"].answer == "not_applicable"
    assert rows["13"].answered_name == "系统"
    assert rows["1"].answer is None
    assert run.answerers == []


@pytest.mark.parametrize("given", [{"cn_manager": "maybe"}, {"moon": "yes"}])
def test_an_answer_that_is_none_is_refused(given, lend):
    with pytest.raises(Invalid):
        packs.answer_facts(lend("admin"), given)


def test_an_answer_given_meanwhile_is_not_written_over_unseen(lend):
    first, second = lend("admin"), lend("approver")
    packs.answer_facts(first, {"cn_manager": "no"})
    seen = first.now()
    packs.answer_facts(first, {"cn_manager": "yes"}, seen=seen)
    with pytest.raises(Invalid) as refused:
        packs.answer_facts(second, {"cn_manager": "no", "uncustodied_funds": "no"}, seen=seen)
    assert set(refused.value.fields) == {"cn_manager"}
    assert packs.answers(first) == {"cn_manager": True}
    assert packs.answer_facts(second, {"cn_manager": "yes", "uncustodied_funds": "no"}) == 1
    assert packs.answer_facts(second, {"cn_manager": "no"}, seen=second.now()) == 1


# -- vouching ----------------------------------------------------------------------------------


def vouch_form(kind, **given):
    return VouchForm(
        **{"kind": Voucher(kind), "person": "某律师", "on": today(), "source": "意见 1", **given}
    )


def test_reading_and_tick_come_from_two_people_and_hold_for_the_words_they_saw(
    lend, tiny_pack, kit
):
    packs.vouch(lend("approver"), "tiny", "1", vouch_form("read"))
    with pytest.raises(SecondPerson):
        packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    packs.vouch(lend("approver2"), "tiny", "1", vouch_form("counsel"))
    with pytest.raises(Conflict):
        packs.vouch(lend("approver2"), "tiny", "1", vouch_form("counsel"))
    ctx = lend("admin")

    def standing():
        pack = packs.shelf(ctx, "tiny").shown
        held = packs.vouches(ctx, "tiny").get(packfile.item_hash(pack, pack.items[0]), ())
        return standing_of(pack.items[0], held, imported=True)

    assert standing().verified
    assert packs.bring_in(
        ctx, kit.tiny(version="2", since="2021-01-01", text="改"), "b.toml"
    ).accepted
    packs.adopt(lend("approver"), "tiny", "2")
    assert not standing().verified


def test_a_file_that_says_it_was_read_does_not_speak_for_this_firm(lend, kit):
    said = 'confidence = "V", verified_by = "某人", verified_at = 2026-01-05'
    content = kit.tiny().decode().replace('confidence = "K"', said)
    assert packs.bring_in(lend("admin"), content.encode(), "tiny.toml").accepted
    packs.adopt(lend("approver"), "tiny", "1")
    packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    run = runs.begin(lend("approver"), kit.run_form(), "k")
    for position in (1, 2):
        kit.say(lend("approver"), run, position, "not_met", "缺")

    def told():
        return report.report_of(lend("supervisor"), run).lines[0].standing.verified

    assert not told()
    reading = packs.vouch(lend("investigator"), "tiny", "1", vouch_form("read"))
    assert told()
    packs.revoke(lend("investigator"), reading.id)
    runs.submit(lend("approver"), run.id)
    assert not told()


def test_whoever_brought_an_item_in_does_not_tick_for_counsel(lend, kit):
    assert packs.bring_in(lend("approver"), kit.tiny(), "a.toml").accepted
    packs.adopt(lend("approver2"), "tiny", "1")
    with pytest.raises(SecondPerson):
        packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    newer = kit.tiny(version="2", since="2021-01-01")
    assert packs.bring_in(lend("admin"), newer, "b.toml").accepted
    packs.adopt(lend("approver2"), "tiny", "2")
    with pytest.raises(SecondPerson):  # the same item, whoever carried it into version 2
        packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    packs.vouch(lend("approver"), "tiny", "1", vouch_form("read"))
    assert packs.vouch(lend("approver2"), "tiny", "1", vouch_form("counsel")).by_name == "梁以恒"


def test_only_an_approver_enters_counsels_tick(lend, tiny_pack):
    with pytest.raises(NotFound):
        packs.vouch(lend("investigator"), "tiny", "1", vouch_form("counsel"))
    row = packs.vouch(lend("investigator"), "tiny", "1", vouch_form("read"))
    assert row.by_name == "周岚"
    with pytest.raises(Invalid):
        packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel", on=today() + timedelta(3)))
    tick = packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    with pytest.raises(NotFound):
        packs.revoke(lend("investigator"), tick.id)
    assert packs.revoke(lend("approver2"), tick.id).revoked_at is not None


def test_the_export_shows_who_vouches(web, switched_on, tiny_pack, lend, people, kit):
    packs.vouch(lend("investigator"), "tiny", "1", vouch_form("read"))
    packs.vouch(lend("approver"), "tiny", "1", vouch_form("counsel"))
    lend("approver").session.commit()
    answer = web(people["executive"]).get(f"{kit.HOME}/packs/tiny/export")
    told = json.loads(answer.content)
    assert told["standing"]["1"]["counsel"] == "某律师"
    assert told["sha256"] == packs.shelf(lend("admin"), "tiny").shown.hash()
