"""A worker's job: run the program that makes an image from Debian's packages.

It starts programs, which neither the daemon nor the zygote may (law 1). They end when this worker is ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import msgspec

from windlass.base.errors import System
from windlass.linux.process import prctl

_PR_SET_PDEATHSIG = 1
_BOOT = (
    "import sys; sys.path[:] = {path!r}; sys.argv[1:] = {arguments!r}; "
    "import runpy; runpy.run_module('windlass.images.bootstrap', run_name='__main__', alter_sys=True)"
)
_DOCUMENT_LIMIT_BYTES = 1 << 20


class BootstrapParams(msgspec.Struct, frozen=True):
    """`python` and `path` are the daemon's interpreter and module path; `environment` is what of its own goes along."""

    python: str
    path: list[str]
    arguments: list[str]
    environment: dict[str, str] = {}


def bootstrap_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Run the program with its progress lines on `fds[0]`; return its exit `status` and the `document` it printed.

    Raises:
        System: it could not be started.
    """
    wanted = msgspec.convert(params, BootstrapParams)
    code = _BOOT.format(path=wanted.path, arguments=wanted.arguments)
    try:
        child = subprocess.Popen(
            [wanted.python, "-I", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=fds[0],
            env=wanted.environment,
            cwd="/",
            # This process has one thread, so that code may run between fork and exec.
            preexec_fn=_end_with_parent,
        )
    except OSError as error:
        raise System(f"start {wanted.python}: {os.strerror(error.errno or 0)}") from error
    with child:
        assert child.stdout is not None
        document = child.stdout.read(_DOCUMENT_LIMIT_BYTES)
    return {"status": child.returncode, "document": document.decode("utf-8", "replace")}


def _end_with_parent() -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
