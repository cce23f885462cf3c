"""Two real servers before one database: fan-out, a kill in the middle, and a thousand callers."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from huiyin_channel_chat import talks
from huiyin_channel_chat.models import Said

from .conftest import HOME, STORY

SERVER = """
import sys
import uvicorn
from pathlib import Path
from huiyin.db.engine import application_engine
from huiyin.kit import keys
from huiyin.testing.web import SECRET, make_place
from huiyin.app.cli import SOCKETS
keys.configure(SECRET)
engine = application_engine(sys.argv[1], pool=4, overflow=4)
place = make_place(engine, Path(sys.argv[2]), ("channel_web", "channel_chat"))
listener = __import__("socket").socket(fileno=int(sys.argv[3]))
config = uvicorn.Config(place.app, log_level="warning", access_log=False, **SOCKETS)
uvicorn.Server(config).run(sockets=[listener])
"""


@pytest.fixture(autouse=True)
def morning():
    """Servers of their own have the machine's clock, and so has the test."""


@pytest.fixture
def secret(ctx, session):
    """What a visitor's browser holds of a talk that has begun, at whatever hour."""
    _, held = talks.begin(ctx, topic="complaint", language="zh")
    session.commit()
    return held


@pytest.fixture
def node(addresses, tmp_path, tenant, site):
    """``with node() as (port, process)``: one web process of the installation."""

    @contextmanager
    def start(**more):
        with closing(socket.create_server(("127.0.0.1", 0), backlog=2048)) as listener:
            port = listener.getsockname()[1]
            program = [
                sys.executable, "-c", SERVER, addresses.app,
                str(tmp_path), str(listener.fileno()),
            ]  # fmt: skip
            process = subprocess.Popen(
                program, pass_fds=[listener.fileno()], env={**os.environ, **more}
            )
            try:
                yield port, process
            finally:
                process.kill()
                process.wait(30)

    return start


@contextmanager
def dial(port, token="", **hello):
    """A line that has said hello; what the port holds back until the server is there waits."""
    address, origin = f"ws://127.0.0.1:{port}{HOME}/live", f"http://127.0.0.1:{port}"
    with connect(address, origin=origin, open_timeout=60) as line:
        line.send(json.dumps({"type": "hello", "token": token, **hello}))
        yield line


def until(line, kind):
    got = []
    while not got or got[-1]["type"] != kind:
        got.append(json.loads(line.recv(timeout=60)))
    return got


def say(line, body, client_id):
    line.send(json.dumps({"type": "say", "id": client_id, "body": body}))


def test_what_is_said_at_one_node_is_heard_at_the_other(node, secret):
    with (
        node() as (here, _), node() as (there, _),
        dial(here, secret) as one, dial(there, secret) as two,
    ):  # fmt: skip
        until(one, "hello")
        until(two, "hello")
        heard = {one: [], two: []}
        for n in range(6):
            line, other = (one, two) if n % 2 else (two, one)
            say(line, f"第 {n} 句", f"client-{n:04d}")
            heard[line] += [f["seq"] for f in until(line, "ack") if f["type"] == "said"]
            heard[other] += [f["seq"] for f in until(other, "said") if f["type"] == "said"]
        assert heard == {one: [1, 2, 3, 4, 5, 6], two: [1, 2, 3, 4, 5, 6]}


@pytest.mark.parametrize("how", ["kill", "raise"])
def test_a_server_that_dies_before_the_commit_has_acknowledged_nothing(node, secret, session, how):
    with node(HUIYIN_FAILPOINT=f"chat.before_commit:{how}") as (port, process):
        with dial(port, secret) as line:
            until(line, "hello")
            say(line, STORY, "client-0001")
            with pytest.raises(ConnectionClosed):
                until(line, "ack")
        if how == "kill":
            assert process.wait(30) == -signal.SIGKILL
    assert session.scalars(select(Said)).all() == []
    with node() as (port, _), dial(port, secret) as line:
        assert until(line, "hello")[-1]["seq"] == 0
        say(line, STORY, "client-0001")
        assert until(line, "ack")[-1]["seq"] == 1


def test_a_server_killed_after_the_commit_knows_the_message_again(node, secret, session):
    with node() as (port, process), dial(port, secret) as line:
        until(line, "hello")
        say(line, STORY, "client-0001")
        until(line, "ack")
        process.kill()
        with pytest.raises(ConnectionClosed):
            until(line, "beat")
    with node() as (port, _), dial(port, secret, after=0) as line:
        hello, said = until(line, "said")
        assert (hello["seq"], said["id"]) == (1, "client-0001")
        say(line, STORY, "client-0001")
        assert until(line, "ack")[-1]["seq"] == 1
    assert len(session.scalars(select(Said)).all()) == 1


def test_an_oversized_frame_closes_with_1009(node, secret):
    with node() as (port, _):
        for size in (20_000, 200_000):
            with dial(port, secret) as line:
                until(line, "hello")
                line.send("x" * size)
                with pytest.raises(ConnectionClosed) as fault:
                    until(line, "beat")
                assert fault.value.rcvd.code == 1009


def resident(process):
    """Memory of a process in kB, as the kernel tells it."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmRSS"))


def test_a_thousand_from_one_address_are_turned_away_and_others_served(node, secret):
    with node() as (port, process):
        with dial(port, secret) as line:
            until(line, "hello")
        before = resident(process)
        admitted, refused = asyncio.run(storm(port, 1000))
        assert (admitted, refused) == (30, 970)
        assert resident(process) - before < 64_000
        with dial(port, secret) as line:
            assert until(line, "hello")


async def storm(port, n):
    """So many lines at once, held open until the last has its answer; admitted and refused."""
    address, origin = f"ws://127.0.0.1:{port}{HOME}/live", f"http://127.0.0.1:{port}"
    admitted, refused, all_told = 0, 0, asyncio.Event()
    a_few = asyncio.Semaphore(60)  # more than are let in: those stay inside

    async def one():
        nonlocal admitted, refused
        async with a_few:
            try:
                async with connect_async(address, origin=origin, open_timeout=60):
                    admitted += 1
                    if admitted + refused == n:
                        all_told.set()
                    await all_told.wait()
            except InvalidStatus:
                refused += 1
                if admitted + refused == n:
                    all_told.set()

    await asyncio.gather(*(one() for _ in range(n)))
    return admitted, refused
