"""Windlass beside the container engines that people use now: one command, one run, taken in turn.

A program of the standard library only, so that it runs from a fresh clone. `docs/benchmarks.md` says what it
measures and what it does not show.
"""
