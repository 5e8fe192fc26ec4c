"""`windlass doctor`: its table, its JSON and its exit codes, for described hosts."""

from __future__ import annotations

import json

import pytest

from windlass.cli import doctor
from windlass.host import Check, Finding, Status


def _finding(name: str, status: Status, *, mandatory: bool = False) -> Finding:
    return Finding(Check(name, lambda: "", "it is dark", "apt-get install light", mandatory), status, "as found")


def test_table_explains_only_what_is_not_ok() -> None:
    findings = [_finding("floor", Status.OK), _finding("lamp", Status.MISSING)]
    assert doctor.as_table(findings, colour=False) == (
        "STATUS    CHECK  FOUND\n"
        "ok        floor  as found\n"
        "missing   lamp   as found\n"
        "            without it: it is dark\n"
        "            remedy: apt-get install light\n"
        "\n"
        "Windlass runs containers here; 1 of 2 checks found less than everything.\n"
    )


def test_table_names_the_blockers() -> None:
    table = doctor.as_table([_finding("root", Status.MISSING, mandatory=True)], colour=False)
    assert table.endswith("\nWindlass cannot run containers here: root.\n")


def test_colours_only_when_asked() -> None:
    findings = [_finding("lamp", Status.MISSING)]
    assert "\033" not in doctor.as_table(findings, colour=False)
    assert "\033[31mmissing" in doctor.as_table(findings, colour=True)


def test_json_has_an_object_per_check() -> None:
    (row,) = json.loads(doctor.as_json([_finding("lamp", Status.DEGRADED)]))
    assert row == {
        "Name": "lamp",
        "Status": "degraded",
        "Mandatory": False,
        "Detail": "as found",
        "Cost": "it is dark",
        "Remedy": "apt-get install light",
    }


@pytest.mark.parametrize(("mandatory", "status"), [(True, 1), (False, 0)])
def test_exit_code_tells_whether_something_mandatory_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mandatory: bool, status: int
) -> None:
    def absent() -> str:
        raise OSError("gone")

    monkeypatch.setattr(doctor, "checks", lambda: (Check("lamp", absent, "it is dark", "light one", mandatory),))
    assert doctor.main(["--format=json"]) == status
    assert json.loads(capsys.readouterr().out)[0]["Status"] == "missing"


def test_unknown_words_are_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--format", "yaml"]) == 125
    assert "Usage:  windlass doctor" in capsys.readouterr().err
