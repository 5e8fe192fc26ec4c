"""Names of units, limits as properties, and the driver against a bus that remembers what it was told."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

import pytest

from windlass.base.errors import InvalidParameter, Unavailable
from windlass.cgroups.model import CgroupError, CgroupHost
from windlass.cgroups.systemd import SystemdDriver
from windlass.cgroups.systemd_bus import BusError, Property
from windlass.cgroups.systemd_holder import Holder
from windlass.cgroups.systemd_names import expand_slice, unit_name
from windlass.cgroups.systemd_properties import bit_mask, device_properties, properties, quota_per_second
from windlass.cgroups.v2_driver import V2Driver
from windlass.spec.resources import (
    LinuxBlockIo,
    LinuxCpu,
    LinuxDeviceCgroup,
    LinuxMemory,
    LinuxPids,
    LinuxResources,
    LinuxThrottleDevice,
)

_INFINITY = (1 << 64) - 1


@pytest.mark.parametrize(
    ("name", "slice_name", "unit", "path"),
    [
        (":windlass:id", "system.slice", "windlass-id.scope", "system.slice/windlass-id.scope"),
        ("a-b.slice:p:n", "a-b.slice", "p-n.scope", "a.slice/a-b.slice/p-n.scope"),
        ("-:p:n", "-.slice", "p-n.scope", "p-n.scope"),
        ("a.slice::n", "a.slice", "n.scope", "a.slice/n.scope"),
        ("a.slice:p:b-c.slice", "a.slice", "b-c.slice", "b.slice/b-c.slice"),
        ("/a.slice/a-b.slice/p-n.scope", "a-b.slice", "p-n.scope", "a.slice/a-b.slice/p-n.scope"),
    ],
)
def test_names(name: str, slice_name: str, unit: str, path: str) -> None:
    found = unit_name(name)
    assert (found.slice, found.unit, found.path) == (slice_name, unit, path)
    assert unit_name(found.path).path == path


@pytest.mark.parametrize(
    "name",
    ["a:b", "a.slice:b:", "windlass/id", "a.slice:p:n:m", "a.slice:p:../n", "a/b.slice:p:n", "x:p:n", "a--b.slice:p:n"],
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InvalidParameter, match=r"slice:prefix:name|invalid (slice|unit) name"):
        unit_name(name)


def test_slices_nest_by_dashes() -> None:
    assert expand_slice("a-b-c.slice") == "a.slice/a-b.slice/a-b-c.slice"
    assert expand_slice("-.slice") == ""


# --- properties ---------------------------------------------------------------------------------------

_RESOURCES = LinuxResources(
    memory=LinuxMemory(limit=100, swap=300, reservation=50),
    cpu=LinuxCpu(shares=1024, quota=12_345, period=50_000, cpus="0-1,8"),
    pids=LinuxPids(-1),
    block_io=LinuxBlockIo(weight=500, throttle_read_bps_device=[LinuxThrottleDevice(8, 0, 1024)]),
)


def test_properties_of_v2() -> None:
    assert dict(properties(_RESOURCES, v2=True, version=252)) == {
        "TasksMax": ("t", _INFINITY),
        "MemoryMax": ("t", 100),
        "MemoryLow": ("t", 50),
        "MemorySwapMax": ("t", 200),
        "CPUWeight": ("t", 100),
        "CPUQuotaPeriodUSec": ("t", 50_000),
        "CPUQuotaPerSecUSec": ("t", 250_000),
        "AllowedCPUs": ("ay", b"\x03\x01"),
        "IOWeight": ("t", 4950),
        "IOReadBandwidthMax": ("a(st)", [("/dev/block/8:0", 1024)]),
    }


def test_properties_of_v1() -> None:
    assert dict(properties(_RESOURCES, v2=False, version=241)) == {
        "TasksMax": ("t", _INFINITY),
        "MemoryLimit": ("t", 100),
        "CPUShares": ("t", 1024),
        "CPUQuotaPerSecUSec": ("t", 250_000),
        "BlockIOWeight": ("t", 500),
    }


def test_unified_values_are_told_too() -> None:
    unified = {
        "memory.high": "max",
        "cpu.max": "max 10000",
        "pids.max": "5",
        "cpuset.cpus": "0",
        "hugetlb.2MB.max": "1",
    }
    assert properties(LinuxResources(unified=unified), v2=True, version=252) == [
        ("MemoryHigh", ("t", _INFINITY)),
        ("CPUQuotaPeriodUSec", ("t", 10_000)),
        ("CPUQuotaPerSecUSec", ("t", _INFINITY)),
        ("TasksMax", ("t", 5)),
        ("AllowedCPUs", ("ay", b"\x01")),
    ]


def test_idle_is_a_weight_of_nothing() -> None:
    idle = LinuxResources(cpu=LinuxCpu(idle=1, shares=512))
    assert properties(idle, v2=True, version=252) == [("CPUWeight", ("t", 0))]
    assert properties(idle, v2=True, version=247) == [("CPUWeight", ("t", 59))]


@pytest.mark.parametrize(
    ("quota", "period", "expected"), [(50_000, 100_000, 500_000), (1001, 100_000, 20_000), (-1, 100_000, _INFINITY)]
)
def test_quotas_are_rounded_up_to_percents(quota: int, period: int, expected: int) -> None:
    assert quota_per_second(quota, period) == expected


def test_bit_masks() -> None:
    assert bit_mask("0-3, 6") == bytes([0b1001111])
    assert bit_mask("") == b""
    assert bit_mask("99999999999") == b""


def test_device_rules() -> None:
    rules = [LinuxDeviceCgroup(False, access="rwm"), LinuxDeviceCgroup(True, "b", 8, 1, "r")]
    policy, reset, (_, (_, entries)) = device_properties(rules)
    assert (policy, reset) == (("DevicePolicy", ("s", "strict")), ("DeviceAllow", ("a(ss)", [])))
    assert ("/dev/block/8:1", "r") in entries
    assert ("/dev/char/1:3", "rwm") in entries
    assert ("char-*", "m") in entries


def test_device_rules_that_systemd_cannot_say_are_left_to_the_filter() -> None:
    rules = [LinuxDeviceCgroup(False, access="rwm"), LinuxDeviceCgroup(True, "c", None, 3, "r")]
    open_for_all = [("DevicePolicy", ("s", "auto")), ("DeviceAllow", ("a(ss)", []))]
    assert device_properties(rules) == open_for_all
    assert device_properties([LinuxDeviceCgroup(True, access="rwm")]) == open_for_all


# --- the driver ---------------------------------------------------------------------------------------


class _Bus:
    """systemd as far as the driver sees it; units are directories in a tree of plain files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.units: dict[str, dict[str, object]] = {}
        self.told: list[Property] = []
        self.failed: set[str] = set()
        self.refuse = False

    def __enter__(self) -> _Bus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def version(self) -> int:
        return 252

    def start_transient_unit(self, name: str, wanted: list[Property]) -> None:
        if name in self.units or name in self.failed:
            raise BusError("org.freedesktop.systemd1.UnitExists", "exists")
        self.units[name] = {key: value for key, (_, value) in wanted}
        directory = self.root / self.control_group(name).strip("/")
        directory.mkdir(parents=True)
        for file in ("pids.max", "cgroup.procs", "cgroup.type"):
            (directory / file).touch()

    def control_group(self, name: str) -> str:
        return f"/{expand_slice(str(self.units[name]['Slice']))}/{name}"

    def set_unit_properties(self, name: str, changes: list[Property]) -> None:
        if self.refuse:
            raise BusError("org.freedesktop.DBus.Error.AccessDenied", "no")
        self.told += changes

    def stop_unit(self, name: str) -> None:
        if name not in self.units:
            raise BusError("org.freedesktop.systemd1.NoSuchUnit", "not loaded")
        directory = self.root / self.control_group(name).strip("/")
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()
        del self.units[name]

    def reset_failed_unit(self, name: str) -> None:
        self.failed.discard(name)


