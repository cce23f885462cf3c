"""The small firm with a chat that never shuts: ``python seed_chat.py PASSWORD ORIGIN``.

``ORIGIN`` is the site that may show the chat in a frame.
"""

import sys
from functools import partial

import seed
from sqlalchemy import select

from huiyin.app.compose import Installation
from huiyin.db import tenant_session
from huiyin.identity.models import Account
from huiyin.tenancy.models import PluginActivation, SettingVersion


def add_chat(installation: Installation, origin: str) -> None:
    firm = installation.site.tenants.find(seed.TENANT)
    assert firm is not None
    with tenant_session(installation.engine, firm.id) as session:
        author, publisher = session.scalars(select(Account.id).limit(2)).all()
        hours = {"days": "every_day", "opens": "00:00", "closes": "23:59"}
        session.add(PluginActivation(plugin="channel_chat", active=True))
        session.add(
            SettingVersion(
                plugin="channel_chat", version=1, state="published",
                data={**hours, "origins": [origin]}, author_id=author, publisher_id=publisher,
            )
        )  # fmt: skip
        session.commit()


if __name__ == "__main__":
    password, origin = sys.argv[1:]
    seed.main(password, partial(add_chat, origin=origin))
