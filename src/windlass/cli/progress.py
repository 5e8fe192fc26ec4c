"""Progress reports of the engine: JSON lines, shown as bars on a terminal and as plain lines elsewhere.

Source: Engine API, ImageCreate and ImageLoad; https://pkg.go.dev/github.com/docker/docker/pkg/jsonmessage
"""

from __future__ import annotations

import os

from windlass.cli.context import write_all
from windlass.cli.errors import CliError
from windlass.cli.units import human_size
from windlass.client.json_text import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

BAR_CELLS = 50
WIDE_COLUMNS = 110
PLAIN_SKIPPED = ("Downloading", "Extracting", "Pushing", "Loading layer")


def show_progress(lines: Iterable[bytes], fd: int, *, quiet: bool = False) -> list[dict[str, object]]:
    """Show every report on `fd` and return the `aux` records; raises CliError with the engine's error."""
    screen = _Screen(fd, quiet=quiet)
    records: list[dict[str, object]] = []
    for line in lines:
        report = loads(line)
        if not isinstance(report, dict):
            continue
        failure = report.get("errorDetail") or report.get("error")
        if failure:
            message = failure.get("message") if isinstance(failure, dict) else failure
            raise CliError(str(message or report.get("error")))
        aux = report.get("aux")
        if isinstance(aux, dict):
            records.append(aux)
        else:
            screen.show(report)
    return records


class _Screen:
    """Places each report: one line for each id on a terminal, moved to and rewritten."""

    def __init__(self, fd: int, *, quiet: bool) -> None:
        self._fd = fd
        self._quiet = quiet
        self._terminal = os.isatty(fd)
        self._columns = os.get_terminal_size(fd).columns if self._terminal else 0
        self._rows: dict[str, int] = {}

    def show(self, report: dict[str, object]) -> None:
        if self._quiet:
            return
        text = _text(report, self._columns if self._terminal else 0)
        identity = str(report.get("id") or "")
        if text is None or (not self._terminal and str(report.get("status")) in PLAIN_SKIPPED):
            return
        if not self._terminal or not identity or "stream" in report:
            self._write(text if "stream" in report else text + "\n")
            if self._terminal and not identity:
                self._rows.clear()
            return
        if identity not in self._rows:
            self._rows[identity] = len(self._rows)
            self._write("\n")
        up = len(self._rows) - self._rows[identity]
        self._write(f"\x1b[{up}A\x1b[2K\r{text}\r\x1b[{up}B")

    def _write(self, text: str) -> None:
        write_all(self._fd, text.encode("utf-8", "surrogateescape"))


def _text(report: dict[str, object], columns: int) -> str | None:
    if "stream" in report:
        return str(report["stream"])
    status = report.get("status")
    if status is None:
        return None
    identity = report.get("id")
    text = f"{identity}: {status}" if identity else str(status)
    detail = report.get("progressDetail")
    if columns and isinstance(detail, dict) and detail:
        text += " " + bar(detail, columns)
    return text


def bar(detail: dict[str, object], columns: int) -> str:
    """Return `[====>   ]  1.2MB/5MB` for a terminal of that width."""
    current, total = _number(detail.get("current")), _number(detail.get("total"))
    if detail.get("units"):
        return f"{current} {detail['units']}" if total <= 0 else f"{current}/{total} {detail['units']}"
    if total <= 0:
        return f"{human_size(current):>8}"
    drawn = ""
    if columns > WIDE_COLUMNS:
        done = min(BAR_CELLS, current * BAR_CELLS // total)
        drawn = f"[{'=' * done}>{' ' * (BAR_CELLS - done)}] "
    sizes = f"{human_size(current):>8}/{human_size(total)}"
    return drawn + (f"{human_size(current):>8}" if current > total else sizes)


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