@pytest.fixture
def bus(tmp_path: Path) -> _Bus:
    return _Bus(tmp_path)


@pytest.fixture
def driver(bus: _Bus, tmp_path: Path) -> SystemdDriver:
    host = CgroupHost(2, str(tmp_path), {"pids": str(tmp_path)})
    return SystemdDriver(host, V2Driver(host), connect=lambda: bus, running=str(tmp_path))  # type: ignore[arg-type,return-value]


def test_a_scope_is_made_changed_and_removed(driver: SystemdDriver, bus: _Bus, tmp_path: Path) -> None:
    cgroup, warnings = driver.create("a-b.slice:p:n", LinuxResources(pids=LinuxPids(5)))
    directory = tmp_path / "a.slice/a-b.slice/p-n.scope"
    assert (cgroup.name, warnings) == ("a.slice/a-b.slice/p-n.scope", ())
    told = bus.units["p-n.scope"]
    assert (told["Slice"], told["Delegate"], told["TasksMax"]) == ("a-b.slice", True, 5)
    assert len(told["PIDs"]) == 1  # type: ignore[arg-type]
    assert (directory / "pids.max").read_text() == "5"
    cgroup.update(LinuxResources(pids=LinuxPids(7)))
    assert bus.told == [("TasksMax", ("t", 7))]
    cgroup.remove()
    cgroup.remove()
    assert bus.units == {} and not directory.exists()


