"""The requests of every verb, against those the stock command line makes for the same words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.support.create_cases import ENVIRONMENT
from tests.support.engine_recorder import recording
from tests.support.request_cases import ANSWERS, cases, compared, recorded, words

from windlass.cli.main import run

RECORDED = recorded()


@pytest.mark.parametrize("case", cases())
def test_makes_the_requests_of_the_stock_command_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = str(tmp_path / "engine.sock")
    with recording(path, ANSWERS) as requests:
        run(["-H", f"unix://{path}", *words(case)])
    complaint = capfd.readouterr().err
    assert "Traceback" not in complaint
    ours = json.loads(json.dumps(compared(list(requests))))
    assert ours == RECORDED[case], complaint
