"""A container that shares its mounts with another one cannot hand over the host's by a link."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.launching import Bench

from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops

pytestmark = pytest.mark.root


async def test_what_a_neighbour_s_link_leads_to_is_not_ours(bench: Bench) -> None:
    """In a shared pid namespace their /proc/self is the process that looks: its directory is the host's root."""
    trap = ops.Symlink("/trap", "/proc/self/cwd")
    first = await bench.start(bench.plan("first", ["sleep", "1000"], extra=[trap]))
    plan = bench.plan("second", ["true"], extra=[ops.Bind(f"/proc/{first.pid}/root/trap", "/theirs")])
    launch = msgspec.structs.replace(plan.launch, new_pid_namespace=False, pid_namespace=f"/proc/{first.pid}/ns/pid")
    with pytest.raises(StartFailed, match=r"bind /proc/[0-9]+/root/trap at /theirs: too many levels"):
        await bench.start(msgspec.structs.replace(plan, launch=launch))
    await first.kill(9)
    await first.wait()
