"""What a person wrote into a form, told apart from what the form carries by itself.

A page that cannot keep the words gives them back; a secret is never given back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar.datastructures import UploadFile
from markupsafe import escape

from huiyin.identity.policy import PUBLIC
from huiyin.web.forms import CONTROL

# Passwords by the names they have in every form of the house, and the settings of plugins, any
# of which may be a key.
SECRETS: Final = frozenset({"password", "current", "new", "again", "secret", "token"})
SETTING: Final = "v."
# In the hands of somebody without an account a code opens a case or a log-in.
CODES: Final = frozenset({"code"})

# A mark, a number, a day, a choice: nobody misses those, and they say nothing by themselves.
_CHOICE: Final = re.compile(r"[\w.:@+-]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form in their order, and whether that is all of it.

    Each has its name, its text and whether somebody wrote it.  Fields of one name belong to
    those of another by their place, such as the date of a measure to its words.
    """

    fields: tuple[tuple[str, str, bool], ...]
    whole: bool

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """What somebody wrote, by name."""
        return tuple((name, text) for name, text, written in self.fields if written)


NOTHING: Final = Typed((), whole=False)


def typed_in(data: Mapping[str, Any] | None, permission: str = "") -> Typed:
    """What of a form may be shown to whoever sent it, on a route with this permission."""
    fields: list[tuple[str, str, bool]] = []
    whole = True
    for name, value in (data or {}).items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and not _is_secret(name, permission):
                fields.append((name, item, _is_written(name, item)))
            elif not (isinstance(item, UploadFile) and not item.filename):
                whole = False  # a secret or a file, which has to be given again
    return Typed(tuple(fields), whole)


def _is_secret(name: str, permission: str) -> bool:
    return name in SECRETS or name.startswith(SETTING) or (permission == PUBLIC and name in CODES)


def _is_written(name: str, text: str) -> bool:
    return (
        name not in CONTROL and not name.startswith("_") and _CHOICE.fullmatch(text.strip()) is None
    )


def lost(data: Mapping[str, Any], html: object) -> tuple[str, ...]:
    """The words that stand in no field of this page, as whoever typed them would look for them."""
    page = html if isinstance(html, str) else ""
    return tuple(text for _, text in typed_in(data).words if not _stands(text, page))


def _stands(text: str, page: str) -> bool:
    shown = str(escape(text))
    return f'"{shown}"' in page or f"{shown}</textarea>" in page
