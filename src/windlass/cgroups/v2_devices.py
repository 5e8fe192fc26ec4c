"""The device filter of a v2 group, of which there is one of ours at most; others' (systemd's) stay beside it.

All programs attached to a group and to those above must allow an access.

Source: Documentation/admin-guide/cgroup-v2.rst, "Device controller"; bpf(2).
"""

from __future__ import annotations

import os

from windlass.cgroups.device_program import device_program
from windlass.cgroups.devices import reduce_rules
from windlass.cgroups.model import CgroupError
from windlass.linux import bpf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.spec.resources import LinuxDeviceCgroup

PROGRAM_NAME = "windlass_device"


def restrict(directory: str, rules: Sequence[LinuxDeviceCgroup]) -> None:
    """Attach the filter for `rules`, or exchange it in one step for the one that is there.

    Raises:
        CgroupError: the kernel refused; a container must not run without its filter.
    """
    reduced = reduce_rules(rules)
    try:
        old = _ours(directory)
        try:
            if reduced.allows_everything:
                for program in old:
                    bpf.detach_device_program(directory, program)
            else:
                _attach(directory, device_program(reduced), old)
        finally:
            for program in old:
                os.close(program)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"failed to attach the device filter to {directory}: {reason}"
        raise CgroupError(message, directory, errno=error.errno or 0) from error


def _attach(directory: str, code: bytes, old: Sequence[int]) -> None:
    program = bpf.load_device_program(code, PROGRAM_NAME)
    try:
        bpf.attach_device_program(directory, program, replace_fd=old[0] if old else -1)
    finally:
        os.close(program)
    # More than one was left by a program that was killed halfway; the new one is in force already.
    for extra in old[1:]:
        bpf.detach_device_program(directory, extra)


def _ours(directory: str) -> list[int]:
    """Open the attached programs that bear our name."""
    ours = []
    for number in bpf.attached_device_programs(directory):
        program = bpf.open_program(number)
        if bpf.program_name(program) == PROGRAM_NAME:
            ours.append(program)
        else:
            os.close(program)
    return ours
