"""Put one firm with a mailbox into the installation of ``HUIYIN_HOME``: ``seed.py SLUG``."""

import sys

from huiyin.app.compose import install
from huiyin.app.settings import Settings
from huiyin.db import tenant_session
from huiyin.tenancy.models import PluginActivation
from huiyin.testing.factories import make_tenant

if __name__ == "__main__":
    installation = install(Settings.read())
    firm = make_tenant(installation.engine, sys.argv[1], mark="青", number_prefix="QH")
    with tenant_session(installation.engine, firm.id) as session:
        session.add(PluginActivation(plugin="channel_email", active=True))
        session.commit()
    installation.close()
