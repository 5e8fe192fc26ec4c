"""One column of the table: an engine, and the command line by which it is driven."""

from __future__ import annotations

from abc import ABC, abstractmethod

from bench import process
from bench.cell import Cell


class Contestant(ABC):
    """Something that takes verbs of the docker CLI."""

    name: str
    """The heading of its column."""

    @property
    @abstractmethod
    def cell(self) -> Cell:
        """Where the processes of the engine are, once it has started."""

    @property
    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The whole environment of its commands."""

    @abstractmethod
    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for `docker VERB ARGUMENTS`."""

    def timed(self, verb: str, *arguments: str) -> float:
        """Return the wall time in seconds of `docker VERB ARGUMENTS`. Raises `CommandError`."""
        return process.timed(self.command(verb, *arguments), self.environment)

    def timed_reading(self, expected_bytes: int, verb: str, *arguments: str) -> float:
        """Return the wall time in seconds with its output read through a pipe. Raises `CommandError`."""
        return process.timed_reading(self.command(verb, *arguments), self.environment, expected_bytes)

    def output(self, verb: str, *arguments: str) -> str:
        """Return what `docker VERB ARGUMENTS` prints. Raises `CommandError`."""
        return process.output(self.command(verb, *arguments), self.environment)
