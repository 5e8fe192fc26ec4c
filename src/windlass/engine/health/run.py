"""One probe: an exec whose output comes to us, bounded in time and size."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

from windlass.base.clock import now_ns
from windlass.base.errors import WindlassError
from windlass.base.logging import event
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.execs.create import create_exec
from windlass.engine.execs.start import start_exec
from windlass.engine.execs.table import Exec, ExecConfig
from windlass.engine.health.model import HealthResult
from windlass.engine.health.probe import Probe
from windlass.engine.times import go_duration
from windlass.runtime.task import Attachment

# Source: Engine API, HealthcheckResult.Output.
_OUTPUT_LIMIT_BYTES = 4096
_CHUNK_BYTES = 65536
# A process in an uninterruptible sleep does not die of SIGKILL; the next probe does not wait for it without end.
_KILLED_WITHIN_S = 10.0
_NS = 1_000_000_000
_log = logging.getLogger(__name__)


async def run_probe(engine: Engine, container: Container, probe: Probe) -> HealthResult:
    """Run a probe in a running container; one that takes too long is killed. Failures are results, too."""
    started = now_ns()
    config = container.intent.config
    wanted = ExecConfig(
        attach_stdout=True,
        attach_stderr=True,
        cmd=list(probe.argv),
        user=config.user,
        working_dir=config.working_dir,
    )
    try:
        exec_ = engine.execs.get(create_exec(engine, container.id, wanted))
        try:
            exit_code, output = await _run(engine, exec_, probe.timeout_ns)
        finally:
            engine.execs.remove(exec_)
    except WindlassError as error:
        exit_code, output = -1, error.message
    return HealthResult(started, now_ns(), exit_code, output)


async def _run(engine: Engine, exec_: Exec, timeout_ns: int) -> tuple[int, str]:
    ours, theirs = socket.socketpair()
    output = Output()
    with ours, theirs:
        ours.setblocking(False)
        try:
            async with asyncio.timeout(timeout_ns / _NS):
                await start_exec(engine, exec_, (Attachment(theirs.fileno(), framed=False),))
                theirs.close()
                await _read(ours, output)
                await exec_.over.wait()
        except TimeoutError:
            await _kill(exec_)
            text = f"Health check exceeded timeout ({go_duration(timeout_ns)})"
            return -1, f"{text}: {output.text}" if output.text else text
    return exec_.exit_code or 0, output.text


class Output:
    """The beginning of what a probe wrote."""

    def __init__(self) -> None:
        self._kept = b""
        self._cut = False

    def add(self, data: bytes) -> None:
        """Keep what there is room for."""
        room = _OUTPUT_LIMIT_BYTES - len(self._kept)
        self._kept += data[:room]
        self._cut |= len(data) > room

    @property
    def text(self) -> str:
        """It as text, with dots when there was more."""
        return self._kept.decode(errors="replace") + ("..." if self._cut else "")


async def _read(sock: socket.socket, output: Output) -> None:
    """Read to the end: who stops reading stops the writer."""
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(sock, _CHUNK_BYTES):
        output.add(data)


async def _kill(exec_: Exec) -> None:
    task = exec_.container.task
    if task is None or exec_.exit_code is not None:
        return
    try:
        async with asyncio.timeout(_KILLED_WITHIN_S):
            await task.kill(int(signal.SIGKILL), exec_.id)
            await exec_.over.wait()
    except (TimeoutError, WindlassError) as error:
        event(_log, logging.WARNING, "probe was not killed", container=exec_.container.id, error=error)
