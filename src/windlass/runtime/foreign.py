"""Lowering for another OCI runtime: the specification goes to it as it is, without our extensions.

Pure functions, beside `windlass.runtime.lower_plan`.

Source: runtime-spec config.md; docs of runc, "systemd cgroup driver" for the form of its names.
"""

from __future__ import annotations

import posixpath

import msgspec

from windlass.linux import mount as m
from windlass.runtime.mount_options import PROPAGATION_FLAGS
from windlass.spec.plan import BindRoot, OverlayRoot, Propagation
from windlass.spec.runtime import Mount, Process, RuntimeSpec, User
from windlass.spec.task import ForeignPlan, ForeignProcess, ForeignRuntime, ForeignUser

# Some runtimes refuse any other 1.x, and what we say in a newer version's words they may ignore anyway.
_OCI_VERSION = "1.0.2"
_SLICE = ".slice"
_SYSTEM_SLICE = "system.slice"
_SCOPE_PREFIX = "windlass"


def foreign_plan(spec: RuntimeSpec, runtime: ForeignRuntime, root: OverlayRoot | BindRoot, bundle: str) -> ForeignPlan:
    """Return what a supervisor needs to let `runtime` make the container of `spec`."""
    assert spec.process is not None
    assert spec.root is not None
    place = root.target if isinstance(root, OverlayRoot) else root.source
    config = msgspec.structs.replace(
        spec,
        oci_version=_OCI_VERSION,
        process=_without_user(spec.process),
        mounts=[_plainly_read_only(mount) for mount in spec.mounts],
        root=msgspec.structs.replace(spec.root, path=place),
    )
    steps: list[Propagation | OverlayRoot | BindRoot] = [*_propagation(spec.linux.rootfs_propagation, place), root]
    return ForeignPlan(runtime, bundle, _json(config), _user(spec.process), steps)


def foreign_process(process: Process) -> ForeignProcess:
    """Return one more process of a container."""
    return ForeignProcess(_json(_without_user(process)), _user(process))


def _plainly_read_only(mount: Mount) -> Mount:
    """A runtime that does not know `rro`, and ignores what it does not know, must not mount it writable."""
    if "rro" not in mount.options:
        return mount
    return msgspec.structs.replace(mount, options=["ro", *mount.options])


def _json(value: RuntimeSpec | Process) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _without_user(process: Process) -> Process:
    return msgspec.structs.replace(process, user=User())


def _user(process: Process) -> ForeignUser:
    user = process.user
    if user.username:
        return ForeignUser(user.username, list(user.additional_groups))
    return ForeignUser(f"{user.uid}:{user.gid}", [str(gid) for gid in user.additional_gids])


def _propagation(word: str, place: str) -> list[Propagation]:
    """Nothing is mounted on the host, but what comes to the host comes to us; as in `lower_plan`."""
    flags = (PROPAGATION_FLAGS[word] if word else m.MS_SLAVE) | m.MS_REC
    if flags & m.MS_SHARED:
        return [Propagation(flags), Propagation(m.MS_PRIVATE, holder_of=place)]
    return [Propagation(flags)]


def systemd_cgroup(parent: str, container_id: str) -> tuple[str, str]:
    """Return a runtime's name for a group that systemd is to make, and where it comes to be below the hierarchies.

    `parent` is a slice, or anything else for the system's.
    """
    parent = parent.strip("/")
    parent = parent if parent.endswith(_SLICE) else _SYSTEM_SLICE
    scope = f"{_SCOPE_PREFIX}-{container_id}.scope"
    return f"{parent}:{_SCOPE_PREFIX}:{container_id}", posixpath.join(_slice_path(parent), scope)


def _slice_path(name: str) -> str:
    """`a-b.slice` is inside `a.slice`. Source: systemd.slice(5)."""
    parts = posixpath.basename(name).removesuffix(_SLICE).split("-")
    return "/".join("-".join(parts[: count + 1]) + _SLICE for count in range(len(parts)))
