"""Our command line beside the stock one, live: the recordings in tests/golden/cli are what it still does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support import request_cases
from tests.support.create_cases import cases, recorded
from tests.support.engine_recorder import recording
from tests.support.record_cli import stock_requests, stock_result

from windlass.cli.commands import VERBS
from windlass.cli.help import help_text
from windlass.cli.main import GLOBAL_FLAGS

RECORDED_VERSION = "28."
# Where we differ on purpose: cluster volumes, other words for our own name, commands not offered, slips not repeated.
OWN_HELP = {
    "container cp",
    "container create",
    "container top",
    "container update",
    "image bootstrap",
    "image inspect",
    "image ls",
    "context create",
    "context ls",
    "context update",
    "completion",
    "__complete",
    "inspect",
    "ns",
    "system df",
    "system dial-stdio",
    "version",
    "volume create",
    "volume ls",
    "daemon",
    "runtime",
    "doctor",
}


def _stock_version() -> str:
    if shutil.which("docker") is None:
        return ""
    done = subprocess.run(["docker", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("version ")[2]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not _stock_version().startswith(RECORDED_VERSION), reason=f"no docker CLI {RECORDED_VERSION}x on this host"
    ),
]


def test_bodies_of_create_are_still_what_was_recorded(tmp_path: Path) -> None:
    known = recorded()
    for case in cases():
        assert stock_result(case, str(tmp_path / "e.sock")) == known[case], case


def test_requests_are_still_what_was_recorded(tmp_path: Path) -> None:
    known = request_cases.recorded()
    for case in request_cases.cases():
        assert _sorted(stock_requests(case, str(tmp_path / "e.sock"))) == _sorted(known[case]), case


def _sorted(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put subnets in an order: the stock client sends them as its map happens to give them."""
    for request in requests:
        body = request.get("body")
        subnets = body.get("IPAM", {}).get("Config") if isinstance(body, dict) else None
        if subnets:
            subnets.sort(key=lambda subnet: str(subnet.get("Subnet")))
    return requests


@pytest.mark.parametrize("path", sorted(set(VERBS) - OWN_HELP))
def test_help_is_theirs_but_for_the_name(path: str, tmp_path: Path) -> None:
    with recording(str(tmp_path / "e.sock")):
        done = subprocess.run(
            ["docker", "-H", f"unix://{tmp_path}/e.sock", *path.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
    ours = help_text(path, f"windlass {path}", GLOBAL_FLAGS)
    ours = re.sub(r"\n\nExamples:\n.*", "", ours, flags=re.DOTALL).replace("windlass", "docker")
    assert ours.strip() == done.stdout.strip()
