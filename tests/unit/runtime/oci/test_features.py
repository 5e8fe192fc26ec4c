"""`features` keeps to the specification's schema and says what the code can."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from windlass.linux import libseccomp
from windlass.runtime.oci import features as module
from windlass.runtime.oci import validate_schema as schema
from windlass.runtime.oci.features import features_json
from windlass.runtime.oci.validate_shape import BOOLEAN, TABLE, TEXT, TEXTS, array, check_shape, members

# Source: runtime-spec schema/features-schema.json, features-linux.json.
_SWITCH = members("enabled", enabled=BOOLEAN)
_CGROUP = members(
    "v1 v2 systemd systemdUser rdma", v1=BOOLEAN, v2=BOOLEAN, systemd=BOOLEAN, systemdUser=BOOLEAN, rdma=BOOLEAN
)
_SECCOMP = members(
    "enabled",
    enabled=BOOLEAN,
    actions=array(schema.SECCOMP_ACTION),
    operators=array(schema.SECCOMP_OPERATOR),
    archs=array(schema.SECCOMP_ARCHITECTURE),
    knownFlags=array(schema.SECCOMP_FLAG),
    supportedFlags=array(schema.SECCOMP_FLAG),
)
_LINUX = members(
    "namespaces capabilities cgroup seccomp apparmor selinux intelRdt mountExtensions netDevices",
    namespaces=array(schema.NAMESPACE_TYPE),
    capabilities=TEXTS,
    cgroup=_CGROUP,
    seccomp=_SECCOMP,
    apparmor=_SWITCH,
    selinux=_SWITCH,
    intelRdt=_SWITCH,
    mountExtensions=members("idmap", idmap=_SWITCH),
    netDevices=_SWITCH,
)
_FEATURES = members(
    "ociVersionMin ociVersionMax hooks mountOptions linux annotations",
    ociVersionMin=TEXT,
    ociVersionMax=TEXT,
    hooks=TEXTS,
    mountOptions=TEXTS,
    linux=_LINUX,
    annotations=TABLE,
    potentiallyUnsafeConfigAnnotations=TEXTS,
)
# Source: runtime-spec config.md, "Linux mount options", those that a runtime must or should implement.
_MOUNT_OPTIONS = (
    "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec"
    " noiversion nolazytime norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime"
    " remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime"
    " rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid"
    " symfollow sync tmpcopyup unbindable idmap ridmap"
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(features_json())  # type: ignore[no-any-return]


def test_it_keeps_to_the_schema(document: dict[str, Any]) -> None:
    check_shape(document, _FEATURES, "")
    assert document["ociVersionMin"] == "1.0.0"
    assert tuple(map(int, document["ociVersionMax"].split("."))) >= (1, 2, 0)


def test_hooks_and_namespaces_are_all(document: dict[str, Any]) -> None:
    assert document["hooks"] == [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]  # fmt: skip
    assert document["linux"]["namespaces"] == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]


def test_capabilities_reach_to_the_kernel_s_last(document: dict[str, Any]) -> None:
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    assert len(document["linux"]["capabilities"]) > last
    assert all(name.startswith("CAP_") for name in document["linux"]["capabilities"])


def test_mount_options_are_those_of_the_specification(document: dict[str, Any]) -> None:
    assert sorted(set(_MOUNT_OPTIONS.split()) - set(document["mountOptions"])) == []


def test_seccomp_knows_every_word(document: dict[str, Any]) -> None:
    seccomp = document["linux"]["seccomp"]
    for member, kind in (
        ("actions", schema.SECCOMP_ACTION),
        ("operators", schema.SECCOMP_OPERATOR),
        ("archs", schema.SECCOMP_ARCHITECTURE),
        ("knownFlags", schema.SECCOMP_FLAG),
    ):
        assert set(seccomp[member]) == kind[1][1]
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])
    if tuple(int(part) for part in os.uname().release.split(".")[:2]) >= (5, 19):
        assert set(seccomp["supportedFlags"]) == set(seccomp["knownFlags"])
    assert document["annotations"]["io.github.seccomp.libseccomp.version"].startswith("2.")


def test_flags_that_a_kernel_does_not_know_are_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.FLAGS, "SECCOMP_FILTER_FLAG_FUTURE", 1 << 30)
    seccomp: Any = module.features()["linux"]["seccomp"]  # type: ignore[index]
    assert "SECCOMP_FILTER_FLAG_FUTURE" in seccomp["knownFlags"]
    assert "SECCOMP_FILTER_FLAG_FUTURE" not in seccomp["supportedFlags"]


def test_a_host_without_the_library_has_no_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> tuple[int, int, int]:
        raise OSError("no such library")

    monkeypatch.setattr(libseccomp, "version", missing)
    document: Any = module.features()
    assert document["linux"]["seccomp"] == {"enabled": False}
    assert "io.github.seccomp.libseccomp.version" not in document["annotations"]
