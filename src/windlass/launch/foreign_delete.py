"""The job that deletes what a dead supervisor left of another runtime's container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from windlass.launch.foreign_bundle import read_record, remove_directory
from windlass.launch.foreign_program import Program
from windlass.launch.poller import Poller


def delete_job(params: Mapping[str, str], _fds: Sequence[int]) -> dict[str, str]:
    """Run `delete --force` for the container of the bundle `params["bundle"]`, and remove the bundle.

    Returns `error`: the runtime's words, empty when there is nothing left.
    """
    bundle = params["bundle"]
    record = read_record(bundle)
    if record is None:
        remove_directory(bundle)
        return {"error": ""}
    poller = Poller()
    errors: list[str] = []
    Program(poller, record.runtime, bundle).run(["delete", "--force", record.id], errors.append)
    while not errors:
        poller.turn()
    remove_directory(bundle)
    return {"error": errors[0]}
