"""docs/isolation.md against the client's flags and the tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "docs" / "isolation.md").read_text(encoding="utf-8")
_TESTS = _ROOT / "tests" / "e2e" / "isolation"
_NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", _TEXT)))

# Flags of `run` that do not isolate: what runs, who watches, what is published and kept.
_WORDS = """
attach cidfile detach detach-keys disable-content-trust env-file expose gpus help health-cmd health-interval
health-retries health-start-interval health-start-period health-timeout interactive ip ip6 label label-file link
link-local-ip log-driver log-opt mac-address mount name network-alias no-healthcheck platform publish publish-all pull
quiet restart rm sig-proxy stop-timeout tty use-api-socket volume volume-driver volumes-from
"""
_OTHERS = frozenset(_WORDS.split())


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_tests_that_are_named_exist(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (_TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_isolating_flag_is_there() -> None:
    from windlass.cli.verbs.run import COMMAND

    listed = set(re.findall(r"`--([a-z0-9-]+)", _TEXT))
    flags = {flag.name for flag in COMMAND.flags if not flag.hidden}
    assert flags - _OTHERS - listed == set()
