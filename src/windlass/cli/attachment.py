"""Attaching to a container: the stream, the signals, the terminal's size, the exit code."""

from __future__ import annotations

import os

from windlass.cli.errors import EXIT_FAILURE, CliError
from windlass.cli.session import Session
from windlass.cli.terminal import DEFAULT_DETACH_KEYS, parse_detach_keys, window_size
from windlass.client.errors import ClientError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.cli.context import Context
    from windlass.cli.waiting import Waiter
    from windlass.client.engine import Hijacked


DETACHED = "read escape sequence"


def detach_keys(context: Context, given: str) -> tuple[str, bytes]:
    """Return the keys as the engine is to know them (empty: its default) and as bytes; raises CliError."""
    text = given or context.config.text("detachKeys")
    try:
        return text, parse_detach_keys(text or DEFAULT_DETACH_KEYS)
    except ValueError as error:
        raise CliError(f"invalid detach keys ({text}): {error}") from None


class Attachment:
    """Our side of one container's streams, from before its start to after its end.

    `complains_of_detaching` makes the detach keys a failure, `redraws` has a program draw its screen anew.
    """

    def __init__(
        self, context: Context, container: str, streams: Sequence[str], *, tty: bool, detach_keys: str = ""
    ) -> None:
        self._context = context
        self._path = f"/containers/{quote(container)}"
        self._container = container
        self._streams = streams
        self._tty = tty
        self._detach_keys = detach_keys
        self._stream: Hijacked | None = None
        self._waiter: Waiter | None = None
        self._signals: _Proxy | None = None
        self.complains_of_detaching = False
        self.redraws = False

    def proxy_signals(self) -> None:
        """From now on keep signals, and pass them to the container once it runs."""
        from windlass.cli.signals import SignalProxy

        self._signals = SignalProxy(self._kill)
        self._signals.install()

    def open(self, condition: str | None, *, replay: bool = False) -> None:
        """Attach, and register a wait for `condition` unless that is None; `replay` asks for earlier output first."""
        text, self._keys = detach_keys(self._context, self._detach_keys)
        query = {"stream": "1", **{name: "1" for name in self._streams}}
        if text:
            query["detachKeys"] = text
        if replay:
            query["logs"] = "1"
        self._stream = self._context.engine.hijack(f"{self._path}/attach", query)
        if condition is not None:
            from windlass.cli.waiting import Waiter

            self._waiter = Waiter(self._context.engine, self._container, condition)

    def follow(self) -> int:
        """Copy until the end and return the container's exit code, 0 when the user detached."""
        assert self._stream is not None
        if self._tty and os.isatty(1):
            self._follow_size()
        if self._signals is not None:
            self._signals.go_live()
        stdin = "stdin" in self._streams
        session = Session(self._stream, tty=self._tty, stdin=stdin, detach_keys=self._keys)
        session.run()
        if session.detached:
            return self._detached()
        return self._waiter.status() if self._waiter is not None else 0

    def _detached(self) -> int:
        if not self.complains_of_detaching:
            return 0
        self._context.warn(DETACHED)
        return EXIT_FAILURE

    def _follow_size(self) -> None:
        from windlass.cli.signals import on_resize

        on_resize(self._resize)
        if self.redraws:
            # A program that draws the screen does so again when the size changes, be it by one line.
            resize(self._context, f"{self._path}/resize", extra_rows=1)
        self._resize()

    def _resize(self) -> None:
        resize(self._context, f"{self._path}/resize")

    def _kill(self, name: str) -> None:
        try:
            self._context.engine.call("POST", f"{self._path}/kill", {"signal": name})
        except ClientError:
            return  # the container ended before the signal reached it


def resize(context: Context, path: str, extra_rows: int = 0) -> None:
    """Tell the engine the size of our terminal."""
    rows, columns = window_size()
    if rows and columns:
        try:
            context.engine.call("POST", path, {"h": str(rows + extra_rows), "w": str(columns)})
        except ClientError:
            return  # not running any more, or not yet: the next change of size tells again


if TYPE_CHECKING:
    from windlass.cli.signals import SignalProxy as _Proxy
