"""The full-screen view: figures from samples, pictures from figures, keys from bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.engine_recorder import recording

from windlass.cli.main import run
from windlass.cli.watching.figures import Sample, Usage, ordered
from windlass.cli.watching.frame import Choices, frame, size, sparkline
from windlass.cli.watching.keys import keys
from windlass.cli.watching.sampler import Sampler
from windlass.client.endpoint import parse_endpoint
from windlass.client.engine import Engine


def stats(cpu_ns: int, *, received: int = 0, written: int = 0) -> dict[str, object]:
    return {
        "cpu_stats": {"cpu_usage": {"total_usage": cpu_ns}},
        "memory_stats": {"usage": 3 << 20, "limit": 12 << 20, "stats": {"inactive_file": 1 << 20}},
        "networks": {"eth0": {"rx_bytes": received, "tx_bytes": 0}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "write", "value": written}]},
        "pids_stats": {"current": 4},
    }


def usage(name: str, cpu_percent: float = 0.0) -> Usage:
    result = Usage(name * 3, name, "img", "Up")
    result.take(Sample(stats(0), 1.0))
    result.take(Sample(stats(int(cpu_percent * 1e7)), 2.0))
    return result


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[\d*m", "", line) for line in lines]


def test_rates_are_differences_over_time() -> None:
    web = Usage("id", "web", "img", "Up")
    web.take(Sample(stats(1_000_000_000, received=100, written=10), 10.0))
    assert (web.cpu_percent, web.history) == (0.0, [])
    web.take(Sample(stats(2_000_000_000, received=1100, written=50), 12.0))
    assert (web.cpu_percent, web.network, web.io) == (50.0, (500.0, 0.0), (0.0, 20.0))
    assert (web.memory_bytes, round(web.memory_percent, 1), web.pids, web.history) == (2 << 20, 16.7, 4, [50.0])
    web.take(Sample(stats(0), 13.0))  # a restart: the counters begin anew
    assert (web.cpu_percent, web.network) == (0.0, (0.0, 0.0))


def test_order() -> None:
    usages = [usage("a", 5), usage("b", 70), usage("c", 5)]
    assert [item.name for item in ordered(usages, "cpu", reverse=False)] == ["b", "a", "c"]
    assert [item.name for item in ordered(usages, "name", reverse=True)] == ["c", "b", "a"]


@pytest.mark.parametrize("columns", [20, 80, 132])
@pytest.mark.parametrize("rows", [3, 24])
def test_a_frame_never_leaves_the_screen(rows: int, columns: int) -> None:
    usages = [usage(f"container-with-a-long-name-{number}", number) for number in range(99)]
    choices = Choices()
    choices.chosen = usages[50].identifier
    for choices.helps in (False, True):
        lines = plain(frame(usages, 120, "", choices, rows, columns))
        assert len(lines) <= rows and all(len(line) <= columns for line in lines)


def test_a_frame_shows_what_there_is() -> None:
    choices = Choices()
    choices.chosen = "web" * 3
    lines = frame([usage("web", 12.5), usage("db", 90)], 5, "", choices, 24, 80)
    text = plain(lines)
    assert text[0].startswith("windlass top  2 of 5 running  cpu 102.5%")
    assert text[3].split()[:2] == ["db", "90.0"] and text[4].split()[:2] == ["web", "12.5"]
    assert lines[4].startswith("\x1b[7m") and not lines[3].startswith("\x1b[7m")
    assert len(lines) == 24
    assert "nobody home" in plain(frame([], 0, "nobody home", choices, 24, 80))[1]


def test_bars_and_sizes() -> None:
    assert sparkline([0.0, 50.0, 100.0, 400.0], 6, 100.0) == "  ▁▅██"
    assert [size(value) for value in (0, 999, 999.9, 1234, 34_000_000, 1.5e9)] == [
        "0B",
        "999B",
        "1.0k",
        "1.2k",
        "34M",
        "1.5G",
    ]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (b"\x1b[A\x1bOBjk", ["up", "down", "down", "up"]),
        (b"q", ["quit"]),
        (b"\x1b", ["quit"]),
        (b"\x1b[15~m", ["m"]),
        (b"\x1b[5~\r\x03", ["page up", "s", "quit"]),
        (b"\xff", ["\ufffd"]),
    ],
)
def test_keys(typed: bytes, names: list[str]) -> None:
    assert keys(typed) == names


def test_sampling_an_engine(tmp_path: Path) -> None:
    listed = [
        {"Id": "a", "Names": ["/web"], "State": "running", "Image": "i", "Status": "Up"},
        {"Id": "b", "Names": ["/gone"], "State": "running", "Image": "i", "Status": "Up"},
        {"Id": "c", "Names": ["/old"], "State": "exited", "Image": "i", "Status": "Exited"},
    ]
    answers = {
        "GET /containers/json": (200, listed),
        "GET /containers/a/stats": (200, stats(5)),
        "GET /containers/b/stats": (404, {"message": "gone"}),
    }
    path = str(tmp_path / "e.sock")
    with recording(path, answers) as requests:
        sampler = Sampler(Engine(parse_endpoint(f"unix://{path}"), "1.50"), lambda: None)
        sampler.sample()
    assert [item.name for item in sampler.usages] == ["web"] and sampler.total == 3
    assert [request.path for request in requests][1:] == ["/containers/a/stats", "/containers/b/stats"]


def test_without_a_terminal_a_container_is_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["top"]) == 1
    assert capfd.readouterr().err.startswith("windlass: 'windlass top' requires at least 1 argument\n")
