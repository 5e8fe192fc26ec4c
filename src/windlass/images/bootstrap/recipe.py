"""What the recipes share: their outcome, their errors, and how they run a program of the host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Of the caller's environment only the proxy matters to a recipe.
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy")


class RecipeError(Exception):
    """A recipe cannot be made here; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a layer.

    `command` is what a container runs by default. `newest_s` is the date of the newest package in it, in seconds since
    the epoch. `packages` are the (name, version) of every package in it, by name.
    """

    command: str
    version: str
    newest_s: int
    packages: tuple[tuple[str, str], ...]


def say(text: str) -> None:
    """Write one line of progress."""
    print(text, file=sys.stderr, flush=True)


def find_program(name: str) -> str | None:
    """Return the path of a program of the host, or None."""
    return shutil.which(name, path=_PATH)


def run(command: Sequence[str], *, cwd: str | None = None) -> None:
    """Run a program; what it prints is progress.

    Raises:
        RecipeError: it failed.
    """
    _finish(command, stdout=sys.stderr.fileno(), cwd=cwd)


def output(command: Sequence[str]) -> bytes:
    """Run a program and return what it wrote to standard output.

    Raises:
        RecipeError: it failed.
    """
    return _finish(command, stdout=subprocess.PIPE, cwd=None)


def _finish(command: Sequence[str], *, stdout: int, cwd: str | None) -> bytes:
    environ = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    environ.update((name, os.environ[name]) for name in _PASSED_ON if name in os.environ)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, env=environ, cwd=cwd, check=False)
    if done.returncode != 0:
        raise RecipeError(f"{command[0]} ended with status {done.returncode}; what it said stands above")
    return done.stdout or b""
