"""One call of the command line: what was said, and where state is kept."""

from __future__ import annotations

import os

from windlass.runtime.oci.arguments import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.log import Log
    from windlass.runtime.oci.process import Interpreter

DEFAULT_ROOT = "/run/windlass/runtime"


class Call:
    """Global options, the command's options, and its other words.

    `interpreter` is the sealed one, which starts while we read and think; only commands that launch have it.
    """

    def __init__(self, command: str, shared: Values, values: Values, words: list[str], log: Log) -> None:
        self.command = command
        self.shared = shared
        self.values = values
        self.words = words
        self.log = log
        self.root = os.path.abspath(shared.text("root") or default_root())
        self.interpreter: Interpreter | None = None

    @property
    def is_rootless(self) -> bool:
        """Tell whether control groups may be out of reach."""
        said = self.shared.text("rootless", "auto")
        return said == "true" or (said != "false" and os.geteuid() != 0)

    @property
    def systemd(self) -> bool:
        """Tell whether systemd makes the control groups."""
        return self.shared.on("systemd-cgroup") or self.shared.text("cgroup-manager") == "systemd"


def default_root() -> str:
    """Return the directory of state: the user's own where we are not root."""
    if os.geteuid() == 0:
        return DEFAULT_ROOT
    return os.path.join(os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/windlass-{os.geteuid()}", "windlass/runtime")
