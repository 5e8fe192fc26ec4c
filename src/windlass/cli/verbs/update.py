"""`update`: change the limits of containers."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.create.body import restart_policy
from windlass.cli.create.flags import RESOURCES
from windlass.cli.each import for_each
from windlass.cli.errors import CliError
from windlass.cli.flags import text
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.engine import Engine

_FIELDS = {
    "blkio-weight": "BlkioWeight",
    "cpu-period": "CpuPeriod",
    "cpu-quota": "CpuQuota",
    "cpu-rt-period": "CpuRealtimePeriod",
    "cpu-rt-runtime": "CpuRealtimeRuntime",
    "cpu-shares": "CpuShares",
    "cpus": "NanoCpus",
    "cpuset-cpus": "CpusetCpus",
    "cpuset-mems": "CpusetMems",
    "memory": "Memory",
    "memory-reservation": "MemoryReservation",
    "memory-swap": "MemorySwap",
    "pids-limit": "PidsLimit",
}


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Update every container and print its name; warnings follow."""
    body: dict[str, object] = {field: values.get(name) for name, field in _FIELDS.items() if values.given(name)}
    if values.given("restart"):
        try:
            body["RestartPolicy"] = restart_policy(values.text("restart"))
        except ValueError as error:
            raise CliError(str(error)) from None
    if not body:
        raise CliError("you must provide one or more flags when using this command")
    warnings: list[str] = []

    def update(engine: Engine, name: str) -> str:
        answer = engine.call("POST", f"/containers/{quote(name)}/update", body=body)
        warnings.extend(answer.get("Warnings") or () if isinstance(answer, dict) else ())
        return name

    status = for_each(context, arguments, update)
    if warnings:
        context.warn("\n".join(warnings))
    return status


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(
        *(flag for flag in RESOURCES if flag.name in _FIELDS),
        text("restart", "Restart policy to apply when a container exits"),
    ),
    examples="windlass update --memory 512m --cpus 1.5 web",
)
