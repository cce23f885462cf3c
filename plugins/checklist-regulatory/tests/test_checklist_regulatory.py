"""What this plugin does, told as sentences."""

import pytest

from huiyin.sdk import Case, rehearse
from huiyin_checklist_regulatory import plugin
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings


@pytest.fixture
def ctx(session):
    return rehearse(
        plugin, session, name="checklist_regulatory", settings=ChecklistRegulatorySettings(days=7)
    )


def test_an_open_case_shows_the_days_this_firm_chose(ctx):
    panel = plugin.case_panels(ctx, Case(state="open"))
    assert "7" in panel.body


def test_a_closed_case_shows_nothing(ctx):
    assert plugin.case_panels(ctx, Case(state="closed")) is None


def test_the_panel_is_there_in_english(session):
    ctx = rehearse(plugin, session, name="checklist_regulatory", language="en")
    assert "Reminds 5 working days ahead" in plugin.case_panels(ctx, Case(state="open")).body
