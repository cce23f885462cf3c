"""The host side of plugins: finding them, and calling them for one firm."""

from huiyin.plugins.context import TenantContext
from huiyin.plugins.hooks import NoHooks, TenantHooks
from huiyin.plugins.host import PluginHost, listed
from huiyin.plugins.manifest import Kind, Manifest, PersonalData

__all__ = [
    "Kind",
    "Manifest",
    "NoHooks",
    "PersonalData",
    "PluginHost",
    "TenantContext",
    "TenantHooks",
    "listed",
]
