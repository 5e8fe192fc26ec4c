"""Platforms: how they are spelled, and what runs where."""

from __future__ import annotations

import pytest

from windlass.spec.platform import InvalidPlatform, Platform, host, parse_platform


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("arm64", "linux/arm64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_spellings(text: str, shown: str) -> None:
    assert str(parse_platform(text)) == shown


@pytest.mark.parametrize("text", ["", "a/b/c/d", "linux/", "linux/ü", "nonsense", "linux/a b"])
def test_refused(text: str) -> None:
    with pytest.raises(InvalidPlatform):
        parse_platform(text)


def test_the_systems_name_alone_means_this_machine() -> None:
    assert parse_platform("linux") == host()


def test_the_own_platform_is_preferred_to_what_also_runs() -> None:
    arm64 = Platform(os="linux", architecture="arm64")
    own = arm64.preference(Platform(os="linux", architecture="arm64", variant="v8"))
    older = arm64.preference(Platform(os="linux", architecture="arm", variant="v7"))
    assert own == 0
    assert older is not None
    assert own < older


def test_another_system_or_processor_does_not_run() -> None:
    amd64 = Platform(os="linux", architecture="amd64")
    assert amd64.preference(Platform(os="windows", architecture="amd64")) is None
    assert amd64.preference(Platform(os="linux", architecture="s390x")) is None