def test_systemd_refusing_an_update_leaves_the_files(driver: SystemdDriver, bus: _Bus, tmp_path: Path) -> None:
    cgroup, _ = driver.create(":p:n", LinuxResources(pids=LinuxPids(5)))
    bus.refuse = True
    with pytest.raises(BusError):
        cgroup.update(LinuxResources(pids=LinuxPids(7)))
    assert (tmp_path / "system.slice/p-n.scope/pids.max").read_text() == "5"
    cgroup.remove()


def test_a_unit_that_failed_earlier_is_made_anew(driver: SystemdDriver, bus: _Bus) -> None:
    bus.failed.add("p-n.scope")
    cgroup, _ = driver.create(":p:n", LinuxResources())
    assert "p-n.scope" in bus.units
    cgroup.remove()


def test_somebody_elses_unit_is_left_alone(driver: SystemdDriver, bus: _Bus) -> None:
    bus.units["p-n.scope"] = {"Slice": "system.slice"}
    with pytest.raises(CgroupError, match="exists"):
        driver.create(":p:n", LinuxResources())
    assert "p-n.scope" in bus.units


def test_without_systemd(tmp_path: Path) -> None:
    host = CgroupHost(2, str(tmp_path), {})
    with pytest.raises(Unavailable, match="systemd not running on this host"):
        SystemdDriver(host, V2Driver(host), running=str(tmp_path / "none"))


# --- the process that keeps a scope alive ---------------------------------------------------------------


def _ends(holder: Holder) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if os.waitpid(holder.pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.005)
    return False


def test_the_holder_goes_when_somebody_entered() -> None:
    holder = Holder()
    fd = os.open(holder.join_file, os.O_WRONLY)
    os.write(fd, b"0")
    os.close(fd)
    assert _ends(holder)
    holder.release()
    holder.release()


def test_the_holder_stays_for_who_is_about_to_enter_and_no_longer() -> None:
    holder = Holder()
    fd = os.open(holder.join_file, os.O_WRONLY)
    os.close(holder._alive)
    assert os.waitpid(holder.pid, os.WNOHANG) == (0, 0)
    os.close(fd)
    assert _ends(holder)
    holder._alive = os.open("/dev/null", os.O_RDONLY)
    holder.release()
