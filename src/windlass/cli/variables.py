"""The `-e` flag, which several verbs have."""

from __future__ import annotations

from windlass.cli.flags import Flag, listing


def _variable(value: str) -> str:
    from windlass.cli.create.environment import variable

    return variable(value)


def variable_flag() -> Flag:
    """Declare the flag that sets an environment variable."""
    return listing("env", "Set environment variables", "e", parse=_variable)
