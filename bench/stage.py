"""The peers of a run, started one by one and ended together, whatever happens in between."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.contestant import Contestant
from bench.materials import Materials
from bench.measure import Progress
from bench.options import Options
from bench.peers import Dockerd, OciRuntime, OwnClient, Peer, PeerError, Podman, Windlass
from bench.process import CommandError
from bench.report import Conditions


@contextmanager
def staged(
    options: Options, conditions: Conditions, progress: Progress
) -> Iterator[tuple[Materials, list[Contestant]]]:
    """Start the peers with busybox in them; at the end leave no process, mount, link, group or file.

    A peer that is missing or does not start is named in `conditions` and left out.

    Raises:
        CellError: at the end, when something could not be removed.
    """
    with ExitStack() as stack:
        try:
            directory = Path(tempfile.mkdtemp(prefix="wlbench-", dir=options.work_directory))
            stack.callback(shutil.rmtree, directory)
            materials = Materials(directory, options.cache, options.busybox, options.debian)
            contestants: list[Contestant] = []
            for peer in _peers(options, directory):
                reason = _started(peer, materials, conditions, stack)
                if reason is None:
                    contestants += _columns(peer)
                else:
                    conditions.left_out[peer.name] = reason
                    progress(f"without {peer.name}: {reason}")
            yield materials, contestants
        finally:
            # From here on a second Ctrl-C would leave things behind.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)


def _peers(options: Options, directory: Path) -> Iterator[Peer]:
    for name in options.peers:
        match name:
            case "windlass":
                yield Windlass(directory / name, options.docker, options.windlass)
            case "dockerd":
                yield Dockerd(directory / name, options.docker, options.dockerd)
            case "podman":
                yield Podman(directory / name)
            case "windlass-runtime":
                yield OciRuntime(name, directory / name, [*options.windlass, "runtime"])
            case "runc" | "crun":
                yield OciRuntime(name, directory / name, [name])


def _columns(peer: Peer) -> list[Contestant]:
    return [peer, OwnClient(peer)] if isinstance(peer, Windlass) else [peer]


def _started(peer: Peer, materials: Materials, conditions: Conditions, stack: ExitStack) -> str | None:
    """Start a peer and register its end; return why that failed, or None."""
    if (reason := peer.missing()) is not None:
        return reason
    stack.callback(peer.close)
    try:
        peer.start()
        peer.furnish(materials)
        conditions.versions[peer.name] = peer.version()
    except (PeerError, CommandError) as error:
        return str(error)
    return None
