"""What a supervisor is told of the container it supervises, and what it leaves behind."""

from __future__ import annotations

import msgspec

from windlass.spec.plan import BindRoot, LaunchPlan, OverlayRoot, Propagation


class IoPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Streams of one process. `rows` and `columns` are the first size of its terminal."""

    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False
    rows: int = 0
    columns: int = 0


class LogSubject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What remote log drivers tell of a container. `created_ns` is nanoseconds since the epoch."""

    id: str
    name: str
    image_id: str
    image_name: str
    command: str
    created_ns: int
    hostname: str


class RemotePlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where log lines are sent: `driver` is `syslog`, `fluentd`, `gelf` or `journald`, its options checked before.

    `tag` is expanded and `attrs` chosen. With `non_blocking`, at most `max_buffer` bytes wait for a slow receiver, and
    what comes then is dropped.
    """

    driver: str
    options: dict[str, str]
    tag: str
    attrs: dict[str, str]
    subject: LogSubject
    non_blocking: bool = False
    max_buffer: int = 1 << 20


class LogPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where output is kept. `path` is the file, or empty for none; `format` is `json` or `local`.

    `max_size` in bytes, 0 is unlimited; `max_file` counts the current file and the rotated ones.
    """

    path: str = ""
    format: str = "json"
    max_size: int = 0
    max_file: int = 1
    compress: bool = False
    attrs: dict[str, str] = {}
    remote: RemotePlan | None = None


class ForeignUser(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user to be looked up in the root: `user[:group]` and more groups, by name or number."""

    user: str = ""
    additional_groups: list[str] = []


class ForeignRuntime(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another OCI runtime, by its command line: `path args... --root state_root`; `name` is what users call it."""

    name: str
    path: str
    args: list[str]
    state_root: str


class ForeignPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A container that another runtime makes; its supervisor's `TaskPlan.launch` has no operations then.

    `bundle` is a directory to be made, and `spec` its config.json but for the user, who is looked up in the root, and
    the network namespace: when one was passed with the plan, it is the first descriptor. `root` is what is mounted
    beforehand, seen by the supervisor and the runtime only.
    """

    runtime: ForeignRuntime
    bundle: str
    spec: msgspec.Raw
    user: ForeignUser
    root: list[Propagation | OverlayRoot | BindRoot]


class TaskPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything one supervisor needs; it reads no configuration."""

    id: str
    launch: LaunchPlan
    io: IoPlan
    log: LogPlan
    record_path: str
    pid_path: str
    oom_event_path: str = ""
    foreign: ForeignPlan | None = None


class ForeignProcess(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a foreign runtime is told of an exec: the specification's `process` but for the user."""

    process: msgspec.Raw
    user: ForeignUser


class ExecPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One more process in a running container; in one of another runtime's, `launch` has no operations."""

    id: str
    launch: LaunchPlan
    io: IoPlan
    foreign: ForeignProcess | None = None


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
