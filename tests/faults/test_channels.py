"""Mail, chat and webhooks at once, under ``kill -9`` of whoever serves them."""

from __future__ import annotations

import importlib.util
import itertools
import os
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from . import webhooks
from .chatting import NoAnswerError, Visitor
from .conftest import FIRM, PATIENCE, Busy, until
from .test_mail import DOMAIN, MailServers, _free_port, settled

SEED = 20261127
KILLS = 12
# ``HUIYIN_FAULT_WHOLE=1`` for the figures of the plan, which take the better part of an hour.
WHOLE = os.environ.get("HUIYIN_FAULT_WHOLE") == "1"
MAILS, CHATS, WEBHOOKS = (2000, 500, 200) if WHOLE else (100, 30, 20)
TALKERS, CALLERS = 8, 2
LONG = PATIENCE * (10 if WHOLE else 1)
STORY = "我要投诉：11 月 3 日提交的赎回至今没有到账，请尽快核实，这是第 {n} 位"
PROVIDER = Path(__file__).parents[2] / "plugins/channel-wecom/tests/provider.py"


@dataclass
class Crowd(Busy):
    """Visitors and telephone systems that never give up; what was acknowledged is written down."""

    house: object
    patience: float = LONG
    said: dict[str, list[str]] = field(default_factory=dict)  # number of the case → ids, in order
    called: set[int] = field(default_factory=set)
    broken: int = 0
    faults: list[BaseException] = field(default_factory=list)

    def __post_init__(self):
        self.lock = threading.Lock()
        self.kept, self.nonces = {}, itertools.count()
        self.given_up = threading.Event()
        numbers = list(range(WEBHOOKS))
        chance = random.Random(SEED)
        numbers += chance.sample(numbers, WEBHOOKS // 5)  # some are delivered twice
        chance.shuffle(numbers)
        work = [(self._talk, range(CHATS)[n::TALKERS]) for n in range(TALKERS)]
        work += [(self._call, numbers[n::CALLERS]) for n in range(CALLERS)]
        self.threads = [threading.Thread(target=self._all, args=one, daemon=True) for one in work]

    @property
    def done(self) -> int:
        return len(self.said) + len(self.called)

    def __exit__(self, kind, *_):
        super().__exit__(kind)
        assert not self.faults, self.faults

    def _all(self, act, numbers):
        try:
            for number in numbers:
                act(number)
        except Exception as fault:  # noqa: BLE001 - told by the test, not by a thread nobody hears
            self.faults.append(fault)

    def _again(self, act, *arguments):
        while not self.given_up.is_set():
            try:
                return act(*arguments)
            except (NoAnswerError, OSError, WebSocketException):
                self.broken += 1
                self.given_up.wait(0.05)
        raise NoAnswerError

    # -- a talk ----------------------------------------------------------------------------

    def _talk(self, number):
        chance = random.Random(SEED + number)
        visitor = Visitor(self.house.port, FIRM, f"10.{number // 250}.{number % 250}.7")
        self._again(visitor.begin)
        ids = [f"talk-{number:05d}-{n}" for n in range(chance.randint(2, 6))]
        waiting = list(ids)
        while waiting:
            self._again(self._some, visitor, waiting, chance)
        story = STORY.format(n=number)
        case = self._again(visitor.convert, story)
        assert visitor.read == list(range(1, len(visitor.read) + 1)), "out of order or doubled"
        with self.lock:
            assert case not in self.said, "two talks are one case"
            self.said[case] = ids

    @staticmethod
    def _some(visitor, waiting, chance):
        """Say what is left, until the line breaks; sometimes we break it, with the answer on it."""
        with visitor.line() as line:
            while waiting:
                if chance.random() < 0.1:
                    line.send(f'{{"type": "say", "id": "{waiting[0]}", "body": "{waiting[0]}"}}')
                    line.socket.close()
                    return
                answer = visitor.say(line, waiting[0], waiting[0])
                assert answer["type"] == "ack", answer
                waiting.pop(0)

    # -- a webhook -------------------------------------------------------------------------

    def _call(self, number):
        while not self.given_up.is_set():
            path, body, headers = self._report(number)
            answer = self.house.ask("POST", path, body, **headers)
            if answer.status in {200, 201}:
                self.called.add(number)
                return
            assert answer.status in {0, 503}, answer
            self.broken += 1
            self.given_up.wait(0.05)

    def _report(self, number):
        """The same words each time, under a signature of the moment."""
        if number % 2:
            with self.lock:
                call = self.kept.setdefault(number, webhooks.missed(FIRM, number))
            return webhooks.signed(call, number)
        words = STORY.format(n=f"微信 {number}")
        return webhooks.message(FIRM, number, words, next(self.nonces))


@pytest.fixture
def provider():
    """The server of the 公众号, which hears our answers."""
    spec = importlib.util.spec_from_file_location("provider", PROVIDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.Provider().running() as server:
        yield server


@pytest.fixture
def roads(house, provider, tmp_path):
    """Every road is open; ``start(part)`` starts web or worker before them."""
    house.kill("web")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("seed_channels.py")), FIRM],
        env=house.environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    port = _free_port()
    environment = {
        "HUIYIN_MAIL_LISTEN": f"lmtp://127.0.0.1:{port}", "HUIYIN_MAIL_DOMAIN": DOMAIN,
        "HUIYIN_WECOM_GATEWAY": provider.url, "HUIYIN_OUTBOUND_PRIVATE": "127.0.0.0/8",
    }  # fmt: skip
    mail = MailServers(house, tmp_path / "journal", port, seed=SEED, mails=MAILS, patience=LONG)
    mail.start = lambda part: house.start(part, **environment)
    mail.start("web")
    mail.start("worker")
    return mail


