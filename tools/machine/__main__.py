"""`tools/in-machine COMMAND...`: run a command in the machine; its output and exit status are ours."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tools.machine.machine import DEFAULT_MEMORY_MIB, DEFAULT_TIMEOUT_S, Machine, MachineError, Request
from tools.machine.parts import MissingPartError, find_parts


def main() -> int:
    """Boot, run, and return the command's status; 125 where there is no machine to be had, 124 after the timeout."""
    parser = argparse.ArgumentParser(prog="tools/in-machine", description=__doc__)
    parser.add_argument("--systemd", action="store_true", help="boot the host's systemd as process 1, with D-Bus")
    parser.add_argument("--memory", type=int, default=DEFAULT_MEMORY_MIB, metavar="MIB", help="RAM of the machine")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="S", help="kill it after this")
    parser.add_argument("--collect", type=Path, metavar="DIR", help="where to put what the command leaves in $COLLECT")
    parser.add_argument("--console", type=Path, metavar="FILE", help="keep the kernel's messages in this file")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("which command?")
    try:
        request = Request(
            tuple(options.command), os.getcwd(), options.systemd, options.memory, options.timeout, options.collect
        )
        outcome = Machine(find_parts(), request).run(sys.stdout.fileno())
    except (MissingPartError, MachineError) as error:
        print(f"in-machine: {error}", file=sys.stderr)
        return 125
    if options.console is not None:
        options.console.write_text(outcome.console)
    if outcome.status is None:
        print(f"{outcome.console[-4000:]}\nin-machine: {outcome.problem}", file=sys.stderr)
        return 124
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
