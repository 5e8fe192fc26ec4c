"""Users and subordinate ids for tests, without a change to the host's /etc."""

from __future__ import annotations

import shlex
from pathlib import Path

RANGES = "nobody:2000000:65536"


def with_own_etc(directory: Path, argv: list[str], before: str) -> list[str]:
    """A command that runs shell words `before`, then `argv`, in a mount namespace where /etc is a copy to write to."""
    upper, work = directory / "etc-upper", directory / "etc-work"
    for path in (upper, work):
        path.mkdir(parents=True, exist_ok=True)
    overlay = f"mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={work} /etc"
    return ["unshare", "--mount", "sh", "-ec", f"{overlay}\n{before}\nexec {shlex.join(argv)}"]
