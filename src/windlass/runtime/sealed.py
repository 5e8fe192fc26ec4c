"""Running our code from a sealed copy of the interpreter (design law 3).

Whatever enters a container can be reached from inside through `/proc/<pid>/exe`; the copy is a memfd that nobody can
write, whoever asks (CVE-2019-5736).
"""

from __future__ import annotations

import os
import sys
import sysconfig

from windlass.linux.process import seal_executable

_BOOT = "import sys; sys.path[:] = {path!r}; sys.argv[:] = {argv!r}; from {module} import main; main()"


def command_line(module: str, argv: list[str]) -> list[str]:
    """Return the arguments with which an interpreter runs `module.main` with our import path and nothing else."""
    path = [entry for entry in sys.path if entry]
    return [sys.executable, "-I", "-S", "-c", _BOOT.format(path=path, argv=argv, module=module)]


def environment() -> dict[str, str]:
    """Return what the interpreter needs of our environment; the rest stays here."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TZ") if key in os.environ}
    kept.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        # A memfd has no $ORIGIN from which a relocatable interpreter would find its library.
        kept["LD_LIBRARY_PATH"] = str(sysconfig.get_config_var("LIBDIR"))
    return kept


def is_sealed() -> bool:
    """Tell whether this process runs from a sealed copy already."""
    return os.readlink("/proc/self/exe").startswith("/memfd:")


def become_sealed(module: str) -> None:
    """Start this program again, from a sealed copy; returns at once in the copy."""
    if is_sealed():
        return
    memfd = seal_executable(sys.executable)
    os.execve(f"/proc/self/fd/{memfd}", command_line(module, sys.argv), environment())
