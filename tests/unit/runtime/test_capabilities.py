"""Adding and dropping capabilities."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.linux.capabilities import CAPABILITIES
from windlass.runtime.capabilities import DEFAULT_CAPABILITIES, capability_mask, container_capabilities

_ALL = (1 << len(CAPABILITIES)) - 1
_NO_SYS_RESOURCE = _ALL & ~(1 << CAPABILITIES.index("CAP_SYS_RESOURCE"))


def _lower(
    add: list[str] | None = None, drop: list[str] | None = None, *, privileged: bool = False, available: int = _ALL
) -> set[str]:
    return set(container_capabilities(add, drop, privileged=privileged, available=available))


def test_default() -> None:
    assert _lower() == set(DEFAULT_CAPABILITIES)
    assert len(DEFAULT_CAPABILITIES) == 14


@pytest.mark.parametrize("name", ["NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "cap_net_admin"])
def test_spellings(name: str) -> None:
    assert _lower([name]) == {*DEFAULT_CAPABILITIES, "CAP_NET_ADMIN"}


def test_drop() -> None:
    assert _lower(None, ["chown"]) == set(DEFAULT_CAPABILITIES) - {"CAP_CHOWN"}


def test_add_wins_over_drop() -> None:
    assert "CAP_CHOWN" in _lower(["CHOWN"], ["CHOWN"])


def test_all() -> None:
    assert _lower(["ALL"]) == set(CAPABILITIES)
    assert _lower(["all"], ["SYS_ADMIN"]) == set(CAPABILITIES) - {"CAP_SYS_ADMIN"}
    assert _lower(None, ["ALL"]) == set()
    assert _lower(["KILL"], ["ALL"]) == {"CAP_KILL"}
    assert _lower(["ALL"], ["ALL"]) == set(CAPABILITIES)


def test_privileged_has_what_the_engine_has() -> None:
    assert _lower(privileged=True, available=_NO_SYS_RESOURCE) == set(CAPABILITIES) - {"CAP_SYS_RESOURCE"}


def test_unknown() -> None:
    with pytest.raises(InvalidParameter, match=r'^unknown capability: "CAP_FLY"$'):
        _lower(["fly"])


def test_not_available() -> None:
    with pytest.raises(InvalidParameter, match=r'^capability not supported by your kernel .*: "CAP_SYS_RESOURCE"$'):
        _lower(["SYS_RESOURCE"], available=_NO_SYS_RESOURCE)


def test_mask_ignores_what_a_newer_kernel_has() -> None:
    assert capability_mask(["CAP_CHOWN", "CAP_FUTURE"], _ALL) == 1
    assert capability_mask(["CAP_CHOWN"], 0) == 0
