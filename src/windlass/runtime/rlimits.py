"""Resource limits: Docker's names, the OCI's, the kernel's numbers.

Source: getrlimit(2); include/uapi/asm-generic/resource.h.
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.spec.runtime import PosixRlimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.spec.container import Ulimit

RLIMIT_NUMBERS: dict[str, int] = {
    "RLIMIT_CPU": 0,
    "RLIMIT_FSIZE": 1,
    "RLIMIT_DATA": 2,
    "RLIMIT_STACK": 3,
    "RLIMIT_CORE": 4,
    "RLIMIT_RSS": 5,
    "RLIMIT_NPROC": 6,
    "RLIMIT_NOFILE": 7,
    "RLIMIT_MEMLOCK": 8,
    "RLIMIT_AS": 9,
    "RLIMIT_LOCKS": 10,
    "RLIMIT_SIGPENDING": 11,
    "RLIMIT_MSGQUEUE": 12,
    "RLIMIT_NICE": 13,
    "RLIMIT_RTPRIO": 14,
    "RLIMIT_RTTIME": 15,
}

_INFINITY = (1 << 64) - 1


def lower_ulimits(asked: Iterable[Ulimit], defaults: Iterable[Ulimit]) -> list[PosixRlimit]:
    """Merge a container's limits over the engine's defaults.

    Raises:
        InvalidParameter: unknown name, or soft above hard.
    """
    merged = {limit.name: limit for limit in defaults} | {limit.name: limit for limit in asked}
    return [_lower(limit) for limit in merged.values()]


def _lower(limit: Ulimit) -> PosixRlimit:
    name = f"RLIMIT_{limit.name.upper()}"
    if name not in RLIMIT_NUMBERS:
        raise InvalidParameter(f"invalid ulimit type: {limit.name}")
    if limit.hard != -1 and (limit.soft > limit.hard or limit.soft == -1):
        raise InvalidParameter(
            f"ulimit soft limit must be less than or equal to hard limit: {limit.soft} > {limit.hard}"
        )
    return PosixRlimit(name, limit.soft % (_INFINITY + 1), limit.hard % (_INFINITY + 1))


def rlimit_values(limits: Iterable[PosixRlimit]) -> list[tuple[int, int, int]]:
    """Return (number, soft, hard) with -1 for infinity.

    Raises:
        InvalidParameter: unknown name.
    """
    values = []
    for limit in limits:
        if limit.type not in RLIMIT_NUMBERS:
            raise InvalidParameter(f'invalid rlimit type: "{limit.type}"')
        values.append((RLIMIT_NUMBERS[limit.type], _signed(limit.soft), _signed(limit.hard)))
    return values


def _signed(value: int) -> int:
    return -1 if value >= _INFINITY or value < 0 else value
