"""Environment variables and labels: from flags and from files."""

from __future__ import annotations

import os

from windlass.cli.errors import CliError

BYTE_ORDER_MARK = "\ufeff"


def variable(text: str) -> str:
    """Return one `-e` value, filled in from our own environment where only a name is given; raises ValueError."""
    name, equals, _ = text.partition("=")
    if not name:
        raise ValueError(f"invalid environment variable: {text}")
    if not equals and name in os.environ:
        return f"{name}={os.environ[name]}"
    return text


def label(text: str) -> str:
    """Return one `-l` value; raises ValueError."""
    if text.startswith("="):
        raise ValueError(f"invalid label '{text}': empty name")
    return text


def merged(files: list[str], given: list[str]) -> list[str]:
    """Return the lines of the environment files, then the values given one by one; raises CliError."""
    return [line for path in files for line in read_file(path, fill=True)] + given


def labels(files: list[str], given: list[str]) -> dict[str, str]:
    """Return the labels of files and flags, the later winning; raises CliError."""
    lines = [line for path in files for line in read_file(path, fill=False)] + given
    return mapping(lines)


def mapping(lines: list[str]) -> dict[str, str]:
    """Return `key=value` lines as a dict; a line without `=` gives an empty value."""
    result = {}
    for line in lines:
        key, _, value = line.partition("=")
        result[key] = value
    return result


def read_file(path: str, *, fill: bool) -> list[str]:
    """Return the `NAME=value` lines of an environment file; raises CliError.

    A line with a name alone takes its value from our environment when `fill` is set, and is dropped otherwise. Blank
    lines and those that start with `#` are skipped.

    Source: https://docs.docker.com/reference/cli/docker/container/run/#env
    """
    from windlass.cli.create.files import read_text

    lines = []
    for number, line in enumerate(read_text(path).removeprefix(BYTE_ORDER_MARK).splitlines()):
        line = line.lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name = name.lstrip(" \t")
        if not name:
            raise CliError(f"invalid env file ({path}): no variable name on line '{line}'")
        if " " in name or "\t" in name:
            raise CliError(f"invalid env file ({path}): variable '{name}' contains whitespaces")
        if "\0" in line:
            raise CliError(f"invalid env file ({path}): line {number + 1} contains a NUL byte")
        if equals:
            lines.append(f"{name}={value}")
        elif fill and name in os.environ:
            lines.append(f"{name}={os.environ[name]}")
    return lines
