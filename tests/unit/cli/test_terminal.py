"""Detach keys and the mapping of signals."""

from __future__ import annotations

import signal

import pytest

from windlass.cli.signals import SignalProxy, names
from windlass.cli.terminal import DetachFilter, parse_detach_keys


def test_detach_keys() -> None:
    assert parse_detach_keys("ctrl-p,ctrl-q") == b"\x10\x11"
    assert parse_detach_keys("ctrl-@,a,ctrl-_") == b"\x00a\x1f"
    for wrong in ("foo", "ctrl-", "ctrl-pp", ""):
        with pytest.raises(ValueError, match="Unknown character"):
            parse_detach_keys(wrong)


def test_the_keys_end_the_input_wherever_they_are_cut() -> None:
    watch = DetachFilter(b"\x10\x11")
    assert watch.feed(b"ab\x10") == (b"ab", False)
    assert watch.feed(b"\x11rest") == (b"", True)


def test_a_false_start_is_passed_on() -> None:
    watch = DetachFilter(b"\x10\x11")
    assert watch.feed(b"a\x10") == (b"a", False)
    assert watch.feed(b"b") == (b"\x10b", False)
    assert watch.feed(b"\x10\x10\x11") == (b"\x10", True)


def test_signal_names() -> None:
    found = names()
    assert (found[signal.SIGTERM], found[signal.SIGUSR1], found[signal.SIGRTMIN + 2]) == ("TERM", "USR1", "RTMIN+2")


def test_signals_wait_until_the_container_runs() -> None:
    passed: list[str] = []
    before = signal.getsignal(signal.SIGUSR2)
    proxy = SignalProxy(passed.append)
    kept = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        proxy.install()
        signal.raise_signal(signal.SIGUSR2)
        assert passed == []
        proxy.go_live()
        signal.raise_signal(signal.SIGHUP)
        assert passed == ["USR2", "HUP"]
    finally:
        for number, handler in kept.items():
            if number not in (signal.SIGKILL, signal.SIGSTOP) and handler is not None:
                signal.signal(number, handler)
    assert signal.getsignal(signal.SIGUSR2) == before
