"""Which capabilities a container has.

Source: Docker, "Runtime privilege and Linux capabilities"; capabilities(7).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.linux.capabilities import CAPABILITIES, CAPABILITY_NUMBERS
from windlass.spec.capabilities import DEFAULT_CAPABILITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ALL = "ALL"


def normalize_capabilities(names: Iterable[str], available: int) -> list[str]:
    """Upper-case names and give them their prefix; `ALL` stays.

    `available` is the mask of what the engine can hand out.

    Raises:
        InvalidParameter: no such capability, or one that the kernel or the engine does not have.
    """
    normalized = []
    for name in names:
        wanted = name.upper()
        if wanted != _ALL:
            wanted = wanted if wanted.startswith("CAP_") else f"CAP_{wanted}"
            if wanted not in CAPABILITY_NUMBERS:
                raise InvalidParameter(f'unknown capability: "{wanted}"')
            if not available >> CAPABILITY_NUMBERS[wanted] & 1:
                raise InvalidParameter(
                    f'capability not supported by your kernel or not available in the current environment: "{wanted}"'
                )
        normalized.append(wanted)
    return normalized


def container_capabilities(
    add: Iterable[str] | None, drop: Iterable[str] | None, *, privileged: bool, available: int
) -> list[str]:
    """Return the capabilities of a container, in the order of their numbers.

    `ALL` in `add` means everything but what `drop` names; `ALL` in `drop`, nothing but what `add` names. A privileged
    container has everything. What the engine does not have is left out of the defaults.

    Raises:
        InvalidParameter: as `normalize_capabilities`.
    """
    everything = {name for name, number in CAPABILITY_NUMBERS.items() if available >> number & 1}
    dropped = set(normalize_capabilities(drop or (), available))
    added = set(normalize_capabilities(add or (), available))
    if privileged:
        held = everything
    elif _ALL in added:
        held = everything - dropped
    elif _ALL in dropped:
        held = added
    else:
        held = (set(DEFAULT_CAPABILITIES) & everything) - dropped | added
    return [name for name in CAPABILITIES if name in held]


def capability_mask(names: Iterable[str], available: int) -> int:
    """Return the bits of `names` within `available`; unknown names, as of newer kernels, are left out."""
    mask = 0
    for name in names:
        if name in CAPABILITY_NUMBERS:
            mask |= 1 << CAPABILITY_NUMBERS[name]
    return mask & available