def test_no_road_loses_or_doubles_anything_under_random_kills(house, roads):
    crowd, chance = Crowd(house), random.Random(SEED)
    everything = len(roads.order) + CHATS + WEBHOOKS

    def progress():
        return len(roads.kept) + crowd.done

    kills, parts = 0, ["worker", "web"] * (KILLS // 2)
    with roads, crowd:
        for moment in sorted(chance.uniform(0.02, 0.9) for _ in range(KILLS)):
            wanted = everything * moment
            until(lambda wanted=wanted: progress() >= wanted or crowd.faults, "the crowd", LONG)
            if progress() >= everything or crowd.faults:
                break
            part = parts[kills]
            house.kill(part)
            house.let_a_minute_pass()
            roads.start(part)
            kills += 1
    assert kills >= KILLS // 3, "the crowd was served before it could be disturbed"
    assert roads.refused, "no mail server noticed; the kills proved nothing"
    assert crowd.broken > CHATS * 0.1, "no visitor noticed; the kills proved nothing"
    house.let_a_minute_pass()
    until(lambda: settled(house), "everything to be read", LONG)
    _every_word_once_in_order(house, crowd)
    _every_webhook_once(house)
    assert house.rows("SELECT channel, count(*) FROM case_file GROUP BY channel ORDER BY 1") == [
        ("chat", CHATS), ("email", MAILS), ("wecom", WEBHOOKS // 2)
    ]  # fmt: skip
    house.nothing_is_lost(roads.journal)


def _every_word_once_in_order(house, crowd):
    rows = house.rows(
        "SELECT f.number, array_agg(s.client_id ORDER BY s.seq) FROM plugin_channel_chat__said s"
        " JOIN plugin_channel_chat__conversation c ON c.id = s.conversation_id"
        " JOIN case_file f ON f.id = c.case_id WHERE s.side = 'visitor' GROUP BY f.number"
    )
    assert dict(rows) == crowd.said
    assert len(rows) == CHATS


def _every_webhook_once(house):
    half = WEBHOOKS // 2
    for table in ("plugin_channel_phone__call", "plugin_channel_phone__call_back",
                  "plugin_channel_wecom__incoming"):  # fmt: skip
        assert house.rows(f"SELECT count(*) FROM {table}") == [(half,)], table
    assert house.rows("SELECT max(missed) FROM plugin_channel_phone__call_back") == [(1,)]
