"""Points in time on the command line: `--since 42m`, `--until 2013-01-02T13:23:37Z`, `--since 1136073600.5`.

Source: https://docs.docker.com/reference/cli/docker/container/logs/#since
"""

from __future__ import annotations

import time

from windlass.cli.errors import CliError

_LENGTHS = {"date": 10, "minutes": 16, "seconds": 19}


def engine_timestamp(text: str, flag: str = "") -> str:
    """Return `seconds.nanoseconds` since the epoch, or plain seconds as given; raises CliError, naming `flag`."""
    if not text or text.replace(".", "", 1).isdecimal():
        return text
    from windlass.cli.create.units import duration_ns

    try:
        return _format(time.time_ns() - duration_ns(text))
    except ValueError:
        pass  # no span of time
    try:
        return _absolute(text)
    except CliError as error:
        raise CliError(f'invalid value for "{flag}": {error.message}' if flag else error.message) from None


def _format(moment_ns: int) -> str:
    seconds, fraction = divmod(moment_ns, 1_000_000_000)
    return f"{seconds}.{fraction:09d}"


def _absolute(text: str) -> str:
    from windlass.cli.rows.moments import parse_rfc3339

    clock, zoned = text, text[-1] in "Zz" or (text[-6:-5] in ("+", "-") and "T" in text)
    if not zoned:
        if len(text) == _LENGTHS["date"]:
            clock = f"{text}T00:00:00"
        elif len(text) == _LENGTHS["minutes"]:
            clock = f"{text}:00"
        clock += "Z"
    elif len(text) == _LENGTHS["minutes"] + 1:
        clock = f"{text[:-1]}:00Z"
    try:
        seconds = parse_rfc3339(clock)
    except (ValueError, IndexError):
        raise CliError(f'failed to parse value as time or duration: "{text}"') from None
    whole = int(seconds // 1)
    if not zoned:
        whole += _local_offset(whole)
    digits = clock.partition(".")[2]
    fraction = "".join(c for c in digits[: len(digits) - len(digits.lstrip("0123456789"))])
    return f"{whole}.{fraction[:9]:0<9}"


def _local_offset(as_utc: int) -> int:
    """Return what to add to a local wall-clock reading taken for UTC."""
    return as_utc - (as_utc + time.localtime(as_utc).tm_gmtoff)
