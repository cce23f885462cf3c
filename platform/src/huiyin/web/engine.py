"""Where our pages part from plain Jinja, each time to do once what Jinja does again and again.

The words of a template are put in when it is compiled, once for each language; a call goes
straight to what is called; and the house's small parts are made once for many pages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

from jinja2 import Environment, Template, nodes
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from huiyin.kit.i18n import Translator

# The house's small parts read what is the same everywhere on a page, and nothing else.
MACROS: Final = "_macros.html"


_OF_MAPPINGS: Final = frozenset(dir(dict))


class PageContext(Context):
    """Calls without the search for a wish to be passed the context, which nothing of ours has."""

    def call(
        self, called: Any, /, *args: Any, _block_vars: Any = None, _loop_vars: Any = None,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        if hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **kwargs)
        return called(*args, **kwargs)


class _Making(threading.local):
    """The small parts of the page that this thread is making; ``None`` between pages."""

    parts: dict[PageTemplate, tuple[TemplateModule, Context]] | None = None


_making: Final = _Making()


@contextmanager
def parts_lent() -> Iterator[None]:
    """One page, or a block that is sent alone: what it borrows is given back when it is made."""
    around, _making.parts = _making.parts, {}  # a page may be made in the middle of another
    try:
        yield
    finally:
        for template, (module, context) in _making.parts.items():
            context.parent = {}
            template._spare.append((module, context))  # noqa: SLF001 - one of ours
        _making.parts = around


class PageTemplate(Template):
    """A template whose pages borrow the house's small parts ready made.

    Every block imports them for itself, because it may be sent alone, and to make some fifty
    macros takes as long as to fill a page with them.  A macro looks up what it reads when it is
    called, so one set serves one page after another: each borrows a set, and gives it back empty.
    """

    _spare: list[tuple[TemplateModule, Context]]

    def render(self, *args: Any, **kwargs: Any) -> str:
        with parts_lent():
            return super().render(*args, **kwargs)

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - Jinja's own names
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> TemplateModule:
        parts = _making.parts
        if self.name != MACROS or not vars or parts is None:
            return super().make_module(vars, shared, locals)
        if self not in parts:
            parts[self] = self._borrowed(vars)
        return parts[self][0]

    def _borrowed(self, page: dict[str, Any]) -> tuple[TemplateModule, Context]:
        spare: list[tuple[TemplateModule, Context]] = vars(self).setdefault("_spare", [])
        try:
            module, context = spare.pop()
        except IndexError:
            context = self.new_context(page, shared=True)
            return TemplateModule(self, context), context
        context.parent = page
        return module, context


class PageEnvironment(Environment):
    """The template engine; ``speaking`` makes of it one that knows its readers' language."""

    context_class = PageContext
    template_class = PageTemplate
    translator: Translator | None = None

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """One plain mapping: what every page begins with is copied much faster out of one."""
        return {**self.globals, **(d or {})}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a mapping holds is looked for in it first; Jinja fails at its attributes before."""
        if type(obj) is dict and attribute not in _OF_MAPPINGS and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        read = super()._parse(source, name, filename)
        if self.translator is not None:
            _Spoken(self.translator).visit(read)
        return read


def speaking(templates: Environment, translator: Translator) -> Environment:
    """The same templates for readers of one language, who are to be given its ``_`` as well."""
    if not isinstance(templates, PageEnvironment):
        return templates
    spoken = templates.overlay()
    spoken.translator = translator
    return spoken


class _Spoken(NodeTransformer):
    """Puts the translation in the place of ``_("…")``; what takes a value stays a call."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's own name
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(words))], kwargs=[],
                dyn_args=None, dyn_kwargs=None,
            ):  # fmt: skip
                return nodes.Const(self._translator(words), lineno=node.lineno)
        return node
