"""`windlass doctor`: the table of what this host offers, what it lacks, and what each absence costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from windlass.host import Finding, Status, checks, examine

USAGE = """\
Usage:  windlass doctor [OPTIONS]

Check whether this host can run containers, and what would not work

Options:
      --format string   Format output: "table" or "json" (default "table")
      --help            Print usage

Exit status: 0, or 1 if something mandatory is missing.
"""

_COLOURS = {Status.OK: "\033[32m", Status.DEGRADED: "\033[33m", Status.MISSING: "\033[31m"}
_PLAIN = "\033[0m"


def main(argv: Sequence[str]) -> int:
    """Print the table for the words after `doctor`; return 0, 1 if Windlass cannot run containers, or 125."""
    words = [part for word in argv for part in word.split("=", 1)]
    if words in (["--help"], ["-h"]):
        print(USAGE, end="", flush=True)
        return 0
    if words not in ([], ["--format", "json"], ["--format", "table"]):
        sys.stderr.write(f"windlass doctor: cannot use {' '.join(argv)!r}\n\n{USAGE}")
        return 125
    findings = list(examine(checks()))
    sys.stdout.write(as_json(findings) if "json" in words else as_table(findings, colour=sys.stdout.isatty()))
    sys.stdout.flush()  # the client leaves without the interpreter's own tidying
    return 1 if any(finding.blocks for finding in findings) else 0


def as_table(findings: Sequence[Finding], *, colour: bool) -> str:
    """Return a line per check, and below those that did not find everything what that costs and what to do."""
    width = max(len(finding.check.name) for finding in findings)
    lines = [f"{'STATUS':<10}{'CHECK':<{width + 2}}FOUND"]
    for finding in findings:
        status = f"{finding.status.value:<10}"
        if colour:
            status = f"{_COLOURS[finding.status]}{status}{_PLAIN}"
        lines.append(f"{status}{finding.check.name:<{width + 2}}{finding.detail}")
        if finding.status is not Status.OK:
            lines.append(f"{'':<10}  without it: {finding.check.cost}")
            lines.append(f"{'':<10}  remedy: {finding.check.remedy}")
    return "\n".join([*lines, "", _verdict(findings), ""])


def as_json(findings: Sequence[Finding]) -> str:
    """Return an array with an object per check."""
    rows = [
        {
            "Name": finding.check.name,
            "Status": finding.status.value,
            "Mandatory": finding.check.mandatory,
            "Detail": finding.detail,
            "Cost": finding.check.cost,
            "Remedy": finding.check.remedy,
        }
        for finding in findings
    ]
    return json.dumps(rows, indent=2) + "\n"


def _verdict(findings: Sequence[Finding]) -> str:
    blockers = [finding.check.name for finding in findings if finding.blocks]
    lacks = sum(finding.status is not Status.OK for finding in findings)
    if blockers:
        return f"Windlass cannot run containers here: {', '.join(blockers)}."
    if lacks:
        return f"Windlass runs containers here; {lacks} of {len(findings)} checks found less than everything."
    return "Windlass runs containers here, with everything it can use."
