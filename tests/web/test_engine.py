"""The template engine: what it does once must come out as if it were done each time."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from jinja2 import meta, nodes, pass_context
from jinja2.environment import TemplateModule
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


TWICE = (
    '{% import "_macros.html" as m with context %}{{ m.csrf() }}'
    '{% import "_macros.html" as n with context %}{{ n.csrf() }}'
)


@pytest.fixture
def made(monkeypatch):
    """How often the small parts were made."""
    told = []
    make = TemplateModule.__init__

    def counting(self, template, context, *rest):
        told.append(template.name)
        make(self, template, context, *rest)

    monkeypatch.setattr(TemplateModule, "__init__", counting)
    return told


def test_small_parts_serve_one_page_after_another(templates, translators, made):
    page = templates.from_string(TWICE)
    given = {"_": translators["zh"], "lang": "zh", "base": "", "request_path": "/"}
    for token in ("first", "second", "third"):
        assert page.render(given, csrf_token=token).count(f'value="{token}"') == 2
    assert made == [MACROS]


def test_a_page_within_a_page_has_small_parts_of_its_own(templates, made):
    within = templates.from_string(TWICE)
    outer = templates.from_string(
        TWICE + "{{ within.render(csrf_token='inner')|safe }}" + TWICE + "{{ m.csrf() }}"
    )
    for _ in range(2):
        found = re.findall(r'value="(\w+)"', outer.render(csrf_token="outer", within=within))
        assert found == ["outer"] * 2 + ["inner"] * 2 + ["outer"] * 3
    assert made == [MACROS] * 2


def test_a_page_that_failed_leaves_nothing_of_itself(templates, made):
    failing = templates.from_string(TWICE + "{{ nobody() }}")
    for _ in range(2):
        with pytest.raises(UndefinedError):
            failing.render(csrf_token="secret")
    bare = templates.from_string(TWICE)
    with pytest.raises(UndefinedError):
        bare.render(lang="zh")
    assert made == [MACROS]


def test_pages_made_at_once_read_their_own_words(templates):
    page = templates.from_string(
        '{% import "_macros.html" as m with context %}'
        "{% for x in range(40) %}{{ m.csrf() }}{{ wait() }}{% endfor %}"
    )
    together = Barrier(4, timeout=30)

    def look(token):
        html = page.render(csrf_token=token, wait=lambda: together.wait() and "")
        return set(re.findall(r'value="(\w+)"', html))

    with ThreadPoolExecutor(4) as pool:
        tokens = ["a", "b", "c", "d"]
        assert list(pool.map(look, tokens)) == [{token} for token in tokens]


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
