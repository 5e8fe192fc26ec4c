"""Syslog's facilities. Source: RFC 5424, 6.2.1, table 1; those without a name of their own have their number only."""

from __future__ import annotations

_DAEMON = 3
_LOCAL0 = 16
_NAMES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp")
_NUMBERS = {name: number for number, name in enumerate(_NAMES)} | {f"local{n}": _LOCAL0 + n for n in range(8)}
_COUNT = 24


def facility_number(name: str) -> int:
    """Return a facility by name or number; the empty name is `daemon`.

    Raises:
        ValueError: there is none.
    """
    if not name:
        return _DAEMON
    if name in _NUMBERS:
        return _NUMBERS[name]
    if name.isdecimal() and int(name) < _COUNT:
        return int(name)
    raise ValueError("invalid syslog facility")
