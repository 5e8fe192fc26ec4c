"""What every operation of a launch plan is."""

from __future__ import annotations

from windlass.spec import struct


class Op(struct.Struct, frozen=True, tag_field="op", tag=str.lower, omit_defaults=True):
    """One step of a plan."""

    def describe(self) -> str:
        """Say in a few words what the step does."""
        return type(self).__name__.lower()
