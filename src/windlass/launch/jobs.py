"""Workers: one job, one process, forked by the zygote and gone afterwards.

A job is a function `(params, fds) -> result`; parameters and result are JSON. The worker answers first with its pidfd,
so that a daemon which loses interest can end it, then with the result or the kind of its error.
"""

from __future__ import annotations

import importlib
import os
import socket
from typing import Any

import msgspec

from windlass.base import errors
from windlass.launch import wire
from windlass.linux.process import keep_large_buffers, set_name

# Modules are imported in the worker, after the fork and before it confines itself: the zygote stays small.
JOBS: dict[str, str] = {
    "logs": "windlass.launch.log_reader:logs_job",
    "delete-foreign": "windlass.launch.foreign_delete:delete_job",
    "try-idmaps": "windlass.launch.idmap_trial:try_idmaps_job",
    "copy-up": "windlass.volumes.copy_up:copy_up_job",
    "unpack": "windlass.archive.worker:unpack_job",
    "stage": "windlass.images.stage_job:stage_job",
    "expand": "windlass.images.expand_job:expand_job",
    "save": "windlass.images.save_job:save_job",
    "files-stat": "windlass.files.copy_jobs:stat_job",
    "files-send": "windlass.files.copy_jobs:send_job",
    "files-extract": "windlass.files.copy_jobs:extract_job",
    "files-glob": "windlass.files.globbing:glob_job",
    "files-changes": "windlass.files.layer_jobs:changes_job",
    "files-export": "windlass.files.layer_jobs:export_job",
    "files-layer": "windlass.files.layer_jobs:layer_job",
    "repack": "windlass.images.repack_job:repack_job",
    "bootstrap": "windlass.images.bootstrap_job:bootstrap_job",
}


def main(request: wire.RunJob, fds: list[int]) -> None:
    """Run in the process that the zygote forked."""
    answer = socket.socket(fileno=fds[0])
    set_name(f"wl-{request.name}")
    os.setsid()
    keep_large_buffers()
    pidfd = os.pidfd_open(os.getpid())
    wire.send(answer, wire.JobStarted(pid=os.getpid()), [pidfd])
    os.close(pidfd)
    wire.send(answer, _run(request.name, fds[1], fds[2:]))


def _run(name: str, params_fd: int, fds: list[int]) -> wire.JobResult:
    try:
        params = msgspec.json.decode(wire.from_memfd(params_fd))
        module_name, _, function_name = JOBS[name].partition(":")
        function: Any = getattr(importlib.import_module(module_name), function_name)
        result = function(params, fds)
        return wire.JobResult(result=msgspec.Raw(msgspec.json.encode(result)))
    except errors.WindlassError as error:
        return wire.JobResult(error_kind=_kind(error), error=error.message)
    except OSError as error:
        return wire.JobResult(error_kind="System", error=_describe(error))
    except Exception as error:
        return wire.JobResult(error_kind="System", error=f"{name}: {type(error).__name__}: {error}")


def _describe(error: OSError) -> str:
    text = error.strerror or str(error)
    return f"{text}: {os.fsdecode(error.filename)}" if error.filename else text


def _kind(error: errors.WindlassError) -> str:
    """Name the error's kind: the class of `base.errors` that it is or derives from."""
    for cls in type(error).__mro__:
        if cls.__module__ == errors.__name__ and cls is not errors.WindlassError:
            return cls.__name__
    return "System"
