"""Lists of CPUs and memory nodes such as `0-3,6`.

Source: cpuset(7), "List format".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter

# No machine has more; a longer range is an attack on our memory.
_MAX_NUMBER = 8192


def parse_list(text: str) -> set[int]:
    """Return the numbers of a list; an empty one has none.

    Raises:
        ValueError: malformed or out of range.
    """
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, separator, last = part.partition("-")
        if not first.isdecimal() or (separator and not last.isdecimal()):
            raise ValueError(f"invalid format: {part}")
        low, high = int(first), int(last or first)
        if high < low or high > _MAX_NUMBER:
            raise ValueError(f"invalid format: {part}")
        numbers.update(range(low, high + 1))
    return numbers


def check_available(wanted: str, available: str, *, kind: str, words: str) -> None:
    """Refuse a list that names what the host does not have.

    Raises:
        InvalidParameter: malformed, or not available; `kind` and `words` name it in Docker's texts.
    """
    if not wanted:
        return
    try:
        numbers = parse_list(wanted)
    except ValueError as error:
        raise InvalidParameter(f"Invalid value {wanted} for cpuset {kind}: {error}") from error
    if not numbers <= parse_list(available):
        raise InvalidParameter(f"Requested {words} are not available - requested {wanted}, available: {available}")
