"""What a valid configuration asks for and this host, or this runtime, does not have.

Source: runtime-spec config-linux.md, "Namespaces", "IntelRdt"; ioctl_ns(2); apparmor(7).
"""

from __future__ import annotations

import fcntl
import os

from windlass.linux.namespaces import NAMESPACE_FLAGS
from windlass.runtime.oci.validate_fault import Fault, shown, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.runtime import Namespace, Process, RuntimeSpec

_NS_GET_NSTYPE = 0xB703
_FILES = {"mount": "mnt", "network": "net"}


def check_host(spec: RuntimeSpec) -> None:
    """Check namespaces, labels and cache allocation against this host.

    Raises:
        Fault: the first thing that is not there.
    """
    for index, namespace in enumerate(spec.linux.namespaces):
        _namespace(namespace, f"/linux/namespaces/{index}")
    if not any(namespace.type == "mount" and not is_ours(namespace) for namespace in spec.linux.namespaces):
        raise unsupported("/linux/namespaces", "a container in the host's mount namespace is not supported")
    if spec.process is not None:
        check_labels(spec.process, "/process")
    if spec.linux.mount_label and not has_selinux():
        raise unsupported("/linux/mountLabel", "SELinux is not enabled on this host")
    if spec.linux.intel_rdt is not None and not has_resctrl():
        raise unsupported("/linux/intelRdt", "no resctrl file system is mounted on this host")


def check_labels(process: Process, at: str) -> None:
    """Check that the security modules whose labels a process asks for are there; `at` is its pointer.

    Raises:
        Fault: one is not.
    """
    if process.apparmor_profile and not has_apparmor():
        raise unsupported(f"{at}/apparmorProfile", "AppArmor is not enabled on this host")
    if process.selinux_label and not has_selinux():
        raise unsupported(f"{at}/selinuxLabel", "SELinux is not enabled on this host")


def has_apparmor() -> bool:
    """Tell whether AppArmor is on."""
    return _starts_with("/sys/module/apparmor/parameters/enabled", b"Y")


def has_selinux() -> bool:
    """Tell whether SELinux is on."""
    return os.path.exists("/sys/fs/selinux/enforce")


def has_resctrl() -> bool:
    """Tell whether a resctrl file system is mounted."""
    with open("/proc/self/mountinfo", "rb") as file:
        return any(b" - resctrl " in line for line in file)


def has_namespace(kind: str) -> bool:
    """Tell whether the kernel has namespaces of a type of the specification."""
    return os.path.exists(_ours(kind))


def is_ours(namespace: Namespace) -> bool:
    """Tell whether the path of a namespace is that of the runtime's own: what is set in it is set on the host."""
    try:
        return os.path.samefile(namespace.path, _ours(namespace.type))
    except OSError:
        return False


def _ours(kind: str) -> str:
    return f"/proc/self/ns/{_FILES.get(kind, kind)}"


def _starts_with(path: str, start: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def _namespace(namespace: Namespace, at: str) -> None:
    if not has_namespace(namespace.type):
        raise unsupported(f"{at}/type", f"this kernel has no {namespace.type} namespaces")
    if not namespace.path:
        return
    try:
        found = _type_of(namespace.path)
    except OSError as error:
        raise Fault(f"{at}/path", f"{shown(namespace.path)}: {os.strerror(error.errno or 0)}") from None
    if found != NAMESPACE_FLAGS[namespace.type]:
        raise Fault(f"{at}/path", f"{shown(namespace.path)} is not a {namespace.type} namespace")


def _type_of(path: str) -> int:
    """Return the CLONE_NEW* flag of a namespace file, 0 for another file; nothing else is opened for it."""
    if os.stat(path).st_dev != os.stat("/proc/self/ns/mnt").st_dev:
        return 0
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return fcntl.ioctl(fd, _NS_GET_NSTYPE)
    finally:
        os.close(fd)
