"""The first module of the sealed interpreter: what comes before the others are imported."""

from __future__ import annotations


def main() -> None:
    """Become `process_side`."""
    import gc

    import windlass.base.cold  # noqa: F401  (first, so that value types do without msgspec)

    # Neither this process nor the one that it forks lives for long as an interpreter.
    gc.disable()
    from windlass.runtime.oci import process_side

    process_side.main()
