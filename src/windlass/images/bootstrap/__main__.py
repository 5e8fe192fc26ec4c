"""The program: one recipe, one layer."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from types import FrameType

from windlass.base.clock import rfc3339_nano
from windlass.images.bootstrap import RECIPES
from windlass.images.bootstrap.busybox import build_busybox
from windlass.images.bootstrap.debian import build_debian
from windlass.images.bootstrap.layer import LayerWriter
from windlass.images.bootstrap.recipe import Outcome, RecipeError

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> int:
    """Make the layer; 0, or 1 after one line on standard error that says what is missing and what to do."""
    parser = argparse.ArgumentParser(prog="python -m windlass.images.bootstrap")
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--output", required=True, help="tar file to write; scratch space is taken beside it")
    parser.add_argument("--mirror", default="", help="Debian mirror for windlass/debian (default: this host's)")
    options = parser.parse_args()
    # Leave by an exception, so that scratch directories are removed and the program that is running is ended.
    signal.signal(signal.SIGTERM, _leave)
    os.umask(0o022)
    partial = options.output + ".partial"
    try:
        outcome = _build(options.name, partial, options.mirror)
        os.rename(partial, options.output)
    except (RecipeError, OSError) as error:
        print(f"cannot build {options.name}: {error}", file=sys.stderr)
        return 1
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    json.dump(_document(options.name, outcome), sys.stdout)
    return 0


def _build(name: str, path: str, mirror: str) -> Outcome:
    directory = os.path.dirname(os.path.abspath(path))
    with tempfile.TemporaryDirectory(prefix="bootstrap-", dir=directory) as scratch, LayerWriter(path) as layer:
        if name == "windlass/busybox":
            return build_busybox(layer)
        return build_debian(layer, scratch, mirror)


def _document(name: str, outcome: Outcome) -> dict[str, object]:
    machine = os.uname().machine
    return {
        "Names": list(RECIPES[name]),
        "Architecture": _ARCHITECTURES.get(machine, machine),
        "Created": rfc3339_nano(outcome.newest_s * 1_000_000_000),
        "Config": {
            "Cmd": [outcome.command],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Labels": {
                "org.opencontainers.image.title": name,
                "org.opencontainers.image.version": outcome.version,
                "org.windlass.packages": " ".join(f"{package}={version}" for package, version in outcome.packages),
            },
        },
    }


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
