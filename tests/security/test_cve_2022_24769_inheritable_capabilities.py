"""CVE-2022-24769 and its kin in other engines: inheritable capabilities must be empty.

What is inheritable comes back through a file with inheritable file capabilities, for any user of the container.
"""

from __future__ import annotations

import pytest
from tests.support.launching import Bench
from tests.support.lowered import lowered

from windlass.runtime.lower_exec import ExecIntent
from windlass.spec.container import ContainerConfig, HostConfig

pytestmark = pytest.mark.root

_SHOW = ["grep", "CapInh", "/proc/self/status"]
_EMPTY = f"CapInh:\t{0:016x}\n"


@pytest.mark.parametrize("user", ["", "bob"])
@pytest.mark.parametrize("host", [HostConfig(), HostConfig(cap_add=["ALL"]), HostConfig(privileged=True)])
async def test_first_process(bench: Bench, user: str, host: HostConfig) -> None:
    async with lowered(bench, _SHOW, config=ContainerConfig(hostname="c", user=user), host=host) as container:
        assert await container.output() == _EMPTY


async def test_exec(bench: Bench) -> None:
    async with lowered(bench, ["sleep", "1000"]) as container:
        task = await container.start()
        assert await container.exec(task, ExecIntent(_SHOW)) == _EMPTY
        assert await container.exec(task, ExecIntent(_SHOW, privileged=True)) == _EMPTY
        await task.kill(9)
        await task.wait()
