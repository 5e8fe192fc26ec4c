"""From v1 values to v2 values."""

from __future__ import annotations

import pytest

from windlass.cgroups import convert


@pytest.mark.parametrize(
    ("shares", "weight"),
    [(0, 0), (1, 1), (2, 1), (512, 59), (1024, 100), (2048, 174), (262_144, 10_000), (999_999, 10_000)],
)
def test_cpu_weight(shares: int, weight: int) -> None:
    assert convert.cpu_weight(shares) == weight


@pytest.mark.parametrize(
    ("quota", "period", "text"),
    [
        (None, None, ""),
        (50_000, 100_000, "50000 100000"),
        (50_000, None, "50000 100000"),
        (-1, None, "max 100000"),
        (None, 20_000, "max 20000"),
    ],
)
def test_cpu_max(quota: int | None, period: int | None, text: str) -> None:
    assert convert.cpu_max(quota, period) == text


@pytest.mark.parametrize(
    ("quota", "period", "text"),
    [(50_000, None, "50000 40000"), (None, 20_000, "30000 20000"), (-1, 10_000, "max 10000"), (None, None, "")],
)
def test_cpu_max_keeps_what_is_not_said(quota: int | None, period: int | None, text: str) -> None:
    assert convert.cpu_max(quota, period, "30000 40000\n") == text


def test_cpu_weight_grows_with_the_shares() -> None:
    weights = [convert.cpu_weight(1 << power) for power in range(1, 19)]
    assert weights == sorted(set(weights))


@pytest.mark.parametrize(("weight", "expected"), [(0, 0), (10, 1), (500, 4950), (1000, 10_000)])
def test_io_weight(weight: int, expected: int) -> None:
    assert convert.io_weight(weight) == expected


@pytest.mark.parametrize(
    ("swap", "memory", "text"), [(-1, 100, "max"), (0, 100, ""), (0, -1, "max"), (300, 100, "200"), (100, 100, "0")]
)
def test_swap_max(swap: int, memory: int | None, text: str) -> None:
    assert convert.swap_max(swap, memory) == text


@pytest.mark.parametrize(("swap", "memory"), [(100, None), (100, -1), (100, 200)])
def test_swap_that_contradicts_memory(swap: int, memory: int | None) -> None:
    with pytest.raises(ValueError, match="limit"):
        convert.swap_max(swap, memory)
