"""The two marks of pluggy: where the platform asks, and where a plugin answers."""

from __future__ import annotations

from typing import Final

import pluggy

NAME: Final = "huiyin"

hookspec: Final = pluggy.HookspecMarker(NAME)
hookimpl: Final = pluggy.HookimplMarker(NAME)
