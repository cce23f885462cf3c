"""Reading what strangers send: in a process of its own, with little memory, time and reach.

The child gets the bytes on its standard input and one folder to write to; it has no network and
may start nothing.  It is told a function's name, ``package.module:function``, which takes the
bytes and the folder and answers something JSON can hold.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

ANSWER: Final = "answer.json"
_NEW_USER: Final = 0x10000000  # CLONE_NEWUSER
_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET
_MEGABYTE: Final = 1024 * 1024
# What the child may no longer do once its function is loaded.
_FORBIDDEN: Final = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system",
    "os.kill", "os.startfile", "ctypes.", "pty.", "ftplib.", "smtplib.", "urllib.", "winreg.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one reading may use; ``wall`` and ``cpu`` in seconds, the rest in bytes."""

    memory: int = 512 * _MEGABYTE
    cpu: int = 20
    wall: float = 30.0
    file: int = 40 * _MEGABYTE  # of one file that the child writes
    answer: int = 16 * _MEGABYTE  # of what is taken back


class Broken(Exception):
    """The child came to no answer; ``why`` is ``time``, ``memory``, ``answer`` or ``fault``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def run(
    function: str,
    source: BinaryIO,
    folder: Path,
    limits: Limits | None = None,
    *,
    path: Path | None = None,
) -> Any:
    """Let ``function`` read ``source`` and answer; files it made lie in ``folder``.

    ``path`` is where its module is found, if it is not installed.  Raises ``Broken``; whatever
    the child wrote or said is then worth nothing.
    """
    limits = limits or Limits()
    child = subprocess.Popen(  # noqa: S603 - our own interpreter, and a name from our own list
        [
            sys.executable, "-I", "-B", "-W", "ignore", "-m", "huiyin.kit.jail", function,
            str(folder), str(limits.memory), str(limits.cpu), str(limits.file), str(path or ""),
        ],
        stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=True,
        cwd=folder, env={"LANG": "C.UTF-8", "PATH": os.defpath}, start_new_session=True,
    )  # fmt: skip
    try:
        code = child.wait(limits.wall)
    except subprocess.TimeoutExpired:
        raise Broken("time") from None
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if code != 0:
        raise Broken(_EXITS.get(code, "fault"))
    return _answer(folder / ANSWER, limits.answer)


_OUT_OF_MEMORY: Final = 12  # exit codes of the child
_TOO_LONG: Final = 27
_EXITS: Final = {
    _OUT_OF_MEMORY: "memory", _TOO_LONG: "answer",
    -signal.SIGXCPU: "time", -signal.SIGKILL: "time",
}  # fmt: skip


def _answer(path: Path, most: int) -> Any:
    try:
        if path.is_symlink() or path.stat().st_size > most:
            raise Broken("answer")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise Broken("answer") from None


# -- in the child ------------------------------------------------------------------------------


def confine(memory: int, cpu: int, file: int) -> None:
    """Give up what this process will not need.  Where the system allows, the network goes too."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None:
        # In a user space of its own first, where an ordinary user may do it; either may fail.
        _ = unshare(_NEW_USER | _NEW_NETWORK) and unshare(_NEW_NETWORK)
    for kind, most in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, cpu), (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(kind, (most, most))
    os.umask(0o077)


def _forbid(event: str, _arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)


def main(function: str, folder: str, memory: str, cpu: str, file: str, path: str) -> int:
    """Read, answer, leave; the exit code says which of the known ways it went wrong."""
    confine(int(memory), int(cpu), int(file))
    if path:
        sys.path.insert(0, path)
    module, _, name = function.partition(":")
    read = getattr(import_module(module), name)
    sys.addaudithook(_forbid)
    try:
        answer = json.dumps(read(sys.stdin.buffer.read(), Path(folder)), ensure_ascii=False)
        # Half a pair of surrogates is no text; it would fail on the way into the database.
        (Path(folder) / ANSWER).write_bytes(answer.encode("utf-8", "replace"))
    except MemoryError:
        return _OUT_OF_MEMORY
    except OSError as fault:
        return _TOO_LONG if fault.errno == errno.EFBIG else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
