"""A loop over epoll for one thread: a callback for each descriptor."""

from __future__ import annotations

import select
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
HANGUP = select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP

Callback = Callable[[int], None]


class Poller:
    """Descriptors and whom to call; a callback gets the event bits."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._events: dict[int, int] = {}

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
        """Wait once and call back for everything that is ready."""
        try:
            ready = self._epoll.poll(-1 if timeout_s is None else timeout_s, 16)
        except InterruptedError:
            return
        for fd, events in ready:
            callback = self._callbacks.get(fd)
            if callback is not None:
                callback(events)
