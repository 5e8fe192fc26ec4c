"""What every verb is handed: the engine, the streams, the user's configuration."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.config import Config
    from windlass.cli.host import HostChoice
    from windlass.client.engine import Engine

STDIN, STDOUT, STDERR = 0, 1, 2


class Context:
    """One invocation: where its engine is, how it was called, and its output.

    `path` is the command as the user reached it, `windlass container ls`, and `config_dir` where the user's
    configuration is; the engine is connected to when first used.
    """

    def __init__(self, host: HostChoice, config_dir: str, path: str, debug: bool = False) -> None:
        self.host = host
        self.path = path
        self.debug = debug
        self.config_dir = config_dir
        self._engine: Engine | None = None
        self._config: Config | None = None

    @property
    def engine(self) -> Engine:
        """The engine, started first where the host choice allows it; raises CannotConnect."""
        if self._engine is None:
            from windlass.cli.host import connect

            self._engine = connect(self.host)
        return self._engine

    @property
    def config(self) -> Config:
        """The user's config.json, empty when there is none."""
        if self._config is None:
            from windlass.cli.config import read_config

            self._config = read_config(self.config_dir)
        return self._config

    def out(self, text: str) -> None:
        """Write `text` to stdout as it is."""
        write_all(STDOUT, text.encode("utf-8", "surrogateescape"))

    def err(self, text: str) -> None:
        """Write `text` to stderr as it is."""
        write_all(STDERR, text.encode("utf-8", "surrogateescape"))

    def print(self, text: str) -> None:
        """Write one line to stdout."""
        self.out(text + "\n")

    def warn(self, text: str) -> None:
        """Write one line to stderr."""
        self.err(text + "\n")


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte of `data` to `fd`; raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
