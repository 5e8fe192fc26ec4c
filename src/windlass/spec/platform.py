"""Operating system and processor of an image: spelled, normalised, matched.

Source: OCI image-spec v1.1, image-index.md, "Platform Variants"; containerd/platforms, database.go.
"""

from __future__ import annotations

import platform as host_platform
import re
from functools import lru_cache

import msgspec

from windlass.base.errors import InvalidParameter

_COMPONENT = re.compile(r"\A[A-Za-z0-9_.-]+\Z")

# Spellings of `uname -m` and of users, by the name and variant that images carry.
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
}

# What a processor also runs, best first, after its own name and variant.
_ALSO_RUNS = {
    ("arm64", ""): (("arm", "v8"), ("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    ("arm", "v8"): (("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    ("arm", "v7"): (("arm", "v6"), ("arm", "v5")),
    ("arm", "v6"): (("arm", "v5"),),
    ("amd64", ""): (("386", ""),),
}


class InvalidPlatform(InvalidParameter):
    """The text is not `os[/architecture[/variant]]`."""

    def __init__(self, text: str) -> None:
        super().__init__(f'"{text[:100]}": unknown operating system or architecture: invalid argument')
        self.text = text


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an image runs on. Source: OCI image-spec v1.1, image-index.md, `platform`."""

    architecture: str = ""
    os: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: list[str] | None = msgspec.field(default=None, name="os.features")
    variant: str = ""

    def normalised(self) -> Platform:
        """Return the platform in the names that images carry, without a variant that says nothing."""
        name = self.architecture.lower()
        architecture, implied = _ARCHITECTURES.get(name, (name, ""))
        variant = self.variant.lower() or implied
        if (architecture, variant) in (("arm64", "v8"), ("arm64", "8"), ("amd64", "v1")):
            variant = ""
        elif architecture == "arm" and not variant:
            variant = "v7"
        return Platform(architecture=architecture, os=self.os.lower(), variant=variant)

    def preference(self, image: Platform) -> int | None:
        """Return how well `image` suits this platform, 0 being best; None when it does not run here."""
        want, have = self.normalised(), image.normalised()
        if want.os != have.os:
            return None
        own = (want.architecture, want.variant)
        runs = (own, *_ALSO_RUNS.get(own, ()))
        found = (have.architecture, have.variant)
        return runs.index(found) if found in runs else None

    def __str__(self) -> str:
        parts = (self.os, self.architecture, self.variant)
        return "/".join(part for part in parts if part)


@lru_cache(maxsize=1)
def host() -> Platform:
    """Return the platform of this machine."""
    return Platform(architecture=host_platform.machine(), os="linux").normalised()


def parse_platform(text: str) -> Platform:
    """Return the platform that `text` (`linux/arm64/v8`, `linux`, `arm64`) names.

    Raises:
        InvalidPlatform: too many parts, or characters outside the grammar.
    """
    parts = text.split("/")
    if len(parts) > 3 or not all(_COMPONENT.match(part) for part in parts):
        raise InvalidPlatform(text)
    if len(parts) == 1:
        if parts[0].lower() == "linux":
            return host()
        if parts[0].lower() not in {*_ARCHITECTURES, "amd64", "arm64", "arm", "386", "riscv64", "ppc64le", "s390x"}:
            raise InvalidPlatform(text)
        parts = ["linux", parts[0]]
    variant = parts[2] if len(parts) == 3 else ""
    return Platform(os=parts[0], architecture=parts[1], variant=variant).normalised()
