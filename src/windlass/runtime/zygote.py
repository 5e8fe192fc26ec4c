"""The daemon's side of the zygote: starting it, keeping it, asking it to fork.

The zygote runs from a sealed copy of the interpreter (law 3) and is started with `posix_spawn`; the daemon itself never
forks. When it dies it is started again; requests that were under way fail, containers do not notice.

Source: runc's CVE-2019-5736 and the design's process table.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import Mapping, Sequence

import msgspec

from windlass.base import errors
from windlass.base.errors import Unavailable, WindlassError
from windlass.launch import wire
from windlass.launch.zygote import CONTROL_FD
from windlass.linux.sealing import seal_executable
from windlass.runtime.channel import Channel, seqpacket_pair
from windlass.runtime.sealed import command_line, environment
from windlass.runtime.supervisor import SupervisorTask, attach_spec
from windlass.runtime.task import Attachment, NetNs, StartFailed, TaskCallbacks, TaskGone
from windlass.spec.id_mappings import IdMappings
from windlass.spec.task import TaskPlan

_encode = msgspec.json.Encoder().encode
_READY_TIMEOUT_S = 20.0
_ADOPT_TIMEOUT_S = 5.0


class ZygoteLauncher:
    """Implements `windlass.runtime.task.Launcher` with a zygote of our own."""

    def __init__(self, run_root: str) -> None:
        self._run_root = run_root
        self._executable = -1
        self._channel: Channel | None = None
        self._starting = asyncio.Lock()
        self._closing = False
        self._pid = 0

    @property
    def pid(self) -> int:
        """The zygote's pid, 0 when there is none."""
        return self._pid if self._channel is not None else 0

    def task_directory(self, container_id: str) -> str:
        """Where a supervisor's socket, pid and exit record are."""
        return f"{self._run_root}/containers/{container_id}"

    # --- the zygote -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the zygote and wait until it serves.

        Raises:
            Unavailable: it did not come up.
        """
        async with self._starting:
            if self._channel is None:
                await self._spawn()

    async def _spawn(self) -> None:
        if self._executable < 0:
            self._executable = await asyncio.to_thread(seal_executable, sys.executable)
        ours, theirs = seqpacket_pair()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._pid = _spawn_interpreter(self._executable, theirs.fileno())
        finally:
            theirs.close()

        def on_message(_data: bytes, _fds: list[int]) -> None:
            if not ready.done():
                ready.set_result(None)

        pid = self._pid

        def on_close() -> None:
            self._channel = None
            _reap_at_its_end(pid)
            if not ready.done():
                ready.set_exception(Unavailable("the zygote did not start; see the daemon's log"))

        channel = Channel(ours, on_message, on_close)
        await asyncio.wait_for(ready, _READY_TIMEOUT_S)
        self._channel = channel

    async def close(self) -> None:
        """Let the zygote go; supervisors stay."""
        self._closing = True
        if self._channel is not None:
            self._channel.close()
            # It ends at once now, and should not be left to whoever inherits our children.
            await asyncio.to_thread(_wait_for_end, self._pid)
        if self._executable >= 0:
            os.close(self._executable)
            self._executable = -1

    async def _ask(self, message: wire.Message, fds: Sequence[int]) -> None:
        """Send a request, starting the zygote (again) when there is none."""
        for _attempt in range(2):
            if self._closing:
                raise Unavailable("the daemon is shutting down")
            await self.start()
            channel = self._channel
            if channel is None:
                continue
            try:
                await channel.send(message, fds)
                return
            except OSError:
                channel.close()
        raise Unavailable("the zygote does not answer")

    # --- containers -------------------------------------------------------------------------------------

    async def launch(
        self,
        plan: TaskPlan,
        callbacks: TaskCallbacks,
        attachments: Sequence[Attachment] = (),
        netns_fd: int = -1,
        holds: Sequence[int] = (),
        userns_fd: int = -1,
    ) -> SupervisorTask:
        """Start a container; see `Launcher.launch`."""
        directory = self.task_directory(plan.id)
        listener = _listen(directory)
        _forget_last_run(plan.record_path)
        ours, theirs = seqpacket_pair()
        memfd = wire.to_memfd("plan", _encode(plan))
        task = SupervisorTask(plan.id, ours, callbacks, foreign=plan.foreign is not None)
        try:
            message = wire.Launch(
                attachments=[attach_spec(a) for a in attachments],
                netns=netns_fd >= 0,
                userns=userns_fd >= 0,
                holds=len(holds),
            )
            fds = [theirs.fileno(), listener.fileno(), memfd]
            fds += [fd for fd in (netns_fd, userns_fd) if fd >= 0]
            fds += [a.connection for a in attachments]
            fds += holds
            await self._ask(message, fds)
        except BaseException:
            task.release()
            raise
        finally:
            os.close(memfd)
            theirs.close()
            listener.close()
        try:
            await task.wait_started()
        except BaseException:
            task.release()
            raise
        return task

    async def adopt(self, container_id: str, callbacks: TaskCallbacks) -> SupervisorTask | None:
        """Take back the supervisor of an earlier daemon; None when none answers."""
        sock = _connect(self.task_directory(container_id))
        if sock is None:
            return None
        task = SupervisorTask(container_id, sock, callbacks)
        try:
            async with asyncio.timeout(_ADOPT_TIMEOUT_S):
                status = await task.query()
                if not status.pid:
                    # The daemon before us was killed while init was on its way.
                    await task.wait_started()
        except (StartFailed, TaskGone, TimeoutError):
            task.release()
            return None
        return task

    # --- other children ---------------------------------------------------------------------------------

    async def new_netns(self, mappings: IdMappings | None = None, userns_fd: int = -1) -> NetNs:
        """Make a network namespace; see `Launcher.new_netns`."""
        answer = _Answer()
        request = wire.MakeNetns(list(mappings.uids), list(mappings.gids)) if mappings else wire.MakeNetns()
        owned = mappings is not None or userns_fd >= 0
        try:
            await self._ask(request, [answer.theirs.fileno(), *([userns_fd] if userns_fd >= 0 else [])])
            answer.theirs.close()
            message, fds = await answer.next()
        finally:
            answer.close()
        if isinstance(message, wire.ChildFailed) or len(fds) != 2 + owned:
            for fd in fds:
                os.close(fd)
            raise errors.System(message.error if isinstance(message, wire.ChildFailed) else "no network namespace")
        return NetNs(fds[0], socket.socket(fileno=fds[1]), fds[2] if owned else -1)

    async def run_job(self, name: str, params: Mapping[str, object], fds: Sequence[int] = ()) -> dict[str, object]:
        """Run a job in a worker process; see `Launcher.run_job`. A cancelled job's worker is killed."""
        answer = _Answer()
        memfd = wire.to_memfd("params", _encode(params))
        pidfd = -1
        try:
            await self._ask(wire.RunJob(name=name), [answer.theirs.fileno(), memfd, *fds])
            answer.theirs.close()
            _, received = await answer.next()
            pidfd = received[0]
            message, _ = await answer.next()
        except asyncio.CancelledError:
            _kill(pidfd)
            raise
        finally:
            os.close(memfd)
            answer.close()
            if pidfd >= 0:
                os.close(pidfd)
        assert isinstance(message, wire.JobResult)
        if message.error_kind:
            raise _error_of_kind(message.error_kind, message.error)
        result: dict[str, object] = msgspec.json.decode(message.result)
        return result


