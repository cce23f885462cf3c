"""The template engine: what it does once must come out as if it were done each time."""

import re
from pathlib import Path

import pytest
from jinja2 import meta, nodes, pass_context
from jinja2.exceptions import UndefinedError

import huiyin_frontend
from huiyin.kit import i18n
from huiyin.web.engine import MACROS, speaking
from huiyin.web.render import environment

FRONTEND = Path(huiyin_frontend.__file__).parent
# What ``Desk._context`` gives to every page, and Jinja's own.
EVERYWHERE = {"_", "lang", "base", "csrf_token", "request_path", "theme"}


@pytest.fixture(scope="module")
def translators():
    return i18n.load([FRONTEND / "locale"])


@pytest.fixture
def templates():
    return environment([FRONTEND / "templates"], [FRONTEND / "static"])


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "source",
    [
        '{{ _("搜索") }}',
        '<a title="{{ _("搜索") }}">{% set x = _("重试") %}{{ x }}</a>',
        '{{ _("{n} 件超时", n=3) }} {{ _(key) }} {{ _.context("satisfaction", "一般") }}',
        '{% macro says(word=_("关闭")) %}[{{ word }}]{% endmacro %}{{ says() }}{{ says("<b>") }}',
        '{% for x in [1, 2] %}{{ _("搜索") if x == 1 else _("没有这句话 <&>") }}{% endfor %}',
    ],
)
def test_words_put_in_beforehand_are_the_words_asked_for(templates, translators, language, source):
    translator = translators[language]
    given = {"_": translator, "key": "搜索"}
    spoken = speaking(templates, translator)
    assert spoken.from_string(source).render(given) == templates.from_string(source).render(given)
    assert not re.search(r'_\("[^"{]+"\)', str(spoken._parse(source, None, None)))


def test_one_language_does_not_speak_for_another(templates, translators):
    said = {
        name: speaking(templates, translator).get_template("confirm.html")
        for name, translator in translators.items()
    }
    assert said["zh"] is not said["en"]


def test_small_parts_are_made_once_a_page_and_anew_for_the_next(templates, translators):
    page = templates.from_string(
        '{% import "_macros.html" as m with context %}{{ m.csrf() }}'
        '{% import "_macros.html" as n with context %}{{ n.csrf() }}'
    )
    given = {"_": translators["zh"], "lang": "zh", "base": "", "request_path": "/"}
    for token in ("first", "second"):
        made = {}
        html = page.render(given, csrf_token=token, made_parts=made)
        assert html.count(f'value="{token}"') == 2
        assert list(made) == [MACROS]


def test_small_parts_read_nothing_that_differs_within_a_page(templates):
    source = (FRONTEND / "templates" / MACROS).read_text(encoding="utf-8")
    read = templates.parse(source)
    assert any(read.find_all(nodes.Macro))
    assert meta.find_undeclared_variables(read) - {"bricks"} <= EVERYWHERE


def test_a_call_goes_to_what_is_called(templates):
    @pass_context
    def asks(context, word):
        return context["name"] + word

    given = {"asks": asks, "plain": lambda *a, **k: (a, k), "name": "n"}
    assert templates.from_string('{{ asks("!") }}').render(given) == "n!"
    looped = "{% for x in [1] %}{{ plain(x, y=2)[1].y }}{% endfor %}"
    assert templates.from_string(looped).render(given) == "2"
    with pytest.raises(UndefinedError):
        templates.from_string("{{ nobody() }}").render(given)
