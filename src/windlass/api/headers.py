"""Headers that every answer carries."""

from __future__ import annotations

from windlass.api.versions import MAXIMUM, text_of


def common_headers(version: str) -> dict[str, str]:
    """Return them; `version` is the engine's."""
    return {
        "Api-Version": text_of(MAXIMUM),
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Docker/{version} (linux)",
    }
