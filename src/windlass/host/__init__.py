"""What this host offers to a container engine, what it lacks, and what each absence costs."""

from windlass.host.check import Check, Finding, Status, examine
from windlass.host.table import CHECKS, first_blocker

__all__ = ["CHECKS", "Check", "Finding", "Status", "examine", "first_blocker"]
