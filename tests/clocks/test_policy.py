"""The default policy: where its numbers come from, and mistakes in the file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

import huiyin_frontend
from huiyin.clocks.policy import (
    Confidence,
    Force,
    Origin,
    load_policy,
    origin_label,
)
from huiyin.clocks.rules import CaseEvent
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import load

from .given import POLICY, SOURCE, event

# Policy


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: f"{rule.kind}-{rule.stage}")
def test_no_default_number_claims_to_be_law(rule):
    assert rule.origin.instrument
    assert rule.origin.force in {
        Force.COMPANY_POLICY,
        Force.SERVICE_PROMISE,
        Force.TRANSFER_LETTER,
    }


@pytest.mark.parametrize("force", [Force.LAW, Force.SELF_REGULATION])
@pytest.mark.parametrize("confidence", list(Confidence))
def test_law_is_named_only_when_its_words_were_read(force, confidence):
    label = str(
        origin_label(Origin(instrument="某规定", article="", force=force, confidence=confidence))
    )
    expected = {"law": "法律法规", "self_regulation": "自律规则"}[force]
    assert label == (expected if confidence is Confidence.VERIFIED else "待核实")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('origin = "acknowledge"\n', "", "origin"),
        ('origin = "acknowledge"\n', 'origin = "hearsay"\n', "origin"),
        ("amount = 1\n", "", "天数或日期来源"),
        ("amount = 1\n", "amount = 0\n", "amount"),
        ("amount = 1\n", "amount = 1\namonut = 2\n", "amonut"),
        ('starts_on = ["received"]', 'starts_on = ["recieved"]', "recieved 无法识别"),
        ('stages = ["plan"]', 'stages = ["plans"]', "plans 无法识别"),
        ('clip_to = "reply"', 'clip_to = "answer"', "answer"),
        ('force = "transfer_letter"', 'force = "rumour"', "force"),
        (
            'extension = { amount = 4, unit = "workday" }',
            'extension = { amount = 4, unit = "hour" }',
            "延期单位",
        ),
    ],
)
def test_a_policy_with_a_mistake_is_refused_with_the_place(old, new, says):
    text = SOURCE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(Invalid) as refused:
        load_policy(text.replace(old, new, 1).encode())
    assert says in str(refused.value.fields["policy"])


def test_the_policy_file_loads_from_its_path_and_its_bytes_alike():
    assert load_policy(SOURCE) == load_policy(SOURCE.read_bytes()) == POLICY


def test_every_sentence_of_the_policy_has_its_english():
    translate = load([Path(huiyin_frontend.__file__).parent / "locale"])["en"]
    texts = {POLICY.title, *(rule.title for rule in POLICY.rules)}
    for rule in POLICY.rules:
        for bound in (rule, rule.hard_stop, rule.extension, rule.pause):
            if bound and bound.origin:
                texts |= {bound.origin.instrument, bound.origin.article, bound.origin.note}
    assert not [text for text in texts - {""} if translate(text) == text]


def test_an_event_must_be_known_and_know_its_time_zone():
    with pytest.raises(ValueError, match="no clock knows"):
        event("acknowleged", "2026-03-02")
    with pytest.raises(ValueError, match="time zone"):
        CaseEvent("received", datetime(2026, 3, 2))  # noqa: DTZ001