class _Answer:
    """A connection on which one child of the zygote answers."""

    def __init__(self) -> None:
        ours, self.theirs = seqpacket_pair()
        self._messages: asyncio.Queue[tuple[wire.FromChild, list[int]] | None] = asyncio.Queue()
        self._channel = Channel(ours, self._on_message, lambda: self._messages.put_nowait(None))

    def _on_message(self, data: bytes, fds: list[int]) -> None:
        self._messages.put_nowait((wire.child_decoder.decode(data), fds))

    async def next(self) -> tuple[wire.FromChild, list[int]]:
        item = await self._messages.get()
        if item is None:
            raise Unavailable("a worker process died before it answered")
        return item

    def close(self) -> None:
        self.theirs.close()
        self._channel.close()
        while not self._messages.empty():
            item = self._messages.get_nowait()
            for fd in item[1] if item else ():
                os.close(fd)


def _spawn_interpreter(executable_fd: int, control_fd: int) -> int:
    """Spawn the sealed interpreter as the zygote; only the control socket and stderr are inherited."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 2, 1),
        (os.POSIX_SPAWN_DUP2, control_fd, CONTROL_FD),
    ]
    argv = command_line("windlass.launch.zygote", ["windlass-zygote"])
    return os.posix_spawn(f"/proc/self/fd/{executable_fd}", argv, environment(), file_actions=actions)


def _reap_at_its_end(pid: int) -> None:
    """Collect a zygote that has closed its socket and is about to be gone, without waiting for it."""
    loop = asyncio.get_running_loop()
    pidfd = os.pidfd_open(pid)

    def reap() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        os.waitpid(pid, 0)

    loop.add_reader(pidfd, reap)


def _wait_for_end(pid: int) -> None:
    """Block until a process has ended, without collecting it."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return


def _kill(pidfd: int) -> None:
    if pidfd >= 0:
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _error_of_kind(kind: str, message: str) -> WindlassError:
    cls = getattr(errors, kind, errors.System)
    if isinstance(cls, type) and issubclass(cls, WindlassError):
        return cls(message)
    return errors.System(message)


def _forget_last_run(record_path: str) -> None:
    """Remove the exit record of the run before: its presence means that the container has ended."""
    try:
        os.unlink(record_path)
    except FileNotFoundError:
        pass


def _listen(directory: str) -> socket.socket:
    """Listen on `task.sock` of the task's directory, however long its path is."""
    os.makedirs(directory, 0o700, exist_ok=True)
    directory_fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        try:
            os.unlink("task.sock", dir_fd=directory_fd)
        except FileNotFoundError:
            pass
        listener.bind(f"/proc/self/fd/{directory_fd}/task.sock")
        listener.listen(16)
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(directory_fd)
    return listener


def _connect(directory: str) -> socket.socket | None:
    try:
        directory_fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(1.0)
    try:
        path = f"/proc/self/fd/{directory_fd}/task.sock"
        if not stat.S_ISSOCK(os.stat("task.sock", dir_fd=directory_fd).st_mode):
            raise FileNotFoundError(path)
        sock.connect(path)
    except OSError:
        sock.close()
        return None
    finally:
        os.close(directory_fd)
    return sock
