"""Running our code from a sealed copy of the interpreter (design law 3).

Whatever enters a container can be reached from inside through `/proc/<pid>/exe`. What it finds there is a file that
nobody can write, whoever asks (CVE-2019-5736): for the daemon's zygote a memfd with all seals, for a single command the
host's own file behind a read-only mount that is attached nowhere and belongs to no namespace (docs/adr).
"""

from __future__ import annotations

import os
import sys

from windlass.linux.mount import AT_FDCWD, MOUNT_ATTR_RDONLY, mount_setattr, open_tree

_BOOT = "import sys; sys.path[:] = {path!r}; sys.argv[:] = {argv!r}; from {module} import main; main()"
_BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def command_line(module: str, argv: list[str]) -> list[str]:
    """Return the arguments with which an interpreter runs `module.main` with our import path and nothing else."""
    path = [entry for entry in sys.path if entry]
    return [sys.executable, "-I", "-S", "-c", _BOOT.format(path=path, argv=argv, module=module)]


def environment() -> dict[str, str]:
    """Return what the interpreter needs of our environment; the rest stays here."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TZ") if key in os.environ}
    kept.setdefault("PATH", _BASE_PATH)
    library = f"{sys.base_exec_prefix}/{sys.platlibdir}"
    version = sys.version_info
    if os.path.exists(f"{library}/libpython{version[0]}.{version[1]}{sys.abiflags}.so.1.0"):
        # A copy has no $ORIGIN from which a relocatable interpreter would find its library.
        kept["LD_LIBRARY_PATH"] = library
    return kept


def sealed_program() -> int:
    """Return a descriptor of the interpreter, for one `/proc/self/fd/N` and to be closed then.

    Closed, the mount behind it has no namespace any more and cannot be changed. A host that does not let us make one
    (an ordinary user's) gets a sealed copy in memory, which takes longer.
    """
    try:
        fd = open_tree(AT_FDCWD, sys.executable, recursive=False)
    except OSError:
        from windlass.linux.process import seal_executable

        return seal_executable(sys.executable)
    try:
        mount_setattr(fd, attr_set=MOUNT_ATTR_RDONLY)
    except BaseException:
        os.close(fd)
        raise
    return fd
