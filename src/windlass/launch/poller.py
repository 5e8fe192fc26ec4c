"""A loop over epoll for one thread: a callback for each descriptor, and for moments to come."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
HANGUP = select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP

Callback = Callable[[int], None]


class Timer:
    """A callback to come, until it is cancelled."""

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback


class Poller:
    """Descriptors and whom to call; a callback gets the event bits."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._events: dict[int, int] = {}
        self._timers: list[Timer] = []

    def after(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once, not before `delay_s` seconds have passed."""
        timer = Timer(time.monotonic() + delay_s, callback)
        self._timers.append(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget a timer; one that has fired is no error."""
        if timer in self._timers:
            self._timers.remove(timer)

    def watch(self, fd: int, events: int, callback: Callback) -> None:
        """Call `callback` when `fd` is ready for any of `events`; replaces an earlier watch."""
        if fd in self._callbacks:
            if self._events[fd] != events:
                self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback
        self._events[fd] = events

    def change(self, fd: int, events: int) -> None:
        """Wait for other events of a watched descriptor; 0 pauses it."""
        if fd in self._callbacks and self._events[fd] != events:
            self._epoll.modify(fd, events)
            self._events[fd] = events

    def forget(self, fd: int) -> None:
        """Stop watching, before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            del self._events[fd]
            self._epoll.unregister(fd)

    def turn(self, timeout_s: float | None = None) -> None:
        """Wait once, at most to the next timer, and call back for everything that is ready."""
        try:
            ready = self._epoll.poll(self._wait_s(timeout_s), 16)
        except InterruptedError:
            return
        for fd, events in ready:
            callback = self._callbacks.get(fd)
            if callback is not None:
                callback(events)
        if self._timers:
            self._fire()

    def _wait_s(self, timeout_s: float | None) -> float:
        if self._timers:
            next_s = max(0.0, min(timer.due for timer in self._timers) - time.monotonic())
            timeout_s = next_s if timeout_s is None else min(timeout_s, next_s)
        return -1 if timeout_s is None else timeout_s

    def _fire(self) -> None:
        now = time.monotonic()
        for timer in [timer for timer in self._timers if timer.due <= now]:
            if timer in self._timers:
                self._timers.remove(timer)
                timer.callback()
