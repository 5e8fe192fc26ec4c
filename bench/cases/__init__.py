"""What is measured: every case does the same to each contestant in its turn."""

from bench.cases.case import Case
from bench.cases.catalog import CASES

__all__ = ["CASES", "Case"]
