"""The body of ContainerCreate for every flag, against what the stock command line sends for the same words."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from tests.support.create_cases import ENVIRONMENT, cases, normal, placed, recorded, words

from windlass.cli.create.body import create_body
from windlass.cli.errors import CliError
from windlass.cli.flags import parse_flags
from windlass.cli.verbs.create import COMMAND
from windlass.client.json_text import dumps
from windlass.client.wire import query_string

RECORDED = recorded()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def our_result(case: str) -> dict[str, Any]:
    """Return what our command line makes of a case, in the form of the record."""
    try:
        values, arguments = parse_flags(COMMAND.flags, words(case), interspersed=False)
        body = create_body(values, arguments[0], arguments[1:])
    except CliError as error:
        return {"error": placed(error.message).strip(), "status": error.status}
    query = {name: values.text(name) for name in ("name", "platform") if values.text(name)}
    return {"target": query_string(query)[1:], "body": normal(json.loads(dumps(body)))}


@pytest.mark.parametrize("case", cases())
def test_sends_what_the_stock_command_line_sends(case: str) -> None:
    expected, ours = RECORDED[case], our_result(case)
    if "error" in expected:
        assert ours.get("error") == expected["error"]
    else:
        assert ours == expected


def test_a_broken_seccomp_profile_is_refused_by_name() -> None:
    refusal = our_result("--security-opt seccomp=FILES/seccomp-bad")["error"]
    assert refusal.startswith("compacting json for seccomp profile (FILES/seccomp-bad) failed: ")


def test_every_flag_of_create_has_a_case() -> None:
    covered = " ".join(cases())
    elsewhere = {
        "help",
        "quiet",
        "pull",
        "use-api-socket",
        "disable-content-trust",
        "interactive",
        "tty",
        "publish-all",
    }
    shorts = {flag.name for flag in COMMAND.flags if flag.short and f"-{flag.short} " in covered + " "}
    missing = {flag.name for flag in COMMAND.flags if f"--{flag.name}" not in covered} - shorts - elsewhere
    assert not missing
