"""The view itself: a terminal taken over and given back, whatever happens in between."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import select
import subprocess
import sys

from windlass.cli.boot import python_command
from windlass.cli.context import STDIN, STDOUT, write_all
from windlass.cli.signals import on_resize
from windlass.cli.terminal import RawMode, window_size
from windlass.cli.watching.figures import HISTORY, Usage, ordered
from windlass.cli.watching.frame import FIXED_LINES, Choices, frame
from windlass.cli.watching.keys import keys
from windlass.cli.watching.sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from windlass.cli.context import Context

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
LEAVE = "\x1b[?25h\x1b[?1049l"
SORT_KEYS = {"c": "cpu", "m": "memory", "t": "network", "i": "io", "p": "pids", "a": "name"}
READ_BYTES = 1024
LOG_TAIL = "200"
SHELL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"


class View:
    """Draws when there is something new and acts on keys until one of them ends it."""

    def __init__(self, context: Context, options: list[str]) -> None:
        context.engine.negotiate()
        self._options = options
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._sampler = Sampler(context.engine, self._wake)
        self._choices = Choices()

    def run(self) -> int:
        """Show the view until the person leaves it."""
        on_resize(self._wake)
        self._sampler.start()
        try:
            with _Screen():
                self._loop()
        finally:
            self._sampler.stop()
        return 0

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b".")
        except BlockingIOError:
            return  # it is awake as it is

    def _loop(self) -> None:
        while True:
            self._draw()
            ready = select.select([STDIN, self._wake_read], [], [])[0]
            if self._wake_read in ready:
                os.read(self._wake_read, READ_BYTES)
                self._note_course()
            if STDIN in ready:
                typed = os.read(STDIN, READ_BYTES)
                if not typed or not all([self._act(key) for key in keys(typed)]):
                    return

    def _note_course(self) -> None:
        total = sum(usage.cpu_percent for usage in self._sampler.usages)
        self._choices.course = [*self._choices.course[1 - 4 * HISTORY :], total]

    def _shown(self) -> list[Usage]:
        return ordered(self._sampler.usages, self._choices.sort, reverse=self._choices.reverse)

    def _draw(self) -> None:
        rows, columns = window_size()
        sampler = self._sampler
        lines = frame(sampler.usages, sampler.total, sampler.failure, self._choices, rows or 24, columns or 80)
        text = "\r\n".join(f"{line}\x1b[K" for line in lines)
        write_all(STDOUT, f"\x1b[H{text}\x1b[J".encode())

    def _act(self, key: str) -> bool:
        """Do what a key says; returns False when it says to leave."""
        choices = self._choices
        if choices.helps and key != "quit":
            choices.helps = False
        elif key == "quit":
            return False
        elif key in SORT_KEYS:
            choices.sort, choices.reverse = SORT_KEYS[key], False
        elif key == "r":
            choices.reverse = not choices.reverse
        elif key in ("h", "?"):
            choices.helps = True
        elif key in ("l", "s"):
            self._open(key)
        else:
            self._move(key)
        return True

    def _move(self, key: str) -> None:
        shown = self._shown()
        page = max(1, window_size()[0] - FIXED_LINES)
        steps = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -len(shown), "end": len(shown)}
        if shown and key in steps:
            place = self._choices.index(shown) + steps[key]
            self._choices.chosen = shown[max(0, min(place, len(shown) - 1))].identifier

    def _open(self, key: str) -> None:
        """Follow the chosen container's logs, or open a shell in it, on the ordinary screen; then come back."""
        shown = self._shown()
        if not shown:
            return
        container = shown[self._choices.index(shown)].identifier
        if key == "l":
            words = ["logs", "--follow", "--tail", LOG_TAIL, container]
        else:
            words = ["exec", "-it", container, "sh", "-c", SHELL]
        with _Suspended():
            status = subprocess.run(
                python_command("windlass.cli.main", "windlass", [*self._options, *words]), check=False
            ).returncode
        if key == "l" or status in (1, 125, 126, 127):
            write_all(STDOUT, b"\r\n-- press a key to go back --")
            os.read(STDIN, READ_BYTES)
        write_all(STDOUT, ENTER.encode())


class _Screen:
    """While entered, the second screen of the terminal and its raw mode; left, everything is as before."""

    def __init__(self) -> None:
        self._raw = RawMode(STDIN)

    def __enter__(self) -> None:
        self._raw.__enter__()
        write_all(STDOUT, ENTER.encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            write_all(STDOUT, LEAVE.encode())
        finally:
            self._raw.__exit__(kind, error, trace)


class _Suspended:
    """While entered, the terminal as another program expects it; its Ctrl-C does not end us."""

    def __enter__(self) -> None:
        import termios

        write_all(STDOUT, LEAVE.encode())
        self._mode = termios.tcgetattr(STDIN)
        cooked = termios.tcgetattr(STDIN)
        cooked[0] |= termios.ICRNL | termios.IXON | termios.BRKINT
        cooked[1] |= termios.OPOST
        cooked[3] |= termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN
        termios.tcsetattr(STDIN, termios.TCSADRAIN, cooked)
        # A handler of ours, not to ignore: what is ignored stays so in the program that is run.
        self._interrupt = _signal.signal(_signal.SIGINT, lambda _number, _frame: None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import termios

        _signal.signal(_signal.SIGINT, self._interrupt)
        termios.tcsetattr(STDIN, termios.TCSADRAIN, self._mode)


def global_options() -> list[str]:
    """Return the words of this process's line before the verb: the same engine for what is run from here."""
    words = sys.argv[1:]
    return words[:-2] if words[-2:-1] == ["container"] else words[:-1]
