"""The command line."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cases import CASES, Case

PEERS = ("windlass", "dockerd", "podman", "windlass-runtime", "runc", "crun")
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Options:
    """What the user wants."""

    cases: tuple[Case, ...]
    peers: tuple[str, ...]
    repeat: int
    listing: bool
    json: str | None
    quiet: bool
    docker: tuple[str, ...]
    windlass: tuple[str, ...]
    dockerd: str
    busybox: Path
    debian: Path | None
    work_directory: Path
    cache: Path


def parse(argv: Sequence[str]) -> Options:
    """Return the options in `argv`, or end with a message and status 2."""
    parser = _parser()
    given = parser.parse_args(argv)
    return Options(
        cases=given.cases,
        peers=given.peers,
        repeat=given.repeat,
        listing=given.list,
        json=given.json,
        quiet=given.quiet,
        docker=given.docker,
        windlass=given.windlass,
        dockerd=given.dockerd,
        busybox=given.busybox,
        debian=given.debian_tar,
        work_directory=given.work_dir,
        cache=given.cache_dir,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measure Windlass beside dockerd and podman by the same docker command line, and its runtime beside"
        " other OCI runtimes.",
    )
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases and the peers, and do nothing")
    add("--cases", type=_cases, default=CASES, metavar="A,B", help="only these (default: all)")
    add("--peers", type=_peers, default=PEERS, metavar="A,B", help=f"only these (default: {','.join(PEERS)})")
    add("--repeat", type=_positive, default=9, metavar="N", help="turns of each peer, a third where they are long (9)")
    add("--json", metavar="FILE", help="also write every sample as JSON; - for standard output instead of the table")
    add("--quiet", action="store_true", help="no line per turn on standard error")
    add("--docker", type=_command, default=("docker",), metavar="COMMAND", help="the client (docker)")
    add(
        "--windlass",
        type=_command,
        default=(str(_ROOT / "windlass"),),
        metavar="COMMAND",
        help="client and daemon of Windlass (the windlass of this checkout)",
    )
    add("--dockerd", default="dockerd", metavar="PROGRAM", help="the dockerd to measure (dockerd)")
    add("--busybox", type=_file, default=_which("busybox"), metavar="FILE", help="a static busybox (busybox)")
    add(
        "--debian-tar",
        type=_file,
        metavar="FILE",
        help="a tar of a Debian root file system (made by debootstrap, once, where not given)",
    )
    add(
        "--work-dir",
        type=Path,
        default=Path("/var/tmp"),
        metavar="DIR",
        help="where the engines keep their data during the run; needs 12 GB (/var/tmp)",
    )
    add("--cache-dir", type=Path, default=_cache(), metavar="DIR", help="where the Debian tar stays")
    return parser  # fmt: skip


def _cases(text: str) -> tuple[Case, ...]:
    wanted = _names(text, [case.name for case in CASES])
    return tuple(case for case in CASES if case.name in wanted)


def _peers(text: str) -> tuple[str, ...]:
    wanted = _names(text, PEERS)
    return tuple(name for name in PEERS if name in wanted)


def _names(text: str, known: Sequence[str]) -> set[str]:
    names = set(text.split(","))
    if unknown := names - set(known):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
    return names


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _command(text: str) -> tuple[str, ...]:
    words = tuple(shlex.split(text))
    if not words:
        raise argparse.ArgumentTypeError("empty")
    return words


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file")
    return path.resolve()


def _which(program: str) -> Path:
    return Path(shutil.which(program) or program)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "windlass" / "bench"
