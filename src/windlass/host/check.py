"""A check of the host and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """What a check found. Only MISSING of a mandatory check stops Windlass."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


class Absent(Exception):
    """Raised by a probe: what it looks for is not there. The text says what was found instead."""


class Limited(Exception):
    """Raised by a probe: what it looks for is there in part. The text says which part is not."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table.

    `probe` returns what it found, in a few words, or raises Absent or Limited. It changes nothing, starts no process,
    and takes milliseconds at most. `cost` says what does not work without; `remedy` names the package or the command.
    """

    name: str
    probe: Callable[[], str]
    cost: str
    remedy: str
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to. `detail` is a short text for people."""

    check: Check
    status: Status
    detail: str

    @property
    def blocks(self) -> bool:
        """Tell whether Windlass cannot run containers because of this."""
        return self.check.mandatory and self.status is Status.MISSING

    def sentence(self) -> str:
        """Return one line that says what is wrong, what it costs and what to do."""
        return f"{self.check.name}: {self.detail}; without it {self.check.cost}; {self.check.remedy}"


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the probes, one after the other. A probe that fails in an unforeseen way counts as missing, by its error."""
    for check in checks:
        try:
            detail = check.probe()
        except Limited as limit:
            yield Finding(check, Status.DEGRADED, str(limit))
        except (Absent, OSError, ValueError) as error:
            yield Finding(check, Status.MISSING, str(error))
        else:
            yield Finding(check, Status.OK, detail)
