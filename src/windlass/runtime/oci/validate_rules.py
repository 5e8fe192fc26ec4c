"""What the members of a configuration must say, beyond their types.

Source: runtime-spec config.md and config-linux.md; the clause of each error is found by its pointer.
"""

from __future__ import annotations

from windlass.linux.capabilities import CAPABILITY_NUMBERS
from windlass.runtime.oci.validate_fault import Fault, shown, unsupported
from windlass.runtime.oci.validate_host import is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.spec.runtime import Capabilities, Device, Hooks, Linux, Mount, Process, RuntimeSpec, User

    Warn = Callable[[str], None]

_NOBODY = (1 << 32) - 1
_MAX_TERMINAL = (1 << 16) - 1
_MAX_NAME = 64
_MAX_MAJOR, _MAX_MINOR = (1 << 12) - 1, (1 << 20) - 1
_FILE_TYPES = {"c": 0o020000, "u": 0o020000, "b": 0o060000, "p": 0o010000}


def check_spec(spec: RuntimeSpec, warn: Warn) -> None:
    """Check a whole configuration; `warn` hears of what cannot be granted and is no error.

    Raises:
        Fault: the first rule that is broken.
    """
    _version(spec.oci_version)
    if spec.root is None:
        raise Fault("/root", "is required")
    if not spec.root.path:
        raise Fault("/root/path", "must not be empty")
    if spec.process is None:
        raise Fault("/process", "is required")
    own = _namespaces(spec)
    check_process(spec.process, "/process", warn)
    _names(spec, own)
    for index, mount in enumerate(spec.mounts):
        _mount(mount, "user" in own, f"/mounts/{index}")
    if spec.hooks is not None:
        _hooks(spec.hooks)
    if "" in spec.annotations:
        raise Fault("/annotations/", "a key must not be empty")
    _linux(spec.linux, own)
    _identity_is_mapped(spec)


def _version(version: str) -> None:
    core = version.partition("+")[0].partition("-")[0].split(".")
    if len(core) != 3 or not all(part.isdecimal() and part.isascii() and str(int(part)) == part for part in core):
        raise Fault("/ociVersion", f"{shown(version)} is not a version of the form 1.2.3")
    if core[0] != "1":
        raise unsupported("/ociVersion", f"{shown(version)} is not a version 1")


# --- process --------------------------------------------------------------------------------------


def check_process(process: Process, at: str, warn: Warn) -> None:
    """Check a process; `at` is its pointer.

    Raises:
        Fault: the first rule that is broken.
    """
    if not process.args:
        raise Fault(f"{at}/args", "must not be empty")
    _absolute(process.cwd, f"{at}/cwd")
    for index, entry in enumerate(process.env):
        if "=" not in entry[1:]:
            raise Fault(f"{at}/env/{index}", f"{shown(entry)} is not of the form NAME=VALUE")
    size = process.console_size
    if process.terminal and size is not None:
        for name, value in (("height", size.height), ("width", size.width)):
            if value > _MAX_TERMINAL:
                raise Fault(f"{at}/consoleSize/{name}", f"{value} is not between 0 and {_MAX_TERMINAL}")
    _user(process.user, f"{at}/user")
    if process.capabilities is not None:
        _capabilities(process.capabilities, f"{at}/capabilities", warn)
    _rlimits(process, f"{at}/rlimits")
    if process.oom_score_adj is not None and not -1000 <= process.oom_score_adj <= 1000:
        raise Fault(f"{at}/oomScoreAdj", f"{process.oom_score_adj} is not between -1000 and 1000")
    if process.scheduler or process.io_priority or process.exec_cpu_affinity:
        from windlass.runtime.oci.validate_scheduling import check_scheduling

        check_scheduling(process, at)


def _user(user: User, at: str) -> None:
    ids = (
        ("uid", user.uid),
        ("gid", user.gid),
        *((f"additionalGids/{i}", g) for i, g in enumerate(user.additional_gids)),
    )
    for name, value in ids:
        if value == _NOBODY:
            raise Fault(f"{at}/{name}", f"{value} is no id")
    if user.umask is not None and user.umask > 0o777:
        raise Fault(f"{at}/umask", f"{user.umask} is not between 0 and {0o777}")


