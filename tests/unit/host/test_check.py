"""Findings: what a probe's outcome comes to, and what blocks."""

from __future__ import annotations

import pytest

from windlass.host import Check, Finding, Status, checks, examine
from windlass.host.check import Absent, Limited


def _check(outcome: str | Exception, *, mandatory: bool = False) -> Check:
    def probe() -> str:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Check("thing", probe, "nothing works", "apt-get install thing", mandatory)


@pytest.mark.parametrize(
    ("outcome", "status", "detail"),
    [
        ("version 2", Status.OK, "version 2"),
        (Limited("half of it"), Status.DEGRADED, "half of it"),
        (Absent("none of it"), Status.MISSING, "none of it"),
        (PermissionError(1, "Operation not permitted"), Status.MISSING, "[Errno 1] Operation not permitted"),
        (ValueError("not a number"), Status.MISSING, "not a number"),
    ],
)
def test_outcome_of_a_probe(outcome: str | Exception, status: Status, detail: str) -> None:
    (finding,) = examine([_check(outcome)])
    assert (finding.status, finding.detail) == (status, detail)


@pytest.mark.parametrize(
    ("status", "mandatory", "blocks"),
    [(Status.MISSING, True, True), (Status.MISSING, False, False), (Status.DEGRADED, True, False)],
)
def test_only_a_mandatory_missing_thing_blocks(status: Status, mandatory: bool, blocks: bool) -> None:
    assert Finding(_check("", mandatory=mandatory), status, "").blocks is blocks


def test_sentence_says_what_is_wrong_what_it_costs_and_what_to_do() -> None:
    finding = Finding(_check(""), Status.MISSING, "not here")
    assert finding.sentence() == "thing: not here; without it nothing works; apt-get install thing"


def test_every_check_has_its_own_name_a_cost_and_a_remedy() -> None:
    table = checks()
    assert len({check.name for check in table}) == len(table)
    assert all(check.cost and check.remedy for check in table)
