"""Volumes, bind mounts and tmpfs in their short form.

Source: https://docs.docker.com/reference/cli/docker/container/run/#volume
"""

from __future__ import annotations

import os

MAX_SECTIONS = 3


def binds_and_volumes(values: list[str]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Sort the values of `-v` into binds and anonymous volumes; raises ValueError."""
    binds: list[str] = []
    volumes: dict[str, dict[str, str]] = {}
    for text in values:
        if _is_bind(text):
            binds.append(_absolute(text))
        else:
            volumes[text] = {}
    return binds, volumes


def _is_bind(text: str) -> bool:
    if not text:
        raise ValueError("invalid empty volume spec")
    sections = text.split(":")
    if len(sections) == 1:
        return False
    if not all(sections):
        raise ValueError(f"invalid spec: {text}: empty section between colons")
    if len(sections) > MAX_SECTIONS:
        raise ValueError(f"invalid spec: {text}: too many colons")
    # `a:b` names no absolute path in the container: it is left whole for the engine to judge.
    return sections[1].startswith("/")


def _absolute(text: str) -> str:
    """Make a relative host path absolute; a name of a volume stays."""
    source, _, rest = text.partition(":")
    if source in (".", "..") or source.startswith(("./", "../")):
        return f"{os.path.abspath(source)}:{rest}"
    return text


def tmpfs(values: list[str]) -> dict[str, str]:
    """Return Tmpfs for the values of `--tmpfs`: path to options."""
    result: dict[str, str] = {}
    for text in values:
        path, _, options = text.partition(":")
        result[path] = options
    return result
