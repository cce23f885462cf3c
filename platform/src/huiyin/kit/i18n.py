"""Two languages.  Chinese is the key; other languages are catalogues beside the templates.

Catalogues are ``locale/<language>/*.po`` files, read at start-up; several files of one language
are one catalogue, so that each part of the house keeps its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "zh"
LANGUAGES: Final = ("zh", "en")


def N_(message: str) -> str:  # noqa: N802 - the name extraction tools know
    """Mark a string for translation where it is defined, not where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence not yet in anybody's language.

    A parameter may be a message itself, or several: each is translated, and they are joined as
    the language joins them.
    """

    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.key.format(**_said(self.params, SOURCE, str)) if self.params else self.key


def _said(
    params: Mapping[str, object], language: str, say: Callable[[Message], str]
) -> dict[str, object]:
    """The parameters of a sentence, such as a stage's name inside it, in the reader's words."""
    return {
        name: value if type(value) in _PLAIN else _one(value, language, say)
        for name, value in params.items()
    }


_PLAIN: Final = frozenset({str, int})


def _one(value: object, language: str, say: Callable[[Message], str]) -> object:
    if isinstance(value, list | tuple):
        comma = "、" if language == SOURCE else ", "
        return comma.join(str(_one(part, language, say)) for part in value)
    return say(value) if isinstance(value, Message) else value


class Translator:
    """Turns keys into one reader's language.  Unknown keys stay Chinese."""

    def __init__(self, language: str, catalogue: NullTranslations) -> None:
        self.language = language
        self.catalogue = catalogue

    def __call__(self, key: str | Message, **params: object) -> str:
        if isinstance(key, Message):
            params = {**key.params, **params}
            key = key.key
        text = self.catalogue.gettext(key) if key else ""
        if not params:
            return text
        return text.format(**_said(params, self.language, self))

    def plural(self, one: str, many: str, n: int, **params: object) -> str:
        """``one`` and ``many`` are Chinese keys; Chinese has no plural, English does."""
        text = self.catalogue.ngettext(one, many, n)
        return text.format(n=n, **_said(params, self.language, self))

    def context(self, context: str, key: str, **params: object) -> str:
        """The same Chinese word may need two English ones; else one stands for all."""
        text = self.catalogue.pgettext(context, key)
        if text == key:
            text = self.catalogue.gettext(key)
        return text.format(**_said(params, self.language, self)) if params else text


def load(folders: Iterable[Path]) -> dict[str, Translator]:
    """One translator per language, from every ``locale`` folder given."""
    known = list(folders)
    translators = {SOURCE: Translator(SOURCE, NullTranslations())}
    for language in LANGUAGES:
        if language != SOURCE:
            files = tuple(
                (path, path.stat().st_mtime_ns)
                for folder in known
                for path in sorted((folder / language).glob("*.po"))
            )
            translators[language] = Translator(language, _merged(language, files))
    return translators


@lru_cache(maxsize=16)
def _merged(language: str, files: tuple[tuple[Path, int], ...]) -> GNUTranslations:
    """All of these files as one catalogue; read again when one of them has changed."""
    merged = Catalog(locale=language)
    for path, _ in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    merged.add(message.id, message.string, context=message.context)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)
