"""Asking before something is removed."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context


def confirmed(context: Context, warning: str) -> bool:
    """Show the warning, ask, and tell whether the answer begins with y."""
    context.out(f"WARNING! {warning}\nAre you sure you want to continue? [y/N] ")
    answer = os.read(0, 1024).decode("utf-8", "replace").strip().lower()
    return answer in ("y", "yes")
