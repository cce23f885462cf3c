"""What the tests of asking are given."""

from sqlalchemy import select

from huiyin_survey_satisfaction.models import Invitation

from .conftest import STAFF

HEAD = "姓名,邮箱,产品,语言"


def upload(browser, campaign, content, name="list.csv", **fields):
    return browser.ask(
        "POST", f"{STAFF}/campaigns/{campaign.id}/list",
        data={"_csrf": browser.csrf, **fields},
        files={"file": (name, content.encode() if isinstance(content, str) else content)},
        headers={"Sec-Fetch-Site": "same-origin"},
    )  # fmt: skip


def states(session, campaign):
    session.expire_all()
    rows = session.execute(
        select(Invitation.state, Invitation.segment).where(Invitation.campaign_id == campaign.id)
    ).all()
    return sorted(rows)
