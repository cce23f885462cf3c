"""来件: what came in, and where an officer puts what nobody could recognise."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases.acts import revision
from huiyin.cases.stages import STAGE_TITLES
from huiyin.evidence import kinds
from huiyin.evidence.store import blobs
from huiyin.intake import placing, queries, readers, service
from huiyin.intake.models import STATE_TITLES, Arrival, ArrivalState
from huiyin.intake.recognition import verdict_of
from huiyin.intake.schemas import FAULTS, REASONS, VERDICT_TITLES, SettleForm
from huiyin.kit.i18n import N_
from huiyin.ledger import service as ledger
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page


class ArrivalController(Controller):
    path = "/t/{tenant:str}/w/arrivals"

    @page("/", name="arrival:list", permission="arrival.read")
    def list(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = desk.request.query_params.get("tab", "")
        tab = asked if asked in queries.TABS else "waiting"
        after = desk.request.query_params.get("after", "")[:80]
        found = queries.arrivals(desk.session, desk.actor, tab, after=after)
        more = f"?{urlencode({'tab': tab, 'after': found.after})}" if found.after else ""
        return desk.page(
            "intake/list.html", rows=found.rows, more=more, tab=tab, tabs=queries.TABS,
            states=STATE_TITLES, reasons=REASONS, channels=_channels(desk),
        )  # fmt: skip

    @page("/{arrival_id:uuid}", name="arrival:show", permission="arrival.read")
    def show(self, desk: NamedDependency[Desk], arrival_id: FromPath[uuid.UUID]) -> Response[Any]:
        return _page(desk, arrival_id, Form())

    @action("/{arrival_id:uuid}", name="arrival:settle", permission="arrival.settle")
    def settle(
        self, desk: NamedDependency[Desk], arrival_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(SettleForm, _chosen(data))
            rev = revision(data)
            arrival = service.decide(desk.session, desk.actor, arrival_id, form, rev=rev)
            done = N_("来件已处理，附件稍后列入证据")
            if arrival.case_id is None or not arrival.reading.get("files"):
                done = N_("来件已处理")
            return desk.redirect(_after(desk, arrival), done)

        def again(form: Form, status: int) -> Response[Any]:
            return _page(desk, arrival_id, form, status=status)

        return or_again(desk, data, act, again)

    @action("/{arrival_id:uuid}/again", name="arrival:again", permission="arrival.settle")
    def again(
        self, desk: NamedDependency[Desk], arrival_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        service.read_again(desk.session, desk.actor, arrival_id, rev=revision(data))
        here = f"/t/{desk.tenant.slug}/w/arrivals/{arrival_id}"
        return desk.redirect(here, N_("正在重新读取，请稍后刷新"))

    @page("/{arrival_id:uuid}/original", name="arrival:original", permission="arrival.read")
    def original(
        self, desk: NamedDependency[Desk], arrival_id: FromPath[uuid.UUID]
    ) -> Response[Any]:
        arrival = service.find_arrival(desk.session, desk.actor, arrival_id)
        ledger.append(
            desk.session, kind="arrival.read", object_id=arrival.id, actor_id=desk.actor.id,
            facts={"raw_sha256": arrival.raw_sha256},
        )  # fmt: skip
        with blobs().open(arrival.raw_key) as stream:
            ending = readers.ending_of(arrival.channel)
            name = f"{arrival.received_at:%Y%m%d-%H%M%S}.{ending}"
            return desk.file(stream.read(), name, kinds.by_ending(ending))


def _chosen(data: dict[str, Any]) -> dict[str, Any]:
    """A candidate that was picked stands for its number; the field is for any other case."""
    to = str(data.get("to", ""))
    kind, _, number = to.partition(":")
    return {**data, "to": kind, "number": number or str(data.get("number", ""))}


def _after(desk: Desk, arrival: Arrival) -> str:
    base = f"/t/{desk.tenant.slug}/w"
    if arrival.case_id is None:
        return f"{base}/arrivals"
    return f"{base}/cases/{placing.number_of(desk.session, arrival)}"


def _channels(desk: Desk) -> dict[str, str]:
    """What each road is called, for those that are on."""
    return {channel.name: channel.title for channel in desk.hooks.channels()}


def _page(desk: Desk, arrival_id: uuid.UUID, form: Form, *, status: int = 200) -> Response[Any]:
    arrival = service.find_arrival(desk.session, desk.actor, arrival_id)
    reading = placing.kept_reading(arrival)
    return desk.page(
        "intake/show.html",
        status=status,
        arrival=arrival,
        reading=reading,
        verdict=VERDICT_TITLES[verdict_of(arrival, reading)],
        number=placing.number_of(desk.session, arrival) if arrival.case_id else "",
        candidates=queries.candidates(desk.session, desk.actor, arrival),
        unread=service.is_unread(arrival),
        open=arrival.state in {ArrivalState.WAITING, ArrivalState.IGNORED},
        form=form,
        states=STATE_TITLES,
        stages=STAGE_TITLES,
        reasons=REASONS,
        faults=FAULTS,
        channels=_channels(desk),
    )
