"""Containers with a user namespace of their own: what the lowering changes."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import ContainerIntent, EtcFiles, HostFacts, MountPoint, NetworkIntent, UserNamespaceIntent
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.namespaces import check_remapped
from windlass.spec.container import ContainerConfig, HostConfig
from windlass.spec.runtime import IdMapping, Namespace, RuntimeSpec

_UIDS = [IdMapping(0, 100000, 1000), IdMapping(1000, 300000, 64536)]
_GIDS = [IdMapping(0, 200000, 65536)]
_PRIVATE = UserNamespaceIntent("private", uids=_UIDS, gids=_GIDS)
_FACTS = HostFacts(sysctls=frozenset({"net.ipv4.ping_group_range"}))


def _lower(user_namespace: UserNamespaceIntent, host: HostConfig | None = None, **more: object) -> RuntimeSpec:
    return lower_container(
        ContainerIntent(
            "c",
            ContainerConfig(),
            host or HostConfig(),
            ["true"],
            "/r",
            _FACTS,
            etc=EtcFiles("/e/resolv.conf", "/e/hosts", "/e/hostname"),
            user_namespace=user_namespace,
            **more,  # type: ignore[arg-type]
        )
    )


def test_the_namespace_and_its_mappings_are_in_the_specification() -> None:
    linux = _lower(_PRIVATE).linux
    assert Namespace("user") in linux.namespaces
    assert (linux.uid_mappings, linux.gid_mappings) == (_UIDS, _GIDS)
    joined = _lower(UserNamespaceIntent("join", "/proc/7/ns/user")).linux
    assert Namespace("user", "/proc/7/ns/user") in joined.namespaces
    assert not joined.uid_mappings
    assert not any(namespace.type == "user" for namespace in _lower(UserNamespaceIntent()).linux.namespaces)


def test_only_what_is_the_engine_s_is_seen_through_the_mappings() -> None:
    mounts = [
        MountPoint("bind", "/host", "/srv"),
        MountPoint("volume", "/volume", "/v/_data", name="v"),
        MountPoint("tmpfs", "/t"),
    ]
    for user_namespace, expected in (
        (_PRIVATE, {"/volume", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"}),
        (UserNamespaceIntent(), set()),
    ):
        spec = _lower(user_namespace, mounts=mounts)
        assert {mount.destination for mount in spec.mounts if "idmap" in mount.options} == expected


def test_a_host_file_bound_over_the_engine_s_stays_the_host_s() -> None:
    spec = _lower(_PRIVATE, mounts=[MountPoint("bind", "/etc/hosts", "/srv/hosts", propagation="rprivate")])
    hosts = next(mount for mount in spec.mounts if mount.destination == "/etc/hosts")
    assert "idmap" not in hosts.options


@pytest.mark.parametrize(
    ("user_namespace", "expected"),
    [
        (UserNamespaceIntent(), "0 2147483647"),
        (_PRIVATE, "0 65535"),
        (UserNamespaceIntent("join", "/proc/7/ns/user"), None),
    ],
)
def test_ping_is_for_groups_that_exist(user_namespace: UserNamespaceIntent, expected: str | None) -> None:
    spec = _lower(user_namespace, network=NetworkIntent("private"))
    assert spec.linux.sysctl.get("net.ipv4.ping_group_range") == expected


def test_the_host_s_queues_are_not_mounted_where_they_cannot_be() -> None:
    def has_queues(user_namespace: UserNamespaceIntent, mode: str) -> bool:
        spec = _lower(user_namespace, HostConfig(ipc_mode=mode))
        return any(mount.type == "mqueue" for mount in spec.mounts)

    assert has_queues(_PRIVATE, "private") and has_queues(UserNamespaceIntent(), "host")
    assert not has_queues(_PRIVATE, "host")


@pytest.mark.parametrize(
    ("host", "text"),
    [
        (
            HostConfig(privileged=True),
            "privileged mode is incompatible with user namespaces.  You must run the",
        ),
        (HostConfig(network_mode="host"), "cannot share the host's network namespace when user namespaces are enabled"),
        (HostConfig(pid_mode="host"), "cannot share the host PID namespace when user namespaces are enabled"),
    ],
)
def test_what_needs_the_host_s_root_is_refused(host: HostConfig, text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_remapped(host)
    assert refused.value.message.startswith(text)


def test_anything_else_is_not() -> None:
    check_remapped(HostConfig(network_mode="bridge", pid_mode="container:x", ipc_mode="host", uts_mode="host"))
