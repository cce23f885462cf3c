"""Open every road of a firm that is there: ``seed_channels.py SLUG``."""

import sys

from sqlalchemy import select
from webhooks import APP_ID, APP_SECRET, MP_KEY, MP_TOKEN, PHONE_SECRET

from huiyin.app.compose import install
from huiyin.app.settings import Settings
from huiyin.db import platform_session, tenant_session
from huiyin.plugins.sealing import seal
from huiyin.tenancy.models import PluginActivation, SettingVersion, Tenant
from huiyin.testing.factories import make_actor

PLUGINS = {
    "channel_chat": ({"days": "every_day", "opens": "00:00", "closes": "23:59"}, {}),
    "channel_phone": ({}, {"secret": PHONE_SECRET}),
    "channel_wecom": (
        {"mp": True, "app_id": APP_ID},
        {"app_secret": APP_SECRET, "mp_token": MP_TOKEN, "mp_aes_key": MP_KEY},
    ),
}

if __name__ == "__main__":
    installation = install(Settings.read())
    with platform_session(installation.engine) as session:
        firm = session.scalars(select(Tenant).where(Tenant.slug == sys.argv[1])).one()
    admin = make_actor(installation.engine, firm, "tenant_admin")
    with tenant_session(installation.engine, firm.id) as session:
        for plugin, (data, secrets) in PLUGINS.items():
            boxes = {
                field: {
                    "sealed": seal(text, tenant_id=firm.id, plugin=plugin, field=field),
                    "at": "", "by": "",
                }
                for field, text in secrets.items()
            }  # fmt: skip
            session.add(PluginActivation(plugin=plugin, active=True))
            session.add(
                SettingVersion(
                    plugin=plugin, version=1, state="published", author_id=admin.id,
                    data=data, secrets=boxes,
                )
            )  # fmt: skip
        session.commit()
    installation.close()
