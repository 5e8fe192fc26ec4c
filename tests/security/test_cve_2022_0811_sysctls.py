"""CVE-2022-0811: a sysctl's key or value must not reach another parameter of the host.

CVE-2022-0532: nor may a namespace that is the host's own, be it by its path.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.config_cases import changed

from windlass.base.errors import InvalidParameter
from windlass.runtime.oci.validate import parse_config
from windlass.runtime.sysctls import check_sysctls

_OWN = frozenset({"network", "ipc", "uts", "mount", "pid"})


_HOSTILE = [
    ("kernel.core_pattern", "|/evil"),
    ("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/evil\nx"),
    ("net.ipv4.ip_forward\nkernel.core_pattern", "1"),
    ("net.ipv4.ip_forward+kernel.core_pattern", "1"),
    ("net/../kernel/core_pattern", "|/evil"),
    ("net....kernel.core_pattern", "|/evil"),
    ("/kernel/core_pattern", "|/evil"),
    ("net/ipv4/../../kernel/core_pattern", "|/evil"),
    ("kernel.shmmax\0.x", "1"),
    ("kernel.sem/../core_pattern", "|/evil"),
    ("fs.mqueue./../../kernel/core_pattern", "|/evil"),
    ("fs.protected_symlinks", "0"),
    ("kernel.panic", "1"),
    ("net", "1"),
    ("", "1"),
]


@pytest.mark.parametrize(("key", "value"), _HOSTILE)
def test_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidParameter):
        check_sysctls({key: value}, _OWN)


@pytest.mark.parametrize("key", ["net.ipv4.ip_forward", "net/ipv4/ip_forward", "kernel.shmmax", "fs.mqueue.msg_max"])
def test_shared_namespaces_are_the_hosts(key: str) -> None:
    with pytest.raises(InvalidParameter):
        check_sysctls({key: "1"}, frozenset({"mount", "pid"}))
    assert check_sysctls({key: "1"}, _OWN) == [(key.replace("/", "."), "1")]


@pytest.mark.parametrize(("key", "value"), _HOSTILE)
def test_refused_in_a_bundle(key: str, value: str) -> None:
    with pytest.raises(InvalidParameter, match="/linux/sysctl/"):
        parse_config(json.dumps(changed(("/linux/sysctl", {key: value}))).encode())


@pytest.mark.parametrize(
    ("key", "kind", "file"),
    [
        ("net.ipv4.ip_forward", "network", "net"),
        ("kernel.shmmax", "ipc", "ipc"),
        ("fs.mqueue.msg_max", "ipc", "ipc"),
        ("kernel.domainname", "uts", "uts"),
    ],
)
def test_a_path_to_the_hosts_namespace_is_no_namespace_of_its_own(key: str, kind: str, file: str) -> None:
    def config(namespace: dict[str, Any]) -> bytes:
        namespaces = [{"type": "mount"}, namespace]
        return json.dumps(changed(("/linux/namespaces", namespaces), ("/linux/sysctl", {key: "1"}))).encode()

    for path in (f"/proc/self/ns/{file}", f"/proc/thread-self/ns/{file}"):
        with pytest.raises(InvalidParameter, match=f"/linux/sysctl/{key}"):
            parse_config(config({"type": kind, "path": path}))
    assert parse_config(config({"type": kind})).linux.sysctl == {key: "1"}
