"""使用手册: what the firm's plugins say about themselves, to those who may use them."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.kit.errors import NotFound
from huiyin.plugins.terms import HelpTopic
from huiyin.web.desk import Desk
from huiyin.web.routes import page


class HandbookController(Controller):
    path = "/t/{tenant:str}/w/help"

    @page("/", name="handbook.index", permission="home")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.page("handbook/index.html", topics=_topics(desk))

    @page("/{topic:str}", name="handbook.topic", permission="home")
    def topic(self, desk: NamedDependency[Desk], topic: FromPath[str]) -> Response[Any]:
        for known in _topics(desk):
            if known.name == topic:
                body = desk.hooks.context(topic.partition(":")[0]).render(known.template)
                return desk.page("handbook/topic.html", topic=known, body=body)
        raise NotFound


def _topics(desk: Desk) -> list[HelpTopic]:
    """Those of the plugins that are on, as far as this person may use what they tell of."""
    topics: list[HelpTopic] = desk.hooks.help_topics()
    return [topic for topic in topics if desk.actor.can(topic.permission)]
