"""What a supervisor is told of the container it supervises, and what it leaves behind."""

from __future__ import annotations

import msgspec

from windlass.spec.plan import LaunchPlan


class IoPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Streams of one process. `rows` and `columns` are the first size of its terminal."""

    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False
    rows: int = 0
    columns: int = 0


class LogPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The log file: `driver` is `json-file`, `local` or `none`; sizes in bytes, `max_size` 0 is unlimited."""

    driver: str = "json-file"
    path: str = ""
    max_size: int = 0
    max_file: int = 1
    compress: bool = False
    attrs: dict[str, str] = {}


class TaskPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything one supervisor needs; it reads no configuration."""

    id: str
    launch: LaunchPlan
    io: IoPlan
    log: LogPlan
    record_path: str
    pid_path: str
    oom_event_path: str = ""


class ExecPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One more process in a running container."""

    id: str
    launch: LaunchPlan
    io: IoPlan


class ExitRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a container's process ended; written by atomic rename before anybody is told.

    `exit_code` is 128+n for death by signal n. `error` is set when the process was never started.
    """

    id: str
    exit_code: int
    started_at_ns: int
    finished_at_ns: int
    pid: int = 0
    oom_killed: bool = False
    error: str = ""
