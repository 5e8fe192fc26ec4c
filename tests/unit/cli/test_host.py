"""Which engine a command talks to, and what it does when none is there."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from windlass.cli import autostart
from windlass.cli.errors import CliError
from windlass.cli.flags import Values, parse_flags
from windlass.cli.host import DEFAULT_HOST, choose_host
from windlass.cli.main import GLOBAL_FLAGS
from windlass.client.endpoint import parse_endpoint


def options(*words: str) -> Values:
    return parse_flags(GLOBAL_FLAGS, list(words))[0]


@pytest.mark.parametrize(
    ("words", "environ", "host", "explicit"),
    [
        ((), {}, DEFAULT_HOST, False),
        ((), {"DOCKER_HOST": "tcp://h:1"}, "tcp://h:1", True),
        ((), {"DOCKER_HOST": "tcp://h:1", "WINDLASS_HOST": "unix:///a"}, "unix:///a", True),
        (("-H", "unix:///b"), {"WINDLASS_HOST": "unix:///a"}, "unix:///b", True),
    ],
)
def test_the_nearest_word_wins(words: tuple[str, ...], environ: dict[str, str], host: str, explicit: bool) -> None:
    choice = choose_host(options(*words), environ, "/nowhere")
    assert (choice.endpoint.text, choice.explicit) == (host, explicit)


def test_a_context_that_is_not_there() -> None:
    with pytest.raises(CliError, match='context "other": context not found'):
        choose_host(options("--context", "other"), {}, "/nowhere")


def _engine_that_says(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Have a small program stand in for the engine; it finds the socket's path in its first argument."""
    monkeypatch.setattr(autostart, "python_command", lambda *_words, **_more: [sys.executable, "-I", "-c", program])


def test_an_engine_is_started_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run" / "engine.sock"
    _engine_that_says(
        monkeypatch,
        "import os, socket\n"
        f"s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen()\n"
        "assert os.getsid(0) == os.getpid()\n"
        "fd = int(os.environ['WINDLASS_READY_FD']); os.write(fd, b'ready\\n'); os.close(fd)\n"
        "s.accept(); s.accept()\n",
    )
    autostart.start_daemon(parse_endpoint(f"unix://{path}"))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
    assert os.path.exists(path.parent / "windlassd.log")


def test_an_engine_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autostart, "CONNECT_TIMEOUT_S", 0.0)
    _engine_that_says(
        monkeypatch,
        "import os, sys\nos.write(int(os.environ['WINDLASS_READY_FD']), b'no overlay here\\n')\nprint('details')\n",
    )
    with pytest.raises(CliError) as caught:
        autostart.start_daemon(parse_endpoint(f"unix://{tmp_path}/engine.sock"))
    assert caught.value.status == 125
    assert caught.value.message.startswith("cannot start the engine: no overlay here")


def test_an_engine_that_dies_leaves_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autostart, "CONNECT_TIMEOUT_S", 0.0)
    _engine_that_says(monkeypatch, "import sys\nprint('out of luck', file=sys.stderr, flush=True)\nsys.exit(3)\n")
    with pytest.raises(CliError, match=r"it ended at once\n  out of luck\nThe whole log is in "):
        autostart.start_daemon(parse_endpoint(f"unix://{tmp_path}/engine.sock"))


def test_an_engine_started_by_another_command_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "engine.sock"
    _engine_that_says(
        monkeypatch, "import os\nos.write(int(os.environ['WINDLASS_READY_FD']), b'pid file is locked\\n')\n"
    )
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        autostart.start_daemon(parse_endpoint(f"unix://{path}"))
