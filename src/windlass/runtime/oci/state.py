"""What is known of a container between commands: one directory, one file, and the kernel.

`<root>/<id>/` has `state.json` (always whole), `config.json` (the configuration as it was at `create`), the compiled
filter, and two FIFOs: `start` holds the first process before its program until something is written to it, `failure`
says why it did not become its program. The directory is also the lock. Whether a container runs is never written down;
pid and start time ask the kernel.

Source: runtime-spec runtime.md, "State".
"""

from __future__ import annotations

import errno
import os

from windlass.base import cold_json
from windlass.base.errors import Conflict, InvalidParameter, NotFound, System
from windlass.spec.light import Mismatch, Struct, convert, to_builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATE_VERSION = 1
START_FIFO = "start"
FAILURE_FIFO = "failure"
CONFIG = "config.json"
FILTER = "seccomp.bpf"
_STATE = "state.json"
_MAX_STATE_BYTES = 16 << 20
_MAX_CONFIG_BYTES = 16 << 20
_MAX_ID = 1024
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")
_STAT_STATE, _STAT_START = 0, 19


class State(Struct, frozen=True, rename="camel"):
    """The record. `pid` is 0 until the first process is known; `cgroup` is the name its driver knows it by.

    `hooks` are those for later, `poststart` and `poststop`, as the configuration has them. `rdt` is its resctrl group.
    `shares_pids` says that it has no pid namespace of its own.
    """

    id: str
    bundle: str
    created: str
    version: int = STATE_VERSION
    oci_version: str = ""
    rootfs: str = ""
    pid: int = 0
    start_time: int = 0
    cgroup: str = ""
    systemd: bool = False
    annotations: dict[str, str] = {}
    hooks: dict[str, list[dict[str, object]]] = {}
    rdt: str = ""
    shares_pids: bool = False


def check_id(container_id: str) -> str:
    """Return a container's id.

    Raises:
        InvalidParameter: it is not one clean path component.
    """
    if (
        not container_id
        or len(container_id) > _MAX_ID
        or not set(container_id) <= _ID_CHARACTERS
        or container_id in (".", "..")
    ):
        raise InvalidParameter(f"invalid container id format: {container_id}")
    return container_id


class Directory:
    """A container's directory, locked against other commands for as long as this object lives."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    @staticmethod
    def make(root: str, container_id: str) -> Directory:
        """Claim an id.

        Raises:
            Conflict: it is taken.
        """
        os.makedirs(root, mode=0o700, exist_ok=True)
        path = os.path.join(root, check_id(container_id))
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            raise Conflict("container with given ID already exists") from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InvalidParameter(f"invalid container id format: {container_id}") from None
            raise
        return Directory(path, _lock(path))

    @staticmethod
    def open(root: str, container_id: str, *, wait: bool = True) -> Directory:
        """Find a container.

        Raises:
            NotFound: there is none of that id.
        """
        path = os.path.join(root, check_id(container_id))
        try:
            directory = Directory(path, _lock(path) if wait else os.open(path, os.O_RDONLY | os.O_DIRECTORY))
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound("container does not exist") from None
        # Removed while we waited for the lock, and perhaps made again under the same name.
        if wait and not directory.is_current():
            directory.unlock()
            raise NotFound("container does not exist")
        return directory

    def is_current(self) -> bool:
        """Tell whether the name still leads here."""
        try:
            found, ours = os.stat(self.path), os.fstat(self.fd)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)

    def is_locked(self) -> bool:
        """Tell whether another command is at work here; not for a directory that we locked ourselves."""
        import fcntl

        try:
            fcntl.flock(self.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        return False

    def unlock(self) -> None:
        """Let other commands go on."""
        os.close(self.fd)
        self.fd = -1

    def file(self, name: str) -> str:
        """Return the path of a file in it."""
        return f"{self.path}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Replace a file; readers see the old one or the new one, whole."""
        fd = os.open(f"{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600, dir_fd=self.fd)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
        finally:
            os.close(fd)
        os.rename(f"{name}.new", name, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def read(self, name: str, limit: int) -> bytes:
        """Return a file of at most `limit` bytes."""
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.fd)
        try:
            if os.fstat(fd).st_size > limit:
                raise System(f"{self.file(name)} is larger than {limit} bytes")
            chunks = []
            while chunk := os.read(fd, limit + 1):
                chunks.append(chunk)
            return b"".join(chunks)
        finally:
            os.close(fd)

    def save(self, state: State) -> None:
        """Write the record."""
        self.write(_STATE, cold_json.dumps(to_builtins(state)).encode())

    def state(self) -> State:
        """Return the record.

        Raises:
            NotFound: there is none: a `create` was cut off at its first step.
            System: it cannot be read.
        """
        try:
            data = self.read(_STATE, _MAX_STATE_BYTES)
        except FileNotFoundError:
            raise NotFound("container does not exist") from None
        try:
            state: State = convert(cold_json.loads(data), State)
        except (Mismatch, ValueError) as error:
            raise System(f"{self.file(_STATE)}: {error}") from None
        if state.version > STATE_VERSION:
            raise System(f"{self.file(_STATE)} was written by a newer version")
        return state

    def config(self) -> bytes:
        """Return the configuration that the container was made from."""
        return self.read(CONFIG, _MAX_CONFIG_BYTES)

    def remove(self) -> None:
        """Forget the container; the id is free at the end, not before."""
        for name in os.listdir(self.fd):
            if name != _STATE:
                os.unlink(name, dir_fd=self.fd)
        try:
            os.unlink(_STATE, dir_fd=self.fd)
        except FileNotFoundError:
            pass
        os.rmdir(self.path)


def _lock(path: str) -> int:
    import fcntl

    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except BaseException:
        os.close(fd)
        raise
    return fd


def process_start_time(pid: int) -> int:
    """Return when a living process started, in clock ticks since boot; 0 when it has ended.

    Source: proc_pid_stat(5), fields 3 and 22.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    if len(fields) <= _STAT_START or fields[_STAT_STATE] in (b"Z", b"X"):
        return 0
    return int(fields[_STAT_START])


def is_alive(state: State) -> bool:
    """Tell whether the container's first process lives; another process with its pid is not it."""
    return state.pid > 0 and process_start_time(state.pid) == state.start_time


def is_waiting(directory: Directory) -> bool:
    """Tell whether the first process waits for `start`: it alone has the FIFO open for reading."""
    try:
        os.close(os.open(START_FIFO, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory.fd))
    except (FileNotFoundError, OSError) as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            return False
        raise
    return True


def status(directory: Directory, state: State, *, locked: bool = False) -> str:
    """Return `creating`, `created`, `running`, `paused` or `stopped`; `locked` says that we hold the lock ourselves."""
    if state.pid == 0:
        return "stopped" if locked or not directory.is_locked() else "creating"
    if not is_alive(state):
        return "stopped"
    if is_waiting(directory):
        return "created"
    return "paused" if is_frozen(state) else "running"


def is_frozen(state: State) -> bool:
    """Tell whether the container is paused."""
    from windlass.runtime.oci.groups import open_group

    return bool(state.cgroup) and open_group(state).is_frozen()


def oci_state(state: State, status_word: str) -> dict[str, Any]:
    """Return the state as hooks, the seccomp agent and callers read it."""
    document: dict[str, Any] = {
        "ociVersion": state.oci_version,
        "id": state.id,
        "status": status_word,
        "pid": 0 if status_word == "stopped" else state.pid,
        "bundle": state.bundle,
    }
    if state.annotations:
        document["annotations"] = dict(state.annotations)
    return document
