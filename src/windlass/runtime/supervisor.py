"""The daemon's side of one supervisor."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence

import msgspec

from windlass.base.errors import System
from windlass.launch import wire
from windlass.runtime.channel import Channel
from windlass.runtime.task import AdoptedExec, Attachment, StartFailed, TaskCallbacks, TaskGone
from windlass.spec.task import ExecPlan, ExitRecord

_encode = msgspec.json.Encoder().encode


def attach_spec(attachment: Attachment) -> wire.AttachSpec:
    """Return what goes over the wire beside the connection's descriptor."""
    return wire.AttachSpec(
        stdin=attachment.stdin,
        stdout=attachment.stdout,
        stderr=attachment.stderr,
        framed=attachment.framed,
        leftover=attachment.leftover,
        detach_keys=attachment.detach_keys,
    )


class SupervisorTask:
    """A live container, by its supervisor's connection. Implements `windlass.runtime.task.Task`."""

    def __init__(
        self, container_id: str, sock: socket.socket, callbacks: TaskCallbacks, *, foreign: bool = False
    ) -> None:
        loop = asyncio.get_running_loop()
        self.container_id = container_id
        self.foreign = foreign
        self._callbacks = callbacks
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[wire.Done | wire.Status]] = {}
        self._started: asyncio.Future[wire.Started] = loop.create_future()
        self._ended: asyncio.Future[ExitRecord] = loop.create_future()
        self._pid = 0
        self._started_at_ns = 0
        self.adopted_execs: dict[str, AdoptedExec] = {}
        self._channel = Channel(sock, self._message, self._closed)

    @property
    def pid(self) -> int:
        """Host pid of the container's process."""
        return self._pid

    @property
    def started_at_ns(self) -> int:
        """When the process was started."""
        return self._started_at_ns

    # --- from the supervisor ------------------------------------------------------------------------

    def _message(self, data: bytes, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
        message = wire.daemon_decoder.decode(data)
        match message:
            case wire.Done() | wire.Status():
                waiter = self._waiting.pop(message.seq, None)
                if waiter is not None and not waiter.done():
                    waiter.set_result(message)
            case wire.Started():
                self._pid, self._started_at_ns = message.pid, message.started_at_ns
                if not self._started.done():
                    self._started.set_result(message)
            case wire.StartError():
                if not self._started.done():
                    self._started.set_exception(StartFailed(message.error, message.exit_code))
            case wire.Exited():
                if not self._ended.done():
                    self._ended.set_result(message.record)
                    self._callbacks.on_exit(message.record)
            case wire.ExecExited():
                self._callbacks.on_exec_exit(message.exec_id, message.exit_code)
            case wire.Detached():
                self._callbacks.on_detach(message.exec_id)
            case wire.Oom():
                self._callbacks.on_oom()

    def _closed(self) -> None:
        gone = TaskGone("the container's supervisor is gone")
        if not self._started.done():
            self._started.set_exception(gone)
            self._started.exception()
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(gone)
        self._waiting.clear()
        if not self._ended.done():
            self._ended.set_exception(gone)
            self._ended.exception()
            if self._pid:
                self._callbacks.on_lost()

    # --- to the supervisor --------------------------------------------------------------------------

    async def _request(self, message: wire.Message, seq: int, fds: Sequence[int] = ()) -> wire.Done | wire.Status:
        waiter: asyncio.Future[wire.Done | wire.Status] = asyncio.get_running_loop().create_future()
        self._waiting[seq] = waiter
        try:
            await self._channel.send(message, fds)
            return await waiter
        except OSError as error:
            raise TaskGone("the container's supervisor is gone") from error
        finally:
            self._waiting.pop(seq, None)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    async def _command(self, message: wire.Message, seq: int, fds: Sequence[int] = ()) -> wire.Done:
        done = await self._request(message, seq, fds)
        assert isinstance(done, wire.Done)
        if done.error:
            raise System(done.error)
        return done

    async def wait_started(self) -> None:
        """Wait until init has become the container's process.

        Raises:
            StartFailed: it could not.
            TaskGone: the supervisor died.
        """
        await self._started

    async def query(self) -> wire.Status:
        """Ask an adopted supervisor what it supervises."""
        seq = self._next()
        status = await self._request(wire.Query(seq=seq), seq)
        assert isinstance(status, wire.Status)
        self._pid, self._started_at_ns, self.foreign = status.pid, status.started_at_ns, status.foreign
        self.adopted_execs = {
            **{key: AdoptedExec(0, code) for key, code in status.ended_execs.items()},
            **{key: AdoptedExec(pid, None) for key, pid in status.execs.items()},
        }
        return status

    async def attach(self, attachment: Attachment) -> None:
        """Hand over a client's connection."""
        seq = self._next()
        await self._command(wire.Attach(seq=seq, spec=attach_spec(attachment)), seq, [attachment.connection])

    async def exec(self, plan: ExecPlan, attachments: Sequence[Attachment]) -> int:
        """Start one more process; returns its host pid."""
        seq = self._next()
        memfd = wire.to_memfd("exec", _encode(plan))
        try:
            message = wire.Exec(seq=seq, attachments=[attach_spec(a) for a in attachments])
            done = await self._request(message, seq, [memfd, *(a.connection for a in attachments)])
        finally:
            os.close(memfd)
        assert isinstance(done, wire.Done)
        if done.error:
            raise StartFailed(done.error, done.exit_code)
        return done.pid

    async def kill(self, signal: int, exec_id: str = "") -> None:
        """Signal the container's process, or one of its execs."""
        seq = self._next()
        await self._command(wire.Kill(seq=seq, signal=signal, exec_id=exec_id), seq)

    async def manage(self, command: str, resources: bytes = b"") -> None:
        """Let the container's foreign runtime pause, resume or update it."""
        seq = self._next()
        fds = [wire.to_memfd("resources", resources)] if resources else []
        try:
            await self._command(wire.Manage(seq=seq, command=command), seq, fds)
        finally:
            for fd in fds:
                os.close(fd)

    async def resize(self, rows: int, columns: int, exec_id: str = "") -> None:
        """Set the size of a terminal."""
        seq = self._next()
        await self._command(wire.Resize(seq=seq, rows=rows, columns=columns, exec_id=exec_id), seq)

    async def wait(self) -> ExitRecord:
        """Wait for the end."""
        return await asyncio.shield(self._ended)

    def release(self) -> None:
        """Let go of the supervisor, which goes on without us."""
        if not self._ended.done():
            self._ended.cancel()
        self._channel.close()
