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
from windlass.launch.daemon_links import DaemonLinks, close_all
from windlass.launch.foreign import ForeignContainer
from windlass.launch.foreign_program import Done
from windlass.launch.init import Failure
from windlass.launch.init_context import StepFailed
from windlass.launch.log_file import open_log
from windlass.launch.log_lines import Log
from windlass.launch.oom_watch import OomWatch
from windlass.launch.poller import READ, Poller
from windlass.launch.record import oom_kills, write_atomically
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
        first = _LAUNCH_FIXED_FDS + request.netns + request.userns
        passed = fds[_LAUNCH_FIXED_FDS:first]
        beyond = first + len(request.attachments)
        clients, holds = fds[first:beyond], fds[beyond:]
        supervisor = Supervisor(task, control, socket.socket(fileno=fds[1]), passed, holds)
        for fd, spec in zip(clients, request.attachments, strict=True):
            supervisor.streams.attach(fd, spec)
    except StepFailed as error:
        wire.send(control, wire.StartError(error=error.message, exit_code=error.exit_code))
        return
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
        self._poller = Poller()
        self._log = open_log(task.log, self._poller)
        self._started_at_ns = 0
        self._init: Process | None = None
        self._execs: dict[str, Process] = {}
        self._ended_execs: dict[str, int] = {}
        self._requested: dict[str, tuple[DaemonLink, int]] = {}
        self._foreign: ForeignContainer | None = None
        self._oom: OomWatch | None = None
        self._finished = False
        self._deadline = 0.0
        self.streams = self._make_streams("", self._log, stdin_once=task.io.stdin_once)
        self._links = DaemonLinks(self._poller, listener, self._handle)
        self._links.add(control)
        self._control = control

    def run(self) -> None:
        """Start the container's process and serve until it has ended and everybody has been told."""
        if _hung_up(self._control):
            # The daemon was killed right after it asked: nobody would be told of this container.
            return
        try:
            self._spawn_first()
        except StepFailed as error:
            self._start_failed(error.message, error.exit_code)
        except OSError as error:
            self._start_failed(f"{error.strerror or error}", 125)
        while not self._done():
            timeout = max(0.0, self._deadline - time.monotonic()) if self._deadline else None
            self._poller.turn(timeout)
            if self._deadline and time.monotonic() >= self._deadline:
                self._deadline_passed()

    def _done(self) -> bool:
        if not self._finished or self.streams.clients or self._links.waiting:
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

    def _spawn_first(self) -> None:
        task = self._task
        if task.foreign is None:
            self._init = Process("", children.spawn_first(task.launch, task.io, self._passed), self.streams)
            self._watch_start(self._init)
            return
        self._foreign = ForeignContainer(task, task.foreign, self._poller, self._passed)
        child = self._foreign.spawn_first(lambda failure: self._settled(process, failure))
        self._init = process = Process("", child, self.streams)

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
            child.reap()
        self._settled(process, failure)

    def _settled(self, process: Process, failure: Failure | None) -> None:
        """A process has become the user's program, or it never will."""
        child = process.child
        if failure is not None:
            for fd in {*child.outputs, child.stdin} - {-1}:
                os.close(fd)
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
        self._links.broadcast(wire.Started(pid=process.child.pid, started_at_ns=self._started_at_ns))
        self._oom = OomWatch(self._poller, self._task.oom_event_path, lambda: self._links.broadcast(wire.Oom()))

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
        self._links.broadcast(wire.StartError(error=message, exit_code=exit_code))
        os._exit(0)

    # --- ending -----------------------------------------------------------------------------------

    def _process_exited(self, process: Process) -> None:
        self._poller.forget(process.child.pidfd)
        process.exit_code = process.child.reap()
        if self._foreign is not None:
            self._foreign.sweep()
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
            self._links.broadcast(wire.ExecExited(exec_id=process.id, exit_code=process.exit_code))
            process.streams.end()
            return
        self._log.close()
        if self._oom is not None:
            # What comes now is in the record.
            self._oom.close()
        record = ExitRecord(
            id=self._task.id,
            exit_code=process.exit_code,
            started_at_ns=self._started_at_ns,
            finished_at_ns=time.time_ns(),
            pid=process.child.pid,
            oom_killed=oom_kills(self._task.oom_event_path) > 0,
        )
        if self._foreign is not None:
            # The next run has the same name there.
            self._foreign.delete(lambda error: self._ended(process, record))
        else:
            self._ended(process, record)

    def _ended(self, process: Process, record: ExitRecord) -> None:
        """Write down the end and tell it."""
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
        self._links.broadcast(wire.Exited(record=record))
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

    def _handle(self, link: DaemonLink, request: wire.ToSupervisor, fds: list[int]) -> None:
        match request:
            case wire.Query():
                self._links.send(link, self._status(request.seq))
            case wire.Attach():
                self._attach(request, fds)
                self._links.send(link, wire.Done(seq=request.seq))
            case wire.Exec():
                self._exec(link, request, fds)
            case wire.Kill():
                self._kill(link, request)
            case wire.Manage():
                self._manage(link, request, fds)
            case wire.Resize():
                self._find(request.exec_id).child.resize(request.rows, request.columns)
                self._links.send(link, wire.Done(seq=request.seq))

    def _status(self, seq: int) -> wire.Status:
        execs = {key: process.child.pid for key, process in self._execs.items() if process.exit_code is None}
        pid = self._init.child.pid if self._init is not None and self._init.started else 0
        return wire.Status(
            seq=seq,
            pid=pid,
            started_at_ns=self._started_at_ns,
            foreign=self._foreign is not None,
            execs=execs,
            ended_execs=self._ended_execs,
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
            close_all(fds)
            raise
        process.streams.attach(fds[0], request.spec)

    def _kill(self, link: DaemonLink, request: wire.Kill) -> None:
        """Send a signal; a process that has just ended is no error, as everybody who signals may come too late."""
        process = self._execs.get(request.exec_id) if request.exec_id else self._init
        if process is not None and process.exit_code is not None:
            self._links.send(link, wire.Done(seq=request.seq))
            return
        child = self._find(request.exec_id).child
        done: Done = lambda error: self._links.send(link, wire.Done(seq=request.seq, error=error))  # noqa: E731
        if self._foreign is not None and not request.exec_id:
            self._foreign.kill(child, request.signal, done)
            return
        child.kill(request.signal)
        done("")

    def _manage(self, link: DaemonLink, request: wire.Manage, fds: list[int]) -> None:
        try:
            self._find("")
            if self._foreign is None:
                raise ValueError("the container is no other runtime's")
            self._foreign.manage(
                request.command, fds, lambda error: self._links.send(link, wire.Done(seq=request.seq, error=error))
            )
        finally:
            close_all(fds)

    def _exec(self, link: DaemonLink, request: wire.Exec, fds: list[int]) -> None:
        memfd, *clients = fds
        try:
            plan = _exec_decoder.decode(wire.from_memfd(memfd))
            target = self._find("").child.pidfd
            if self._foreign is not None:
                child = self._foreign.spawn(plan, lambda failure: self._settled(process, failure))
            else:
                child = children.spawn(plan.launch, plan.io, [], target)
        except BaseException:
            close_all(clients)
            raise
        streams = self._make_streams(plan.id, Log(), stdin_once=True)
        process = Process(plan.id, child, streams)
        self._execs[plan.id] = process
        self._requested[plan.id] = (link, request.seq)
        for fd, spec in zip(clients, request.attachments, strict=True):
            streams.attach(fd, spec)
        if self._foreign is None:
            self._watch_start(process)

    def _answer(self, exec_id: str, *, pid: int = 0, error: str = "", exit_code: int = 0) -> None:
        link, seq = self._requested.pop(exec_id)
        self._links.send(link, wire.Done(seq=seq, pid=pid, error=error, exit_code=exit_code))

    # --- streams ----------------------------------------------------------------------------------

    def _make_streams(self, identity: str, log: Log, *, stdin_once: bool) -> Streams:
        detach: Callable[[], None] = lambda: self._links.broadcast(wire.Detached(exec_id=identity))  # noqa: E731
        return Streams(
            self._poller,
            log,
            stdin_once=stdin_once,
            on_drained=lambda: self._drained(identity),
            on_detach=detach,
            on_quiet=lambda: self._quiet(identity),
        )


def _hung_up(sock: socket.socket) -> bool:
    """Tell whether the other end is closed."""
    poll = select.poll()
    poll.register(sock, select.POLLHUP)
    return any(events & select.POLLHUP for _fd, events in poll.poll(0))
