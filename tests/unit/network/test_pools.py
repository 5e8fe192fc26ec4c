"""The subnet of a new network overlaps nothing."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.network.errors import NoFreeSubnet
from windlass.network.pools import DEFAULT_POOLS, SubnetPool, pick_subnet


def nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


@pytest.mark.parametrize(
    ("taken", "picked"),
    [
        ([], "172.17.0.0/16"),
        (["0.0.0.0/0"], "172.17.0.0/16"),
        (["172.17.3.0/24"], "172.18.0.0/16"),
        (["172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16"], "172.20.0.0/16"),
        (["172.16.0.0/12"], "192.168.0.0/20"),
        (["172.16.0.0/12", "192.168.0.0/24"], "192.168.16.0/20"),
    ],
)  # fmt: skip
def test_first_that_fits_is_picked(taken: list[str], picked: str) -> None:
    assert str(pick_subnet(nets(*taken))) == picked


def test_nothing_left_is_said_in_dockerds_words() -> None:
    with pytest.raises(NoFreeSubnet, match=r"^all predefined address pools have been fully subnetted$"):
        pick_subnet(nets("172.16.0.0/12", "192.168.0.0/16"))


def test_pools_can_be_ones_own() -> None:
    own = [SubnetPool(IPv4Network("10.9.0.0/16"), 24)]
    assert str(pick_subnet(nets("10.9.0.0/24"), own)) == "10.9.1.0/24"


def test_default_pools_hold_thirty_one_networks() -> None:
    assert sum(len(list(pool.subnets())) for pool in DEFAULT_POOLS) == 15 + 16


@given(
    st.lists(st.builds(lambda a, p: IPv4Network((a, p), strict=False), st.integers(0, 2**32 - 1), st.integers(1, 32)))
)
def test_picked_overlaps_nothing(taken: list[IPv4Network]) -> None:
    try:
        picked = pick_subnet(taken)
    except NoFreeSubnet:
        return
    assert not any(picked.overlaps(network) for network in taken)
