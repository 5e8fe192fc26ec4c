"""All cases in the order in which they run, with what the project wants to reach in each."""

from __future__ import annotations

from bench.cases.calls import ExecCall, StartCall
from bench.cases.case import Case
from bench.cases.containers import Command, Exec, Many
from bench.cases.files import Commit, CopyIn, CopyOut, Export
from bench.cases.images import Import, Load, Save
from bench.cases.logs import LogLines
from bench.cases.residence import Idle, PerContainer
from bench.cases.streams import Lines, Zeros
from bench.materials import BUSYBOX
from bench.result import Metric
from bench.target import Target, Unit

_MANY = 20
_IDLE = 10


def _of_dockerd(factor: float) -> Target:
    return Target("dockerd", factor)


_RUN = ("run", "--rm")
_LIMITS = ("-p", "80", "-m", "64m", "--cpus", "0.5")

# Memory comes first, before the other cases have left anything in an allocator, and once more at the end.
CASES: tuple[Case, ...] = (
    Idle("memory-idle", Metric("memory-idle", "engine, idle", Unit.MEGABYTES, Target(margin=70))),
    PerContainer(
        _IDLE,
        Metric("memory-container", "engine, per idle container", Unit.MEGABYTES, Target(margin=2.5)),
        Metric("memory-container.own", "the container's own process", Unit.MEGABYTES),
    ),
    Command(Metric("version", "version"), "version"),
    Command(Metric("run", "run --rm", target=_of_dockerd(1 / 4)), *_RUN, BUSYBOX, "true"),
    Command(
        Metric("run-none", "run --rm --network none", target=_of_dockerd(1 / 5)),
        *_RUN, "--network", "none", BUSYBOX, "true",
    ),
    Command(Metric("run-limits", f"run --rm {' '.join(_LIMITS)}"), *_RUN, *_LIMITS, BUSYBOX, "true"),
    Exec("exec", Metric("exec", "exec", target=_of_dockerd(1 / 2))),
    StartCall(Metric("start-call", "POST start, create to exec", target=Target(margin=0.015))),
    ExecCall(Metric("exec-call", "POST exec start, request to exec", target=Target(margin=0.010))),
    Many(
        _MANY,
        Metric("many", f"{_MANY} x run -d, then rm -f", target=_of_dockerd(1 / 4)),
        Metric("many.run", f"  {_MANY} x run -d"),
        Metric("many.rm", f"  rm -f of {_MANY}"),
    ),
    Import("import", Metric("import", "import of a Debian tar", target=_of_dockerd(1 / 3))),
    Save("save", Metric("save", "save of it")),
    Load("load", Metric("load", "load of it")),
    CopyIn("cp-in", Metric("cp-in", "cp of 100 MB into a container", target=_of_dockerd(1 / 2))),
    CopyOut("cp-out", Metric("cp-out", "cp of 100 MB out of it", target=_of_dockerd(1 / 2))),
    Commit("commit", Metric("commit", "commit of 150 MB", target=_of_dockerd(1 / 3))),
    Export("export", Metric("export", "export of a Debian root", target=_of_dockerd(1 / 2))),
    Lines(Metric("stdout", "500 MB of lines of 65 bytes", target=_of_dockerd(1 / 2))),
    Lines(Metric("stdout-nolog", "  same, --log-driver none", target=_of_dockerd(1 / 2)), "--log-driver", "none"),
    Zeros("stdout-zero", Metric("stdout-zero", "500 MB of /dev/zero")),
    LogLines(
        Metric("log-lines", "1,000,000 log lines until wait", target=_of_dockerd(1 / 2)),
        Metric("log-lines.read", "  logs of them", target=_of_dockerd(1 / 3)),
    ),
    Command(
        Metric("client", "run --rm by its own client", target=Target("windlass", margin=0.030)),
        *_RUN, BUSYBOX, "true",
        contestants=("windlass CLI", "windlass"),
    ),
    Command(
        Metric("client-version", "version by its own client"),
        "version",
        contestants=("windlass CLI", "windlass"),
    ),
    Command(
        Metric("oci-run", "run of a busybox bundle", target=Target("runc", 1.5)),
        "run",
        contestants=("windlass-runtime", "runc", "crun"),
    ),
    Idle("memory-after", Metric("memory-after", "engine, idle after all of this", Unit.MEGABYTES)),
)  # fmt: skip
