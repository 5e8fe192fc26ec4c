"""What this host offers to a container engine, what it lacks, and what each absence costs."""

from windlass.host.check import Check, Finding, Status, examine
from windlass.host.table import checks, first_blocker

__all__ = ["Check", "Finding", "Status", "checks", "examine", "first_blocker"]
