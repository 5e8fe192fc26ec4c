"""`bench/run`: start the peers, take the cases in turn, print the table, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.cases import CASES
from bench.cell import HIDDEN, CellError, missing_tools
from bench.measure import Measurement
from bench.options import PEERS, Options, parse
from bench.report import Conditions, as_json
from bench.result import Result
from bench.stage import staged
from bench.table import failures, table

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 0, 1 when it could not be done or not be cleaned up, or 130 when interrupted.

    A target that is missed, or a case in which a peer fails, is a result and not an error.
    """
    options = parse(sys.argv[1:] if argv is None else argv)
    if options.listing:
        print(_listing())
        return 0
    if (reason := _blocker(options)) is not None:
        _say(reason)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    results: list[Result] = []
    conditions = Conditions(client=_client(options))
    try:
        _measure(options, results, conditions)
        status = 0 if conditions.versions else 1
    except KeyboardInterrupt:
        _say("interrupted")
        status = INTERRUPTED
    except CellError as error:
        _say(str(error))
        status = 1
    _print(options, results, conditions)
    return status


def _measure(options: Options, results: list[Result], conditions: Conditions) -> None:
    """Fill `results` and `conditions`, as far as it comes."""

    def progress(line: str) -> None:
        if not options.quiet:
            _say(line)

    with staged(options, conditions, progress) as (materials, contestants):
        for case in options.cases:
            measurement = Measurement(case, contestants, materials)
            results.append(measurement.result)
            measurement.run(options.repeat, progress)


def _blocker(options: Options) -> str | None:
    """Return why nothing can be measured here, or None."""
    if os.geteuid() != 0:
        return "needs root: it starts container engines"
    if absent := missing_tools():
        return f"{', '.join(absent)} not found (Debian: apt-get install util-linux iproute2)"
    if shutil.which(options.docker[0]) is None:
        return f"{options.docker[0]} not found: Windlass and dockerd are driven by the docker command line"
    if not options.busybox.is_file():
        return "busybox not found (Debian: apt-get install busybox-static), or pass --busybox FILE"
    place = options.work_directory.resolve()
    if not place.is_dir():
        return f"{place}: no such directory"
    if any(place.is_relative_to(hidden) for hidden in map(Path, HIDDEN)):
        return f"--work-dir {place}: {', '.join(HIDDEN)} are not the host's where the engines run"
    return None


def _client(options: Options) -> str:
    """Return the version of the docker command line."""
    done = subprocess.run([*options.docker, "--version"], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip()


def _listing() -> str:
    cases = "\n".join(f"{case.name:18}{case.metrics[0].title.strip()}" for case in CASES)
    return f"cases:\n{cases}\npeers: {', '.join(PEERS)}"


def _print(options: Options, results: Sequence[Result], conditions: Conditions) -> None:
    document = as_json(results, conditions) if options.json else ""
    if options.json == "-":
        print(document)
        return
    if options.json:
        Path(options.json).write_text(document + "\n", encoding="utf-8")
    print(f"{conditions.started_at}  {conditions.host}")
    print(f"client: {conditions.client}; medians; engines: {', '.join(conditions.versions.values()) or 'none'}")
    for name, reason in conditions.left_out.items():
        print(f"without {name}: {reason}")
    print(f"\n{table(results)}")
    if dropped := failures(results):
        print("\nfailed:\n" + "\n".join(dropped))


def _say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr)
