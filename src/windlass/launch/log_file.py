"""Opening a container's log as its plan says."""

from __future__ import annotations

from windlass.launch.log_json import JsonSink
from windlass.launch.log_lines import LineLog, Log, Sink
from windlass.launch.log_local import LocalSink
from windlass.launch.log_rotation import RotatingFile
from windlass.launch.poller import Poller
from windlass.spec.task import LogPlan


def open_log(plan: LogPlan, poller: Poller | None = None) -> Log:
    """Open the log that the plan asks for. With a poller, rotated files are compressed in the background.

    Raises:
        StepFailed: a remote driver cannot start.
    """
    sinks: list[Sink] = []
    log = LineLog(sinks)
    if plan.remote is not None:
        if poller is None:
            raise ValueError("a remote driver needs a poller")
        # Imported by the supervisor that needs it: the others stay small.
        from windlass.launch.log_remote import RemoteSink

        sinks.append(RemoteSink(plan.remote, poller, lambda: log.on_ready()))
    if plan.path:
        file = RotatingFile(plan.path, plan.max_size, plan.max_file, compress=plan.compress, poller=poller)
        json = plan.format == "json"
        sinks.append(JsonSink(file, plan.max_size, plan.attrs) if json else LocalSink(file, plan.max_size))
    return log if sinks else Log()
