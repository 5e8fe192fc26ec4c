"""The supervisor: one process per container, its parent for life.

It owns the streams, the log, the exit record and the exec'd processes, and answers any daemon that connects. It needs
no daemon: when none listens, the log goes on, the end is recorded, and the next daemon finds both.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

import msgspec

from windlass.launch import child as children
from windlass.launch import wire
from windlass.launch.child import Child
from windlass.launch.daemon_link import DaemonLink
from windlass.launch.log_file import Log, open_log
from windlass.launch.poller import READ, Poller
from windlass.launch.record import oom_killed, write_atomically
from windlass.launch.streams import Streams
from windlass.linux.process import set_name
from windlass.spec.task import ExecPlan, ExitRecord, TaskPlan

_task_decoder = msgspec.json.Decoder(TaskPlan)
_exec_decoder = msgspec.json.Decoder(ExecPlan)
_encode = msgspec.json.Encoder().encode

# After the process's end somebody else may hold its pipes open; its output is waited for this long.
_DRAIN_S = 1.0
# How long clients get to take the last output once everything else is done.
_LINGER_S = 30.0
_LAUNCH_FIXED_FDS = 3
_ENDED_EXECS_KEPT = 32


def main(request: wire.Launch, fds: list[int]) -> None:
    """Run in the process that the zygote forked; returns when the container has ended."""
    control = socket.socket(fileno=fds[0])
    try:
        os.setsid()
        set_name("windlass-super")
        # A stray signal to a group must not end it; init resets these.
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        task = _task_decoder.decode(wire.from_memfd(fds[2]))
        netns = 1 if request.netns else 0
        first = _LAUNCH_FIXED_FDS + netns
        passed = fds[_LAUNCH_FIXED_FDS:first]
        beyond = first + len(request.attachments)
        clients, holds = fds[first:beyond], fds[beyond:]
        supervisor = Supervisor(task, control, socket.socket(fileno=fds[1]), passed, holds)
        for fd, spec in zip(clients, request.attachments, strict=True):
            supervisor.streams.attach(fd, spec)
    except Exception as error:
        wire.send(control, wire.StartError(error=f"{type(error).__name__}: {error}", exit_code=125))
        raise
    supervisor.run()


class Process:
    """A child with its streams, from starting to gone."""

    def __init__(self, identity: str, child: Child, streams: Streams) -> None:
        self.id = identity
        self.child = child
        self.streams = streams
        self.started = False
        self.exit_code: int | None = None


class Supervisor:
    """The loop and what it supervises. `holds` are reserved ports: to keep them open is all."""

    def __init__(
        self, task: TaskPlan, control: socket.socket, listener: socket.socket, passed: list[int], holds: list[int]
    ) -> None:
        self._task = task
        self._passed = passed
        self._holds = holds
        self._listener = listener
        self._poller = Poller()
        self._links: list[DaemonLink] = []
        self._log = open_log(task.log)
        self._started_at_ns = 0
        self._init: Process | None = None
        self._execs: dict[str, Process] = {}
        self._ended_execs: dict[str, int] = {}
        self._requested: dict[str, tuple[DaemonLink, int]] = {}
        self._finished = False
        self._deadline = 0.0
        self.streams = self._make_streams("", self._log, stdin_once=task.io.stdin_once)
        self._connect(control)
        self._control = control
        listener.setblocking(False)
        self._poller.watch(listener.fileno(), READ, lambda _events: self._accept())

    def run(self) -> None:
        """Start the container's process and serve until it has ended and everybody has been told."""
        if _hung_up(self._control):
            # The daemon was killed right after it asked: nobody would be told of this container.
            return
        try:
            child = children.spawn_first(self._task.launch, self._task.io, self._passed)
        except OSError as error:
            self._start_failed(f"{error.strerror or error}", 125)
            return
        self._init = Process("", child, self.streams)
        self._watch_start(self._init)
        while not self._done():
            timeout = max(0.0, self._deadline - time.monotonic()) if self._deadline else None
            self._poller.turn(timeout)
            if self._deadline and time.monotonic() >= self._deadline:
                self._deadline_passed()

    def _done(self) -> bool:
        if not self._finished or self.streams.clients or any(link.waiting for link in self._links):
            return False
        return not any(process.streams.clients for process in self._execs.values())

    def _deadline_passed(self) -> None:
        self._deadline = 0.0
        if not self._finished:
            if self._init is not None and not self.streams.drained:
                self.streams.abandon_outputs()
        else:
            os._exit(0)

    # --- starting ---------------------------------------------------------------------------------

    def _watch_start(self, process: Process) -> None:
        self._poller.watch(process.child.error_fd, READ, lambda _events: self._start_progress(process))

    def _start_progress(self, process: Process) -> None:
        child = process.child
        error_fd = child.error_fd
        if not child.read_error():
            return
        self._poller.forget(error_fd)
        if child.terminal_socket >= 0:
            child.take_terminal()
        failure = child.failure()
        if failure is not None:
            for fd in {*child.outputs, child.stdin} - {-1}:
                os.close(fd)
            child.reap()
            self._process_failed(process, failure.message, failure.exit_code)
            return
        process.started = True
        process.streams.open(child.outputs, child.stdin, tty=child.tty)
        self._poller.watch(child.pidfd, READ, lambda _events: self._process_exited(process))
        self._process_started(process)

    def _process_started(self, process: Process) -> None:
        if process.id:
            self._answer(process.id, pid=process.child.pid)
            return
        self._started_at_ns = time.time_ns()
        write_atomically(self._task.pid_path, f"{process.child.pid} {os.getpid()}\n".encode())
        self._broadcast(wire.Started(pid=process.child.pid, started_at_ns=self._started_at_ns))

    def _process_failed(self, process: Process, message: str, exit_code: int) -> None:
        if not process.id:
            self._start_failed(message, exit_code)
            return
        self._answer(process.id, error=message, exit_code=exit_code)
        del self._execs[process.id]
        # The daemon has a copy of the connection and tells the client why.
        for client in process.streams.take_clients():
            client.close()

    def _start_failed(self, message: str, exit_code: int) -> None:
        self._log.close()
        self._broadcast(wire.StartError(error=message, exit_code=exit_code))
        os._exit(0)

    # --- ending -----------------------------------------------------------------------------------

    def _process_exited(self, process: Process) -> None:
        self._poller.forget(process.child.pidfd)
        process.exit_code = process.child.reap()
        if process.streams.drained:
            self._process_finished(process)
        elif process.id:
            # An exec's pipes may live on in its children, which the container owns; docker does not wait either.
            process.streams.abandon_outputs()
        else:
            self._deadline = time.monotonic() + _DRAIN_S

    def _drained(self, identity: str) -> None:
        process = self._execs.get(identity) if identity else self._init
        if process is not None and process.exit_code is not None:
            self._process_finished(process)

    def _process_finished(self, process: Process) -> None:
        assert process.exit_code is not None
        if process.id:
            self._remember(process.id, process.exit_code)
            self._broadcast(wire.ExecExited(exec_id=process.id, exit_code=process.exit_code))
            process.streams.end()
            return
        self._log.close()
        record = ExitRecord(
            id=self._task.id,
            exit_code=process.exit_code,
            started_at_ns=self._started_at_ns,
            finished_at_ns=time.time_ns(),
            pid=process.child.pid,
            oom_killed=oom_killed(self._task.oom_event_path),
        )
        try:
            write_atomically(self._task.record_path, _encode(record))
        except OSError as error:
            # A daemon that listens still hears of the end; only one that comes later will not.
            sys.stderr.write(f'level=error msg="exit record lost" container={self._task.id} error="{error}"\n')
            sys.stderr.flush()
        self._finished = True
        self._deadline = time.monotonic() + _LINGER_S
        # Free before anybody is told: the next start may want the same ports, and a slow client may keep us for long.
        for fd in self._holds:
            os.close(fd)
        # Told before the clients' connections end: who sees the end of a stream may ask for the exit code.
        self._broadcast(wire.Exited(record=record))
        process.streams.end()

    def _remember(self, exec_id: str, exit_code: int) -> None:
        """Keep how an exec ended for a daemon that comes later; the oldest make room."""
        self._ended_execs[exec_id] = exit_code
        if len(self._ended_execs) > _ENDED_EXECS_KEPT:
            del self._ended_execs[next(iter(self._ended_execs))]

    def _quiet(self, identity: str) -> None:
        if identity and identity in self._execs and self._execs[identity].exit_code is not None:
            del self._execs[identity]

    # --- daemons ----------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self._connect(connection)

    def _connect(self, connection: socket.socket) -> None:
        self._links.append(DaemonLink(self._poller, connection, self._serve))

    def _disconnect(self, link: DaemonLink) -> None:
        if link in self._links:
            self._links.remove(link)
            link.close()

    def _serve(self, link: DaemonLink) -> None:
        try:
            data, fds = wire.receive(link.socket)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._disconnect(link)
            return
        try:
            request = wire.supervisor_decoder.decode(data)
        except msgspec.DecodeError:
            # A newer daemon's message: refusing is better than dying with the container.
            _close_all(fds)
            return
        try:
            self._handle(link, request, fds)
        except (OSError, ValueError) as error:
            self._send(link, wire.Done(seq=request.seq, error=str(error), exit_code=125))

    def _handle(self, link: DaemonLink, request: wire.ToSupervisor, fds: list[int]) -> None:
        match request:
            case wire.Query():
                self._send(link, self._status(request.seq))
            case wire.Attach():
                self._attach(request, fds)
                self._send(link, wire.Done(seq=request.seq))
            case wire.Exec():
                self._exec(link, request, fds)
            case wire.Kill():
                self._find(request.exec_id).child.kill(request.signal)
                self._send(link, wire.Done(seq=request.seq))
            case wire.Resize():
                self._find(request.exec_id).child.resize(request.rows, request.columns)
                self._send(link, wire.Done(seq=request.seq))

    def _status(self, seq: int) -> wire.Status:
        execs = {key: process.child.pid for key, process in self._execs.items() if process.exit_code is None}
        pid = self._init.child.pid if self._init is not None and self._init.started else 0
        return wire.Status(
            seq=seq, pid=pid, started_at_ns=self._started_at_ns, execs=execs, ended_execs=self._ended_execs
        )

    def _find(self, exec_id: str) -> Process:
        process = self._execs.get(exec_id) if exec_id else self._init
        if process is None or process.exit_code is not None:
            raise ValueError("process already finished")
        return process

    def _attach(self, request: wire.Attach, fds: list[int]) -> None:
        try:
            process = self._find(request.exec_id)
        except ValueError:
            _close_all(fds)
            raise
        process.streams.attach(fds[0], request.spec)

    def _exec(self, link: DaemonLink, request: wire.Exec, fds: list[int]) -> None:
        memfd, *clients = fds
        try:
            plan = _exec_decoder.decode(wire.from_memfd(memfd))
            target = self._find("").child.pidfd
            child = children.spawn(plan.launch, plan.io, [], target)
        except BaseException:
            _close_all(clients)
            raise
        streams = self._make_streams(plan.id, Log(), stdin_once=True)
        process = Process(plan.id, child, streams)
        self._execs[plan.id] = process
        self._requested[plan.id] = (link, request.seq)
        for fd, spec in zip(clients, request.attachments, strict=True):
            streams.attach(fd, spec)
        self._watch_start(process)

    def _answer(self, exec_id: str, *, pid: int = 0, error: str = "", exit_code: int = 0) -> None:
        link, seq = self._requested.pop(exec_id)
        self._send(link, wire.Done(seq=seq, pid=pid, error=error, exit_code=exit_code))

    def _send(self, link: DaemonLink, message: wire.Message) -> None:
        try:
            link.send(message)
        except OSError:
            self._disconnect(link)

    def _broadcast(self, message: wire.Message) -> None:
        for link in tuple(self._links):
            self._send(link, message)

    # --- streams ----------------------------------------------------------------------------------

    def _make_streams(self, identity: str, log: Log, *, stdin_once: bool) -> Streams:
        detach: Callable[[], None] = lambda: self._broadcast(wire.Detached(exec_id=identity))  # noqa: E731
        return Streams(
            self._poller,
            log,
            stdin_once=stdin_once,
            on_drained=lambda: self._drained(identity),
            on_detach=detach,
            on_quiet=lambda: self._quiet(identity),
        )


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def _hung_up(sock: socket.socket) -> bool:
    """Tell whether the other end is closed."""
    poll = select.poll()
    poll.register(sock, select.POLLHUP)
    return any(events & select.POLLHUP for _fd, events in poll.poll(0))
