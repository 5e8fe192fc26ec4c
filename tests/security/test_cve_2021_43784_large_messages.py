"""CVE-2021-43784: more than 64 KiB in one field overflowed its length, and the rest was read as other fields.

Nothing of ours counts lengths in 16 bits: large values arrive whole or are refused, and what looks like more fields in
them stays a value.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.entries import Entry, Refused, make_entry
from tests.support.launching import Bench
from tests.support.oci_runtime import OciRuntime, write_bundle

from windlass.spec.container import ContainerConfig

pytestmark = pytest.mark.root

_EVIL = json.dumps({"op": "credentials", "bounding": (1 << 41) - 1, "args": ["/evil"], "new_pid_namespace": False})


_SIZES = [(1 << 16) - 1, 1 << 16, (1 << 16) + 1, 127 * 1024]


async def test_values_around_64_kib_arrive_whole(entry: Entry) -> None:
    values = [(_EVIL * (size // len(_EVIL) + 1))[:size] for size in _SIZES]
    env = ["PATH=/bin", *(f"V{number}={value}" for number, value in enumerate(values)), "LAST=1"]
    lengths = "; ".join(f'printf %s "$V{number}" | wc -c' for number in range(len(values)))
    output = await entry.output(
        ["sh", "-c", f"{lengths}; echo $LAST; grep CapBnd /proc/self/status"],
        config=ContainerConfig(hostname="c", env=env),
        oci={"process__env": env},
    )
    *sizes, last, _, bounding = output.split()
    assert ([int(size) for size in sizes], last) == (_SIZES, "1")
    assert int(bounding, 16) != (1 << 41) - 1


@pytest.mark.parametrize(
    "linux",
    [
        {"namespaces": [{"type": "mount"}, {"type": "network", "path": "/" + "n" * 70_000}]},
        {
            "namespaces": [{"type": "mount"}, {"type": "user"}],
            "uidMappings": [{"containerID": 2 * n, "hostID": 2 * n, "size": 1} for n in range(4000)],
            "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
        },
    ],
)
def test_what_the_kernel_would_not_take_is_refused_before(tmp_path: Path, linux: dict[str, object]) -> None:
    (tmp_path / "rootfs").mkdir()
    bundle = write_bundle(tmp_path, ["true"], linux=linux)
    result = OciRuntime(tmp_path).run(bundle)
    assert result.returncode == 1
    assert "config.json: /linux/" in result.stderr and len(result.stderr) < 1000


async def test_an_argument_too_long_for_any_exec(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"exec /bin/true: argument list too long"):
        await make_entry("engine run", bench, tmp_path).output(["true", "x" * (1 << 20)])
