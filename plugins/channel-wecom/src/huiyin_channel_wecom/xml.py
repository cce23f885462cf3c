"""The one shape of XML that callbacks have: a root with fields of text, perhaps one level deeper.

No document type, no entities of their own, no processing instructions; little of everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

LARGEST: Final = 64 * 1024  # bytes
FIELDS: Final = 100
DEPTH: Final = 4


class Malformed(ValueError):
    """Not such a document."""


@dataclass(slots=True)
class _Found:
    path: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    seen: int = 0


def read(data: bytes) -> dict[str, str]:
    """The fields by their names; of one inside another by both names, as ``SendPicsInfo.Count``.

    Of a field that stands there twice the first counts.  Raises ``Malformed``.
    """
    if len(data) > LARGEST:
        raise Malformed
    found = _Found()
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.UnparsedEntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.StartElementHandler = lambda name, _attributes: _begin(found, name)
    parser.EndElementHandler = lambda _name: _end(found)
    parser.CharacterDataHandler = found.text.append
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, UnicodeError, ValueError):
        raise Malformed from None
    return found.fields


def _refuse(*_: object) -> int:
    raise Malformed


def _begin(found: _Found, name: str) -> None:
    found.seen += 1
    if found.seen > FIELDS or len(found.path) >= DEPTH or len(name) > 100:
        raise Malformed
    found.path.append(name)
    found.text.clear()


def _end(found: _Found) -> None:
    name = ".".join(found.path[1:])
    if name:
        found.fields.setdefault(name, "".join(found.text))
    found.text.clear()
    found.path.pop()
