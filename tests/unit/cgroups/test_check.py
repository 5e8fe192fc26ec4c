"""What is refused before anything is written."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.cgroups.check import check_resources
from windlass.cgroups.names import oci_name, sub_groups, sub_path
from windlass.spec import resources as r

_GOOD = r.LinuxResources(
    devices=[r.LinuxDeviceCgroup(False, access="rwm"), r.LinuxDeviceCgroup(True, "c", -1, 3, "rw")],
    memory=r.LinuxMemory(limit=100, swap=100, reservation=-1, swappiness=0, kernel=-1),
    cpu=r.LinuxCpu(shares=2, quota=-1, period=1000, burst=0, idle=1, cpus="0-3,6", mems="0"),
    pids=r.LinuxPids(-1),
    block_io=r.LinuxBlockIo(weight=10, weight_device=[r.LinuxWeightDevice(8, 0, 1000)]),
    hugepage_limits=[r.LinuxHugepageLimit("2MB", 0)],
    network=r.LinuxNetworkResources(class_id=(1 << 32) - 1, priorities=[r.LinuxInterfacePriority("eth0", 5)]),
    rdma={"mlx4_0": r.LinuxRdma(hca_handles=1)},
)


def test_good_values() -> None:
    check_resources(_GOOD)


@pytest.mark.parametrize(
    ("resources", "pointer"),
    [
        (r.LinuxResources(devices=[r.LinuxDeviceCgroup(True, "x")]), "/devices/0/type"),
        (r.LinuxResources(devices=[r.LinuxDeviceCgroup(True, "c", 4096, 0, "r")]), "/devices/0/major"),
        (r.LinuxResources(devices=[r.LinuxDeviceCgroup(True, "c", 1, -2, "r")]), "/devices/0/minor"),
        (r.LinuxResources(devices=[r.LinuxDeviceCgroup(True, "c", 1, 1, "rx")]), "/devices/0/access"),
        (r.LinuxResources(memory=r.LinuxMemory(limit=-2)), "/memory/limit"),
        (r.LinuxResources(memory=r.LinuxMemory(limit=2, swap=1)), "/memory/swap"),
        (r.LinuxResources(memory=r.LinuxMemory(swappiness=101)), "/memory/swappiness"),
        (r.LinuxResources(memory=r.LinuxMemory(kernel_tcp=1 << 63)), "/memory/kernelTCP"),
        (r.LinuxResources(cpu=r.LinuxCpu(shares=1)), "/cpu/shares: the minimum allowed cpu-shares is 2"),
        (r.LinuxResources(cpu=r.LinuxCpu(shares=262_145)), "/cpu/shares: the maximum allowed cpu-shares is 262144"),
        (r.LinuxResources(cpu=r.LinuxCpu(quota=999)), "/cpu/quota"),
        (r.LinuxResources(cpu=r.LinuxCpu(period=1_000_001)), "/cpu/period"),
        (r.LinuxResources(cpu=r.LinuxCpu(quota=1000, burst=1001)), "/cpu/burst"),
        (r.LinuxResources(cpu=r.LinuxCpu(idle=2)), "/cpu/idle"),
        (r.LinuxResources(cpu=r.LinuxCpu(cpus="0\n1")), "/cpu/cpus"),
        (r.LinuxResources(block_io=r.LinuxBlockIo(weight=9)), "/blockIO/weight"),
        (
            r.LinuxResources(block_io=r.LinuxBlockIo(throttle_read_iops_device=[r.LinuxThrottleDevice(8, 0, -1)])),
            "/blockIO/throttleReadIOPSDevice/0/rate",
        ),
        (r.LinuxResources(hugepage_limits=[r.LinuxHugepageLimit("../2MB", 1)]), "/hugepageLimits/0/pageSize"),
        (r.LinuxResources(hugepage_limits=[r.LinuxHugepageLimit("2MB", -1)]), "/hugepageLimits/0/limit"),
        (r.LinuxResources(network=r.LinuxNetworkResources(class_id=1 << 32)), "/network/classID"),
        (
            r.LinuxResources(network=r.LinuxNetworkResources(priorities=[r.LinuxInterfacePriority("a b", 1)])),
            "/network/priorities/0/name",
        ),
        (r.LinuxResources(rdma={"a\nb": r.LinuxRdma(1)}), "/rdma/"),
        (r.LinuxResources(rdma={"a": r.LinuxRdma()}), "/rdma/a"),
    ],
)
def test_bad_values(resources: r.LinuxResources, pointer: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_resources(resources)
    assert str(caught.value).startswith(f"/linux/resources{pointer}")


# --- paths --------------------------------------------------------------------------------------------


def test_paths_of_config_json() -> None:
    assert oci_name("/a//b/", "id") == oci_name("a/b", "id") == "a/b"
    assert oci_name("", "id") == "windlass-runtime-id"


@pytest.mark.parametrize("path", ["/", "a/../../b", "."])
def test_paths_that_name_no_group(path: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid cgroup path"):
        oci_name(path, "id")


def test_groups_for_one_more_process() -> None:
    assert sub_groups([]) == {}
    assert sub_groups(["a/b"]) == {"": "a/b"}
    assert sub_groups(["cpu,memory:a", "pids:b"]) == {"cpu": "a", "memory": "a", "pids": "b"}
    assert sub_path("/x", "/") == "/x"
    assert sub_path("/x", "/a//b") == "/x/a/b"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["a", "cpu:b"], "missing <controller>: prefix"),
        (["cpu,:a"], "empty <controller> prefix"),
        (["cpu:a", "cpu:b"], "specified multiple times"),
    ],
)
def test_groups_that_contradict(arguments: list[str], text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        sub_groups(arguments)


def test_a_group_outside_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="is not below"):
        sub_path("/x", "../y")
