"""Binding what only another container's mount namespace has."""

from __future__ import annotations

import pytest
from tests.support.launching import Bench

from windlass.spec import plan as ops

pytestmark = pytest.mark.root


async def test_a_mount_of_another_container_is_shared(bench: Bench) -> None:
    shared = ops.MountFs("tmpfs", "/shared")
    first = await bench.start(bench.plan("first", ["sh", "-c", "echo seen > /shared/file; sleep 1000"], extra=[shared]))
    bind = ops.Bind(f"/proc/{first.pid}/root/shared", "/theirs")
    wait = "while ! [ -s /theirs/file ]; do :; done; cat /theirs/file; echo back > /theirs/answer"
    output, record = await bench.run(bench.plan("second", ["sh", "-c", wait], extra=[bind]))
    assert (output, record.exit_code) == (b"seen\n", 0)
    with open(f"/proc/{first.pid}/root/shared/answer") as answer:
        assert answer.read() == "back\n"
    await first.kill(9)
    await first.wait()