def _capabilities(capabilities: Capabilities, at: str, warn: Warn) -> None:
    """Say what cannot be granted: the specification forbids to fail for it."""
    for name in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        for index, word in enumerate(getattr(capabilities, name)):
            if word not in CAPABILITY_NUMBERS:
                warn(f"{at}/{name}/{index}: unknown capability {shown(word)} is ignored")


def _rlimits(process: Process, at: str) -> None:
    seen: set[str] = set()
    for index, limit in enumerate(process.rlimits):
        if limit.type in seen:
            raise Fault(f"{at}/{index}/type", f"{limit.type} is limited twice")
        if limit.soft > limit.hard:
            raise Fault(f"{at}/{index}/soft", f"{limit.soft} is above the hard limit {limit.hard}")
        seen.add(limit.type)


# --- namespaces, names, mounts, hooks ---------------------------------------------------------------


def _namespaces(spec: RuntimeSpec) -> frozenset[str]:
    """Check the namespaces and return the types that are not the runtime's own ones (CVE-2022-0532)."""
    seen: set[str] = set()
    own: set[str] = set()
    for index, namespace in enumerate(spec.linux.namespaces):
        at = f"/linux/namespaces/{index}"
        if namespace.type in seen:
            raise Fault(f"{at}/type", f'namespace "{namespace.type}" is given twice')
        seen.add(namespace.type)
        if namespace.path:
            _absolute(namespace.path, f"{at}/path")
        if not namespace.path or not is_ours(namespace):
            own.add(namespace.type)
    return frozenset(own)


def _names(spec: RuntimeSpec, own: frozenset[str]) -> None:
    for at, name in (("/hostname", spec.hostname), ("/domainname", spec.domainname)):
        if name and "uts" not in own:
            raise Fault(at, "needs a uts namespace of the container's own")
        if len(name.encode()) > _MAX_NAME:
            raise Fault(at, f"is longer than {_MAX_NAME} bytes")


def _mount(mount: Mount, has_user_namespace: bool, at: str) -> None:
    if not mount.destination:
        raise Fault(f"{at}/destination", "must not be empty")
    options = frozenset(mount.options)
    bind = mount.type == "bind" or bool(options & {"bind", "rbind"})
    if bind and not mount.source:
        raise Fault(f"{at}/source", "is required for a bind mount")
    if not bind and not mount.type and "remount" not in options:
        raise Fault(f"{at}/type", "is required where the options have neither bind nor rbind")
    if bool(mount.uid_mappings) != bool(mount.gid_mappings):
        missing = "gidMappings" if mount.uid_mappings else "uidMappings"
        raise Fault(f"{at}/{missing}", "is required: user and group mappings come together")
    if options & {"idmap", "ridmap"} or mount.uid_mappings:
        _mapped_mount(mount, options, bind, has_user_namespace, at)
    if "tmpcopyup" in options and mount.type != "tmpfs":
        raise Fault(f"{at}/options/{mount.options.index('tmpcopyup')}", "tmpcopyup is for mounts of type tmpfs")


def _mapped_mount(mount: Mount, options: frozenset[str], bind: bool, has_user_namespace: bool, at: str) -> None:
    if {"idmap", "ridmap"} <= options:
        raise Fault(f"{at}/options/{mount.options.index('ridmap')}", "ridmap contradicts idmap")
    if not bind:
        raise unsupported(f"{at}/options", "mapped ids are supported for bind mounts only")
    if mount.uid_mappings:
        from windlass.runtime.oci.validate_mappings import check_mappings

        check_mappings(mount.uid_mappings, f"{at}/uidMappings")
        check_mappings(mount.gid_mappings, f"{at}/gidMappings")
    elif not has_user_namespace:
        raise Fault(f"{at}/uidMappings", "is required for idmap without a user namespace")


def _hooks(hooks: Hooks) -> None:
    for member, point in zip(hooks.__struct_fields__, hooks.__struct_encode_fields__, strict=True):
        for index, hook in enumerate(getattr(hooks, member)):
            at = f"/hooks/{point}/{index}"
            _absolute(hook.path, f"{at}/path")
            if hook.timeout is not None and hook.timeout <= 0:
                raise Fault(f"{at}/timeout", f"{hook.timeout} is not greater than zero")


