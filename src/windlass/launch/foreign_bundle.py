"""The bundle of a container that another runtime makes: its root, its config.json, its terminal.

Source: runtime-spec bundle.md; the console socket is runc's (docs/terminals.md there).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from windlass.launch import init_root, users
from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.launch.init_neighbours import clone_tree, is_elsewhere
from windlass.linux import mount as m
from windlass.linux.namespaces import CLONE_NEWNS, unshare
from windlass.spec.plan import BindRoot, LaunchPlan, Op, OverlayRoot, Propagation
from windlass.spec.task import ForeignPlan, ForeignRuntime, ForeignUser

RECORD = "runtime.json"
# The runtime has sent it before its command ended: this is for a crowded host.
_CONSOLE_TIMEOUT_S = 1.0
_MAX_RECORD_BYTES = 1 << 20

_HANDLERS: dict[type[Op], Callable[[InitContext, Any], None]] = {
    Propagation: init_root.propagation,
    OverlayRoot: init_root.overlay_root,
    BindRoot: init_root.bind_root,
}


class Record(msgspec.Struct, frozen=True):
    """What is needed to delete a container whose supervisor is dead."""

    id: str
    runtime: ForeignRuntime


class Bundle:
    """The directory, and the mounted root in a mount namespace of the calling process's own."""

    def __init__(self, container_id: str, plan: ForeignPlan) -> None:
        self.path = plan.bundle
        self._plan = plan
        self._consoles = 0
        self._mounted: list[str] = []
        # The record first: from here on somebody knows that there may be something to delete.
        os.makedirs(plan.runtime.state_root, 0o700, exist_ok=True)
        os.mkdir(plan.bundle, 0o700)
        self._write(RECORD, msgspec.json.encode(Record(container_id, plan.runtime)))
        self._directory = os.open(plan.bundle, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._root = -1

    def mount(self) -> None:
        """Mount the root, where only this process and its children see it.

        Raises:
            StepFailed: naming the step.
        """
        context = InitContext(LaunchPlan([]), [], [])
        unshare(CLONE_NEWNS)
        for op in self._plan.root:
            try:
                _HANDLERS[type(op)](context, op)
            except OSError as error:
                raise StepFailed(f"{op.describe()}: {reason(error)}") from None
            if isinstance(op, OverlayRoot | BindRoot):
                self._mounted.append(op.target if isinstance(op, OverlayRoot) else op.source)
        self._root = context.root_fd

    def unmount(self) -> None:
        """Let go of the root: the next run of the container mounts the same directories."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1
        while self._mounted:
            m.umount2(self._mounted.pop(), m.MNT_DETACH)

    def _bring_mounts(self, mounts: list[dict[str, Any]]) -> None:
        """Bind what only another container's mount namespace has (`--ipc container:`) where a runtime finds it."""
        foreign = [mount for mount in mounts if is_elsewhere(mount.get("source", ""))]
        for number, mount in enumerate(foreign):
            place = f"{self.path}/mount-{number}"
            os.mkdir(place, 0o700)
            if not number:
                init_root.propagation(InitContext(LaunchPlan([]), [], []), Propagation(m.MS_PRIVATE, holder_of=place))
            tree = clone_tree(mount["source"], recursive="rbind" in mount.get("options", ()))
            target = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                m.move_mount(tree, target)
            finally:
                os.close(target)
                os.close(tree)
            self._mounted.append(place)
            mount["source"] = place

    def write_config(self, netns: str) -> None:
        """Write config.json; `netns` is the path of the network namespace, empty when the runtime makes one or none.

        Raises:
            StepFailed: the user is not in the root's files.
        """
        config = msgspec.json.decode(self._plan.spec)
        self._complete(config["process"], self._plan.user)
        if netns:
            for namespace in config["linux"]["namespaces"]:
                if namespace["type"] == "network":
                    namespace["path"] = netns
        self._bring_mounts(config.get("mounts", []))
        self._write("config.json", msgspec.json.encode(config))

    def write_process(self, name: str, process: msgspec.Raw, user: ForeignUser) -> str:
        """Write the process of an exec and return the file's path.

        Raises:
            StepFailed: the user is not in the root's files.
        """
        document = msgspec.json.decode(process)
        self._complete(document, user)
        return self._write(name, msgspec.json.encode(document))

    def _complete(self, process: dict[str, Any], user: ForeignUser) -> None:
        """Fill in the user as numbers, as every runtime wants it, and the home directory."""
        found = users.resolve(self._root, user.user, user.additional_groups)
        process["user"] = {"uid": found.uid, "gid": found.gid, "additionalGids": found.groups}
        environment = process.setdefault("env", [])
        if not any(entry.startswith("HOME=") for entry in environment):
            environment.append(f"HOME={found.home}")

    def _write(self, name: str, data: bytes) -> str:
        path = f"{self.path}/{name}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
        return path

    def console(self) -> Console:
        """Listen for the terminal of one process."""
        self._consoles += 1
        return Console(self._directory, f"console-{self._consoles}")

    def read_pid(self, name: str) -> int:
        """Return the pid that a runtime wrote, and remove the file.

        Raises:
            OSError: there is none.
            ValueError: it is not a pid.
        """
        path = f"{self.path}/{name}"
        with open(path, "rb") as file:
            pid = int(file.read(32))
        os.unlink(path)
        return pid

    def remove(self) -> None:
        """Remove the directory."""
        os.close(self._directory)
        remove_directory(self.path)


class Console:
    """The socket on which a runtime hands over the master of a process's terminal.

    Its path leads through our descriptor of the directory: a socket's path has 107 bytes at most.
    """

    def __init__(self, directory: int, name: str) -> None:
        self._directory, self._name = directory, name
        self.path = f"/proc/{os.getpid()}/fd/{directory}/{name}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(f"/proc/self/fd/{directory}/{name}")
        self._listener.listen(1)

    def take(self) -> int:
        """Return the master, which a runtime has sent before its command ends.

        Raises:
            OSError: it has not.
        """
        self._listener.settimeout(_CONSOLE_TIMEOUT_S)
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(_CONSOLE_TIMEOUT_S)
            _, fds, _, _ = socket.recv_fds(connection, 4096, 1)
        if not fds:
            raise OSError("the runtime sent no terminal")
        os.set_inheritable(fds[0], False)
        return fds[0]

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        try:
            os.unlink(self._name, dir_fd=self._directory)
        except OSError:
            # Removed with the bundle.
            pass


def read_record(bundle: str) -> Record | None:
    """Return what a supervisor left in `bundle`; None when there is nothing to delete."""
    try:
        with open(f"{bundle}/{RECORD}", "rb") as file:
            return msgspec.json.decode(file.read(_MAX_RECORD_BYTES), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def remove_directory(bundle: str) -> None:
    """Remove a bundle; what is gone already is fine."""
    try:
        with os.scandir(bundle) as entries:
            for entry in entries:
                (os.rmdir if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
        os.rmdir(bundle)
    except FileNotFoundError:
        pass
