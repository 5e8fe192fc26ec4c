"""Mistakes in a bundle's documents: where, by JSON pointer (RFC 6901), what, and which clause says so."""

from __future__ import annotations

from windlass.base.cold_json import dumps
from windlass.base.errors import InvalidParameter, NotSupported, WindlassError

_SHOWN = 80

# The clause by the longest prefix of the pointer. Source: runtime-spec 1.2 and newer, headings.
_CLAUSES: tuple[tuple[str, str], ...] = (
    ("/ociVersion", "config.md, Specification version"),
    ("/root", "config.md, Root"),
    ("/mounts", "config.md, Mounts"),
    ("/process", "config.md, Process"),
    ("/process/rlimits", "config.md, POSIX process"),
    ("/process/user", "config.md, POSIX-platform User"),
    ("/process/apparmorProfile", "config.md, Linux Process"),
    ("/process/capabilities", "config.md, Linux Process"),
    ("/process/oomScoreAdj", "config.md, Linux Process"),
    ("/process/scheduler", "config.md, Linux Process"),
    ("/process/selinuxLabel", "config.md, Linux Process"),
    ("/process/ioPriority", "config.md, Linux Process"),
    ("/process/execCPUAffinity", "config.md, Linux Process"),
    ("/process/noNewPrivileges", "config.md, Linux Process"),
    ("/hostname", "config.md, Hostname"),
    ("/domainname", "config.md, Domainname"),
    ("/hooks", "config.md, POSIX-platform Hooks"),
    ("/annotations", "config.md, Annotations"),
    ("/linux", "config-linux.md"),
    ("/linux/namespaces", "config-linux.md, Namespaces"),
    ("/linux/uidMappings", "config-linux.md, User namespace mappings"),
    ("/linux/gidMappings", "config-linux.md, User namespace mappings"),
    ("/linux/timeOffsets", "config-linux.md, Offset for Time Namespace"),
    ("/linux/devices", "config-linux.md, Devices"),
    ("/linux/netDevices", "config-linux.md, Network Devices"),
    ("/linux/cgroupsPath", "config-linux.md, Cgroups Path"),
    ("/linux/resources", "config-linux.md, Control groups"),
    ("/linux/resources/devices", "config-linux.md, Allowed Device list"),
    ("/linux/resources/memory", "config-linux.md, Memory"),
    ("/linux/resources/cpu", "config-linux.md, CPU"),
    ("/linux/resources/blockIO", "config-linux.md, Block IO"),
    ("/linux/resources/hugepageLimits", "config-linux.md, Huge page limits"),
    ("/linux/resources/network", "config-linux.md, Network"),
    ("/linux/resources/pids", "config-linux.md, PIDs"),
    ("/linux/resources/rdma", "config-linux.md, RDMA"),
    ("/linux/resources/unified", "config-linux.md, Unified"),
    ("/linux/intelRdt", "config-linux.md, IntelRdt"),
    ("/linux/memoryPolicy", "config-linux.md, Memory policy"),
    ("/linux/sysctl", "config-linux.md, Sysctl"),
    ("/linux/seccomp", "config-linux.md, Seccomp"),
    ("/linux/rootfsPropagation", "config-linux.md, Rootfs Mount Propagation"),
    ("/linux/maskedPaths", "config-linux.md, Masked Paths"),
    ("/linux/readonlyPaths", "config-linux.md, Readonly Paths"),
    ("/linux/mountLabel", "config-linux.md, Mount Label"),
    ("/linux/personality", "config-linux.md, Personality"),
)


class Fault(Exception):
    """One mistake at `pointer`; with `supported` false, a valid wish that cannot be had here."""

    def __init__(self, pointer: str, problem: str, *, supported: bool = True) -> None:
        super().__init__(pointer, problem)
        self.pointer = pointer
        self.problem = problem
        self.supported = supported

    def error(self, document: str, base: str = "") -> WindlassError:
        """Return the error for the caller; `base` is where `document` would stand in a `config.json`."""
        kind = InvalidParameter if self.supported else NotSupported
        where = f"{document}: {self.pointer}" if self.pointer else document
        text = f"{where}: {self.problem} (runtime-spec {clause(base + self.pointer)})"
        return kind(text if text.isprintable() else text.encode("unicode_escape").decode())


def unsupported(pointer: str, problem: str) -> Fault:
    """Return the fault of a valid wish that this host or this runtime does not fulfil."""
    return Fault(pointer, problem, supported=False)


def clause(pointer: str) -> str:
    """Return the document and the heading that speak of a pointer."""
    best = max((prefix for prefix, _ in _CLAUSES if f"{pointer}/".startswith(f"{prefix}/")), key=len, default="")
    return dict(_CLAUSES).get(best, "config.md")


def escaped(key: str) -> str:
    """Return a member's name as a token of a pointer. Source: RFC 6901, section 3."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def shown(value: str) -> str:
    """Return a stranger's word as it may stand in one line of an error: quoted, escaped and short."""
    return dumps(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