# --- linux ------------------------------------------------------------------------------------------


def _linux(linux: Linux, own: frozenset[str]) -> None:
    for at, paths in (("/linux/maskedPaths", linux.masked_paths), ("/linux/readonlyPaths", linux.readonly_paths)):
        for index, path in enumerate(paths):
            _absolute(path, f"{at}/{index}")
    if ".." in linux.cgroups_path.split("/") or "\n" in linux.cgroups_path:
        raise Fault("/linux/cgroupsPath", f"{shown(linux.cgroups_path)} must not have .. in it")
    _devices(linux.devices)
    if linux.sysctl:
        _sysctls(linux, own)
    if linux.uid_mappings or linux.gid_mappings or "user" in own:
        from windlass.runtime.oci.validate_mappings import check_user_namespace

        check_user_namespace(linux)
    if linux.resources is not None:
        from windlass.runtime.oci.validate_resources import check_resources

        check_resources(linux.resources, "/linux/resources")
    if linux.seccomp is not None:
        from windlass.runtime.oci.validate_seccomp import check_seccomp

        check_seccomp(linux.seccomp, "/linux/seccomp")
    if linux.time_offsets or linux.net_devices or linux.personality or linux.memory_policy or linux.intel_rdt:
        from windlass.runtime.oci.validate_rare import check_rare

        check_rare(linux, own)


def _devices(devices: Iterable[Device]) -> None:
    seen: dict[str, tuple[str, int, int]] = {}
    for index, device in enumerate(devices):
        at = f"/linux/devices/{index}"
        _absolute(device.path, f"{at}/path")
        if device.type != "p":
            # Major number 0 is that of no device: left out, most likely.
            if not 0 < device.major <= _MAX_MAJOR:
                raise Fault(f"{at}/major", f"is required, from 1 to {_MAX_MAJOR}, for a device of type {device.type}")
            if not 0 <= device.minor <= _MAX_MINOR:
                raise Fault(f"{at}/minor", f"{device.minor} is not between 0 and {_MAX_MINOR}")
        _device_mode(device, f"{at}/fileMode")
        identity = (device.type, device.major, device.minor)
        if seen.setdefault(device.path, identity) != identity:
            raise Fault(f"{at}/path", f"{shown(device.path)} is another device already")


def _device_mode(device: Device, at: str) -> None:
    """The schema ends at 0777; engines send the whole mode of the host's file, its type included."""
    mode = device.file_mode or 0
    if mode >> 12 and mode & ~0o7777 != _FILE_TYPES[device.type]:
        raise Fault(at, f"{mode} is not the mode of a device of type {device.type}")


def _sysctls(linux: Linux, own: frozenset[str]) -> None:
    from windlass.base.errors import InvalidParameter
    from windlass.runtime.oci.validate_fault import escaped
    from windlass.runtime.sysctls import check_sysctls

    for key, value in linux.sysctl.items():
        try:
            check_sysctls({key: value}, own)
        except InvalidParameter as error:
            raise Fault(f"/linux/sysctl/{escaped(key)}", error.message) from None


def _identity_is_mapped(spec: RuntimeSpec) -> None:
    """The process's ids must exist in its user namespace, when we know its mappings."""
    linux = spec.linux
    if spec.process is None or not linux.uid_mappings or not linux.gid_mappings:
        return
    from windlass.runtime.oci.validate_mappings import is_mapped

    user = spec.process.user
    if not is_mapped(user.uid, linux.uid_mappings):
        raise Fault("/process/user/uid", f"{user.uid} is not in uidMappings")
    groups = (("gid", user.gid), *((f"additionalGids/{i}", gid) for i, gid in enumerate(user.additional_gids)))
    for name, gid in groups:
        if not is_mapped(gid, linux.gid_mappings):
            raise Fault(f"/process/user/{name}", f"{gid} is not in gidMappings")


def _absolute(path: str, at: str) -> None:
    if not path.startswith("/"):
        raise Fault(at, f"{shown(path)} is not an absolute path")
