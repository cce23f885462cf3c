"""Two languages.  Chinese is the key; other languages are catalogues beside the templates.

Catalogues are ``locale/<language>/*.po`` files, read at start-up; several files of one language
are one catalogue, so that each part of the house keeps its own.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    """A sentence not yet in anybody's language."""

    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.key.format(**self.params) if self.params else self.key


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
        # A parameter may itself be a message (a stage's name inside a sentence).
        shown = {k: self(v) if isinstance(v, Message) else v for k, v in params.items()}
        return text.format(**shown)

    def plural(self, one: str, many: str, n: int, **params: object) -> str:
        """``one`` and ``many`` are Chinese keys; Chinese has no plural, English does."""
        return self.catalogue.ngettext(one, many, n).format(n=n, **params)

    def context(self, context: str, key: str, **params: object) -> str:
        """The same Chinese word may need two English ones."""
        text = self.catalogue.pgettext(context, key)
        return text.format(**params) if params else text


def load(folders: Iterable[Path]) -> dict[str, Translator]:
    """One translator per language, from every ``locale`` folder given."""
    merged: dict[str, Catalog] = {
        name: Catalog(locale=name) for name in LANGUAGES if name != SOURCE
    }
    for folder in folders:
        for language, catalogue in merged.items():
            for path in sorted((folder / language).glob("*.po")):
                with path.open("rb") as file:
                    for message in read_po(file, locale=language):
                        if message.id:
                            catalogue.add(message.id, message.string, context=message.context)
    translators = {SOURCE: Translator(SOURCE, NullTranslations())}
    for language, catalogue in merged.items():
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        translators[language] = Translator(language, GNUTranslations(compiled))
    return translators
