"""Moments to come, among descriptors."""

from __future__ import annotations

import os
import time

from windlass.launch.poller import READ, Poller


def test_timers_fire_once_in_time_and_only_when_not_cancelled() -> None:
    poller = Poller()
    fired: list[str] = []
    poller.after(0.02, lambda: fired.append("second"))
    poller.after(0.01, lambda: fired.append("first"))
    poller.cancel(poller.after(0.0, lambda: fired.append("never")))
    started = time.monotonic()
    while len(fired) < 2:
        poller.turn(5)
    assert fired == ["first", "second"] and time.monotonic() - started < 2
    poller.turn(0)
    assert fired == ["first", "second"]


def test_a_timer_does_not_keep_descriptors_waiting() -> None:
    poller = Poller()
    read, write = os.pipe()
    seen: list[str] = []
    poller.watch(read, READ, lambda _events: seen.append(os.read(read, 9).decode()))
    timer = poller.after(60, lambda: seen.append("timer"))
    os.write(write, b"data")
    poller.turn()
    assert seen == ["data"]
    poller.cancel(timer)
    poller.cancel(timer)
    os.close(read)
    os.close(write)
