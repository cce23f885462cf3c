"""Put one firm into the installation of ``HUIYIN_HOME``: ``python seed.py SLUG``."""

import sys

from huiyin.app.compose import install
from huiyin.app.settings import Settings
from huiyin.testing.factories import make_tenant

if __name__ == "__main__":
    installation = install(Settings.read())
    make_tenant(installation.engine, sys.argv[1], mark="青", number_prefix="QH")
    installation.close()
