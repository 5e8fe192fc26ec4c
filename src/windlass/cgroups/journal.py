"""Taking back what was written, when a later write of the same update is refused.

Files with a line per device or interface are written a line at a time, and restored a line at a time.
"""

from __future__ import annotations

import os

from windlass.cgroups import control
from windlass.cgroups.model import CgroupError

# What unsets the line of one device or interface, by file.
_UNSET = {
    "blkio.throttle.read_bps_device": "0",
    "blkio.throttle.write_bps_device": "0",
    "blkio.throttle.read_iops_device": "0",
    "blkio.throttle.write_iops_device": "0",
    "blkio.weight_device": "0",
    "blkio.leaf_weight_device": "0",
    "blkio.bfq.weight_device": "0",
    "io.max": "rbps=max wbps=max riops=max wiops=max",
    "io.latency": "target=0",
    "io.bfq.weight": "default",
    "io.weight": "default",
    "rdma.max": "hca_handle=max hca_object=max",
    "misc.max": "max",
    "dmem.min": "0",
    "dmem.low": "0",
    "dmem.max": "max",
    "net_prio.ifpriomap": "0",
}


class Journal:
    """The old values of one update, newest last."""

    def __init__(self) -> None:
        self._undo: dict[tuple[str, str], str] = {}

    def note(self, path: str, text: str) -> None:
        """Remember what is in `path` before `text` is written to it; a missing file has nothing."""
        key = text.partition(" ")[0] if os.path.basename(path) in _UNSET else ""
        if (path, key) not in self._undo and (old := control.read(path)):
            self._undo[path, key] = undo_text(os.path.basename(path), old, text)

    def undo(self) -> None:
        """Write the old values back, newest first; what cannot be restored stays as it is.

        Values that hold each other in place are tried again when one of them has moved.
        """
        pending = list(reversed(self._undo.items()))
        while pending:
            refused = [entry for entry in pending if not _restore(entry[0][0], entry[1])]
            if len(refused) == len(pending):
                return
            pending = refused


def _restore(path: str, text: str) -> bool:
    try:
        control.write(path, text)
    except CgroupError:
        return False
    return True


def undo_text(file: str, old: str, text: str) -> str:
    """Return what brings back `old`, the whole content of `file`, after `text` was written."""
    if file == "memory.oom_control":
        return old.split()[1]
    if file not in _UNSET:
        # An empty list of CPUs is a line as well; writing no byte at all would change nothing.
        return old.strip() or "\n"
    key, has_value, _ = text.partition(" ")
    if not has_value or key == "default":
        return _default(old)
    for line in old.splitlines():
        if line.partition(" ")[0] == key:
            return line
    return f"{key} {_UNSET[file]}"


def _default(old: str) -> str:
    """The weight of devices without a line of their own: `default 100`, or only the number in older kernels."""
    return old.splitlines()[0].strip()
