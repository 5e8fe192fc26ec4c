"""Log lines."""

from __future__ import annotations

import json
import logging

import pytest

from windlass.base.logging import configure, event, is_level


@pytest.fixture(autouse=True)
def restored() -> None:
    logger = logging.getLogger("windlass")
    logger.handlers.clear()
    logger.propagate = True


def test_key_value_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    event(logging.getLogger("windlass.x"), logging.INFO, "container started", container="c1", name="a b")
    event(logging.getLogger("windlass.x"), logging.DEBUG, "not shown")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith('level=info msg="container started" container=c1 name="a b"')


def test_a_value_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    event(logging.getLogger("windlass.x"), logging.INFO, "x", name='a"\nlevel=error msg=forged')
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith('name="a\\"\\nlevel=error msg=forged"')


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", "json")
    event(logging.getLogger("windlass.x"), logging.WARNING, "x", n=1)
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["msg"], line["n"]) == ("warning", "x", "1")


def test_levels() -> None:
    assert is_level("warn") and not is_level("loud")
