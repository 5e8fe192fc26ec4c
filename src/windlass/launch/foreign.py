"""A container that another OCI runtime makes: the same supervisor, with the runtime's commands in place of a plan.

create and start make the container's process, exec more of them; all become the supervisor's children when the
runtime's program has ended (PR_SET_CHILD_SUBREAPER), so their ends are known as those of any other child. Signals go
through the runtime: not every runtime's process can be signalled from outside (gVisor, virtual machines).

Source: runtime-spec runtime.md, "Operations"; the command line that runc defined and others share.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from windlass.launch.child import Child, StdioPipes
from windlass.launch.foreign_bundle import Bundle, Console
from windlass.launch.foreign_program import Done, Program
from windlass.launch.init import Failure
from windlass.launch.poller import READ, Poller
from windlass.linux.process import become_subreaper
from windlass.linux.terminal import set_window_size
from windlass.spec.task import ExecPlan, ForeignPlan, IoPlan, TaskPlan

# Called when a process runs (None), or cannot.
Settled = Callable[[Failure | None], None]

_NOT_FOUND = ("executable file not found", "no such file or directory")
_NOT_EXECUTABLE = ("permission denied", "is a directory", "exec format error")


class ForeignContainer:
    """One container by its runtime."""

    def __init__(self, task: TaskPlan, plan: ForeignPlan, poller: Poller, passed: list[int]) -> None:
        self._task = task
        self._passed = passed
        self._children: list[Child] = []
        self._serial = 0
        become_subreaper()
        self._watch_orphans(poller)
        self._bundle = Bundle(task.id, plan)
        self._program = Program(poller, plan.runtime, plan.bundle)

    # --- the first process ----------------------------------------------------------------------------

    def spawn_first(self, settled: Settled) -> Child:
        """Create and start the container; the child has a pid once `settled` is called.

        Raises:
            OSError, StepFailed: it cannot be begun; nothing is left behind.
        """
        try:
            self._bundle.mount()
            self._bundle.write_config(f"/proc/{os.getpid()}/fd/{self._passed[0]}" if self._passed else "")
            words = ["create", "--bundle", self._bundle.path]
            return self._spawn(words, [self._task.id], self._task.io, self._start_of(settled))
        except BaseException:
            self._clean_up()
            raise

    def _start_of(self, settled: Settled) -> Settled:
        """Return what goes on after the creation."""

        def created(failure: Failure | None) -> None:
            if failure is not None:
                self.delete(lambda _error: settled(failure))
                return
            self._program.run(["start", self._task.id], lambda error: started(_failure(error)))

        def started(failure: Failure | None) -> None:
            if failure is not None:
                self.delete(lambda _error: settled(failure))
            else:
                settled(None)

        return created

    # --- more processes -------------------------------------------------------------------------------

    def spawn(self, plan: ExecPlan, settled: Settled) -> Child:
        """Start one more process; the child has a pid once `settled` is called.

        Raises:
            OSError, StepFailed: it cannot be begun.
        """
        assert plan.foreign is not None
        self._serial += 1
        path = self._bundle.write_process(f"process-{self._serial}", plan.foreign.process, plan.foreign.user)

        def ended(failure: Failure | None) -> None:
            os.unlink(path)
            settled(failure)

        try:
            return self._spawn(["exec", "--detach", "--process", path], [self._task.id], plan.io, ended)
        except BaseException:
            os.unlink(path)
            raise

    def _spawn(self, words: list[str], last: list[str], io: IoPlan, settled: Settled) -> Child:
        """Run a command that leaves a process behind, with its streams and its pid file."""
        opened: list[int] = []

        def keep(*fds: int) -> tuple[int, ...]:
            opened.extend(fds)
            return fds

        self._serial += 1
        pid_file = f"pid-{self._serial}"
        words = [*words, "--pid-file", f"{self._bundle.path}/{pid_file}"]
        console = self._bundle.console() if io.tty else None
        try:
            pipes = StdioPipes(io, keep)
            child = Child(0, -1, -1, pipes.outputs(), pipes.stdin_write, io.tty)
            ends = pipes.child_ends()

            def ended(error: str) -> None:
                for fd in ends:
                    os.close(fd)
                failure = _failure(error)
                if failure is None:
                    failure = self._take(child, pid_file, console, io)
                if console is not None:
                    console.close()
                settled(failure)
                self.sweep()

            if console is not None:
                self._program.run([*words, "--console-socket", console.path, *last], ended)
            else:
                complaints = next(fd for fd, stream in child.outputs.items() if stream == "stderr")
                self._program.run([*words, *last], ended, (ends[0], ends[1], ends[2]), complaints)
        except BaseException:
            for fd in opened:
                os.close(fd)
            if console is not None:
                console.close()
            raise
        return child

    def _take(self, child: Child, pid_file: str, console: Console | None, io: IoPlan) -> Failure | None:
        """Make the process that a command has left behind our child in every respect."""
        try:
            if console is not None:
                master = console.take()
                child.outputs, child.stdin = {master: "stdout"}, master
                if io.rows or io.columns:
                    set_window_size(master, io.rows, io.columns)
            child.pid = self._bundle.read_pid(pid_file)
            child.pidfd = os.pidfd_open(child.pid)
        except (OSError, ValueError) as error:
            return Failure(f"the runtime did not hand over its process: {error}")
        self._children.append(child)
        return None

    # --- commands -------------------------------------------------------------------------------------

    def kill(self, child: Child, number: int, done: Done) -> None:
        """Signal the container's first process."""

        def ended(error: str) -> None:
            if error and number == signal.SIGKILL and child.pidfd >= 0:
                child.kill(number)
                error = ""
            done(error if child.pidfd >= 0 else "")

        self._program.run(["kill", self._task.id, str(number)], ended)

    def manage(self, command: str, fds: list[int], done: Done) -> None:
        """Pause, resume or update the container; the descriptor of an update holds its resources as JSON.

        Raises:
            ValueError: no such command.
        """
        if command == "update" and fds:
            self._program.run(["update", "--resources", "-", self._task.id], done, stdin=fds[0])
        elif command in ("pause", "resume"):
            self._program.run([command, self._task.id], done)
        else:
            raise ValueError(f"unknown command {command}")

    def delete(self, done: Done) -> None:
        """Remove what the runtime and we made of the container; whatever it says, we are done then."""

        def ended(error: str) -> None:
            self._clean_up()
            done(error)

        self._program.run(["delete", "--force", self._task.id], ended)

    def _clean_up(self) -> None:
        self._bundle.unmount()
        self._bundle.remove()

    # --- orphans --------------------------------------------------------------------------------------

    def _watch_orphans(self, poller: Poller) -> None:
        """Be told of every child's end. A subreaper inherits the orphans of a container without a pid namespace."""
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

        def told(_events: int) -> None:
            os.read(read, 4096)
            self.sweep()

        poller.watch(read, READ, told)

    def sweep(self) -> None:
        """Reap children that nobody waits for.

        Not while a command runs: what it leaves behind may be ours before its pid is known.
        """
        if self._program.running:
            return
        waited_for = {child.pid for child in self._children if child.pidfd >= 0}
        self._children = [child for child in self._children if child.pidfd >= 0]
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None or found.si_pid in waited_for:
                return
            os.waitid(os.P_PID, found.si_pid, os.WEXITED | os.WNOHANG)


def _failure(error: str) -> Failure | None:
    """Return a command's failure with the exit code that Docker's clients expect of its words."""
    if not error:
        return None
    lowered = error.lower()
    if any(words in lowered for words in _NOT_FOUND):
        return Failure(error, 127)
    return Failure(error, 126 if any(words in lowered for words in _NOT_EXECUTABLE) else 125)
