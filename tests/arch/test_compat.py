"""docs/compat.md against the tables of routes and verbs: what it says works is there, and what is there is in it."""

from __future__ import annotations

import re
from pathlib import Path

from windlass.api.routes import containers, files, images, networks, streams, system, unsupported, volumes
from windlass.cli.commands import VERBS

TEXT = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")

OFFERED = {
    (route.method, re.sub(r"\{\w+\*?\}", "{}", route.path))
    for module in (containers, files, images, networks, streams, system, volumes)
    for route in module.ROUTES
}
REFUSED = {(route.method, re.sub(r"\{\w+\*?\}", "{}", route.path)) for route in unsupported.ROUTES}


def _endpoints(*states: str) -> set[tuple[str, str]]:
    rows = re.findall(r"^\| `(\w+) (/\S*)` \| (\w+) \|", TEXT, re.MULTILINE)
    return {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path, state in rows if state in states}


def test_endpoints_said_to_work_are_offered() -> None:
    assert _endpoints("yes", "partly") <= OFFERED


def test_endpoints_offered_are_listed() -> None:
    assert _endpoints("yes", "partly", "refused") == OFFERED | REFUSED


def test_endpoints_refused_are_said_to_be() -> None:
    assert _endpoints("refused") >= REFUSED


def test_endpoints_said_to_be_absent_are_absent() -> None:
    assert not _endpoints("no") & (OFFERED | REFUSED)


def test_every_verb_is_listed() -> None:
    listed = set(re.findall(r"^\| `windlass ([a-z _-]+)` \|", TEXT, re.MULTILINE))
    assert listed == set(VERBS)
