"""Running our code from a sealed copy of the interpreter (design law 3).

Whatever enters a container can be reached from inside through `/proc/<pid>/exe`. What it finds there is a file that
nobody can write, whoever asks (CVE-2019-5736): for the daemon's zygote a memfd with all seals, for a single command
whichever is quicker of that and the host's own file behind a read-only mount that is attached nowhere (ADR 19).

The module `os` is not imported here: its millisecond comes when the interpreter is on its way.
"""

from __future__ import annotations

import posix
import sys

_BOOT = "import sys; sys.path[:] = {path!r}; sys.argv[:] = {argv!r}; from {module} import main; main()"
_BASE_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEPT = (b"PATH", b"LANG", b"LC_ALL", b"TZ")
# A megabyte is copied in the time in which a mount is made.
_QUICKLY_COPIED_BYTES = 1 << 20


def command_line(module: str, argv: list[str]) -> list[str]:
    """Return the arguments with which an interpreter runs `module.main` with our import path and nothing else."""
    path = [entry for entry in sys.path if entry]
    return [sys.executable, "-I", "-S", "-c", _BOOT.format(path=path, argv=argv, module=module)]


def environment() -> dict[bytes, bytes]:
    """Return what the interpreter needs of our environment; the rest stays here."""
    kept = {key: posix.environ[key] for key in _KEPT if key in posix.environ}
    kept.setdefault(b"PATH", _BASE_PATH)
    library = f"{sys.base_exec_prefix}/{sys.platlibdir}"
    version = sys.version_info
    try:
        posix.stat(f"{library}/libpython{version[0]}.{version[1]}{sys.abiflags}.so.1.0")
    except FileNotFoundError:
        return kept
    # A copy has no $ORIGIN from which a relocatable interpreter would find its library.
    kept[b"LD_LIBRARY_PATH"] = library.encode()
    return kept


def sealed_program() -> int:
    """Return a descriptor of the interpreter, for one `/proc/self/fd/N` and to be closed then.

    Closed, a mount behind it has no namespace any more and cannot be changed. A host that does not let us make one
    (an ordinary user's) gets a copy of any size.
    """
    if posix.stat(sys.executable).st_size > _QUICKLY_COPIED_BYTES:
        try:
            return _behind_a_mount()
        except OSError:
            pass
    from windlass.linux.sealing import seal_executable

    return seal_executable(sys.executable)


def _behind_a_mount() -> int:
    from windlass.linux.mount import AT_FDCWD, MOUNT_ATTR_RDONLY, mount_setattr, open_tree

    fd = open_tree(AT_FDCWD, sys.executable, recursive=False)
    try:
        mount_setattr(fd, attr_set=MOUNT_ATTR_RDONLY)
    except BaseException:
        posix.close(fd)
        raise
    return fd
