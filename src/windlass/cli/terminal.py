"""The terminal: raw mode, its size, the keys that detach."""

from __future__ import annotations

import os

from windlass.cli.errors import CliError, Quit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"
IFLAG, OFLAG, CFLAG, LFLAG, CC = 0, 1, 2, 3, 6


def leave_on_signals() -> None:
    """End by an exception when asked to terminate, so that the terminal is restored on the way out."""
    import _signal  # type: ignore[import-not-found]

    def leave(number: int, _frame: object) -> None:
        raise Quit(128 + number)

    for number in (_signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) == _signal.SIG_DFL:
            _signal.signal(number, leave)


def require_terminal(*, attach_stdin: bool, tty: bool) -> None:
    """Raise CliError when a terminal is wanted for stdin and stdin is none."""
    if tty and attach_stdin and not os.isatty(0):
        raise CliError("the input device is not a TTY")


def window_size(fd: int = 1) -> tuple[int, int]:
    """Return (rows, columns) of the terminal at `fd`, zeros when it is none."""
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        return 0, 0
    return size.lines, size.columns


class RawMode:
    """While entered, the terminal at `fd` passes every key on unchanged; left, it is as before.

    Source: termios(3), cfmakeraw.
    """

    __slots__ = ("_fd", "_saved")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: list[object] | None = None

    def __enter__(self) -> RawMode:
        import termios as t

        if not os.isatty(self._fd):
            return self
        self._saved = t.tcgetattr(self._fd)
        raw = t.tcgetattr(self._fd)
        raw[IFLAG] &= ~(t.IGNBRK | t.BRKINT | t.PARMRK | t.ISTRIP | t.INLCR | t.IGNCR | t.ICRNL | t.IXON)
        raw[OFLAG] &= ~t.OPOST
        raw[LFLAG] &= ~(t.ECHO | t.ECHONL | t.ICANON | t.ISIG | t.IEXTEN)
        raw[CFLAG] = raw[CFLAG] & ~(t.CSIZE | t.PARENB) | t.CS8
        raw[CC] = list(raw[CC])
        raw[CC][t.VMIN], raw[CC][t.VTIME] = 1, 0
        t.tcsetattr(self._fd, t.TCSANOW, raw)
        leave_on_signals()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._saved is not None:
            import termios as t

            t.tcsetattr(self._fd, t.TCSANOW, self._saved)  # type: ignore[arg-type]
            self._saved = None


def parse_detach_keys(text: str) -> bytes:
    """Parse `ctrl-p,ctrl-q` or `ctrl-x,q`; raises ValueError.

    Source: https://docs.docker.com/reference/cli/docker/container/attach/#detach-keys
    """
    keys = bytearray()
    for name in text.split(","):
        if len(name) == 1:
            keys += name.encode()
            continue
        letter = name.removeprefix("ctrl-").lower()
        if not name.startswith("ctrl-") or len(letter) != 1 or letter not in _CONTROL:
            raise ValueError(f"Unknown character: '{name}'")
        keys.append(_CONTROL.index(letter))
    return bytes(keys)


class DetachFilter:
    """Watches what is typed for the detach keys; a beginning that turns out otherwise is passed on late, not lost."""

    __slots__ = ("_keys", "_matched")

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """Return what to pass on, and whether the keys are complete; what follows them is dropped."""
        out = bytearray()
        for byte in typed:
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self._matched = 0
                    return bytes(out), True
                continue
            out += self._keys[: self._matched]
            self._matched = 0
            if byte == self._keys[0]:
                self._matched = 1
            else:
                out.append(byte)
        return bytes(out), False
