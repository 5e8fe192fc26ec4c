"""Views that redraw themselves, on a terminal as a person sees them."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Iterator

import pytest
from tests.support.daemon import PrivateDaemon, python_command
from tests.support.terminal import Terminal

pytestmark = pytest.mark.root

RESTORED = b"\x1b[?25h\x1b[?1049l"


def terminal(engine: PrivateDaemon, *words: str) -> Terminal:
    shown = Terminal(python_command("windlass.cli.main", ["windlass", "-H", engine.host, *words]))
    shown.resize(24, 80)
    return shown


@pytest.fixture(scope="module")
def watched(engine: PrivateDaemon) -> Iterator[str]:
    """The name of a running container that has said something."""
    engine.windlass(
        "run", "-d", "--name", "watched", "--network", "none", "busybox", "sh", "-c", "echo said; exec sleep 600"
    )
    yield "watched"
    engine.windlass("rm", "-f", "watched")


def test_top_from_the_first_key_to_the_last(engine: PrivateDaemon, watched: str) -> None:
    view = terminal(engine, "top")
    view.wait_for(b"\x1b[?1049h")
    view.wait_for(watched.encode())
    assert not view.local_flags() & (termios.ECHO | termios.ICANON)
    view.type(b"m")
    view.wait_for("MEM▽".encode())
    view.type(b"h")
    view.wait_for(b"reverse the order")
    view.type(b"xl")
    view.wait_for(b"said\r\n")
    assert view.local_flags() & termios.ISIG
    view.type(b"\x03")
    view.wait_for(b"press a key to go back")
    view.type(b"x")
    view.wait_for(watched.encode())
    view.type(b"s")
    view.wait_for(b"# ")
    view.type(b"echo $((6*7))x; exit\r")
    view.wait_for(b"42x")
    view.wait_for(watched.encode())
    view.type(b"q")
    status, rest = view.finish()
    assert status == 0 and rest.endswith(RESTORED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_top_gives_the_terminal_back_when_it_is_ended(engine: PrivateDaemon, watched: str, number: int) -> None:
    view = terminal(engine, "top")
    view.wait_for(watched.encode())
    os.kill(view.pid, number)
    view.wait_for(RESTORED)
    # The screen goes first, the modes a moment later.
    os.waitid(os.P_PID, view.pid, os.WEXITED | os.WNOWAIT)
    assert view.local_flags() & termios.ECHO
    assert view.finish()[0] == 128 + number


def test_stats_redraws(engine: PrivateDaemon, watched: str) -> None:
    view = terminal(engine, "stats", watched)
    view.wait_for(b"\x1b[2J")
    for _ in range(2):  # the table again, over the old one
        view.wait_for(b"\x1b[H")
        view.wait_for(b"CONTAINER ID   NAME")
        view.wait_for(b"\x1b[J")
    view.wait_for(b"0.00%")
    os.kill(view.pid, signal.SIGINT)
    status, _ = view.finish()
    assert status == 130


def test_stats_ends_when_its_container_is_gone(engine: PrivateDaemon) -> None:
    engine.windlass("run", "-d", "--name", "brief", "--network", "none", "busybox", "sleep", "600")
    view = terminal(engine, "stats", "brief")
    view.wait_for(b"brief")
    engine.windlass("rm", "-f", "brief")
    assert view.finish()[0] == 0
