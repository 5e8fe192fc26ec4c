"""CVE-2022-0811: a sysctl's key or value must not reach another parameter of the host."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.runtime.sysctls import check_sysctls

_OWN = frozenset({"network", "ipc", "uts", "mount", "pid"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
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
    ],
)
def test_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidParameter):
        check_sysctls({key: value}, _OWN)


@pytest.mark.parametrize("key", ["net.ipv4.ip_forward", "net/ipv4/ip_forward", "kernel.shmmax", "fs.mqueue.msg_max"])
def test_shared_namespaces_are_the_hosts(key: str) -> None:
    with pytest.raises(InvalidParameter):
        check_sysctls({key: "1"}, frozenset({"mount", "pid"}))
    assert check_sysctls({key: "1"}, _OWN) == [(key.replace("/", "."), "1")]
