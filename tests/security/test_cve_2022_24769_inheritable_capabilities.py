"""CVE-2022-24769 and its kin in other engines and runtimes (CVE-2022-29162, CVE-2025-27612): inheritable capabilities
must be empty.

What is inheritable comes back through a file with inheritable file capabilities, for any user of the container.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.entries import Entry, make_entry
from tests.support.launching import Bench
from tests.support.lowered import lowered
from tests.support.oci_runtime import OciRuntime, write_bundle

from windlass.runtime.lower_exec import ExecIntent
from windlass.spec.container import ContainerConfig, HostConfig

pytestmark = pytest.mark.root

_SHOW = ["grep", "CapInh", "/proc/self/status"]
_EMPTY = f"CapInh:\t{0:016x}\n"


async def test_every_entry(entry: Entry) -> None:
    assert await entry.output(_SHOW) == _EMPTY
    assert await entry.output(_SHOW, privileged=True) == _EMPTY


@pytest.mark.parametrize("user", ["", "bob"])
async def test_first_process(bench: Bench, user: str) -> None:
    config = ContainerConfig(hostname="c", user=user)
    for number, host in enumerate((HostConfig(), HostConfig(cap_add=["ALL"]), HostConfig(privileged=True))):
        async with lowered(bench, _SHOW, config=config, host=host, name=f"c{number}") as container:
            assert await container.output() == _EMPTY


async def test_exec(bench: Bench) -> None:
    async with lowered(bench, ["sleep", "1000"]) as container:
        task = await container.start()
        assert await container.exec(task, ExecIntent(_SHOW)) == _EMPTY
        assert await container.exec(task, ExecIntent(_SHOW, privileged=True)) == _EMPTY
        await task.kill(9)
        await task.wait()


def test_the_default_bundle_and_more_capabilities_for_an_exec(bench: Bench, tmp_path: Path) -> None:
    """`exec --cap` adds to no inheritable set."""
    make_entry("oci run", bench, tmp_path).root.rename(tmp_path / "rootfs")
    runtime = OciRuntime(tmp_path)
    assert runtime("spec", "--bundle", str(tmp_path)).returncode == 0
    assert '"inheritable"' not in (tmp_path / "config.json").read_text()
    write_bundle(tmp_path, ["sleep", "1000"])
    with open(tmp_path / "output", "w") as file:
        assert runtime.write_to(file, "run", "--detach", "--bundle", str(tmp_path), "c") == 0
    try:
        for more in ([], ["--cap", "CAP_NET_RAW"], ["--cap", "CAP_NET_RAW", "--user", "1000:1000"]):
            assert runtime("exec", *more, "c", *_SHOW).stdout == _EMPTY
    finally:
        runtime("delete", "--force", "c")
