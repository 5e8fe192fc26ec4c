"""A root file system of one static busybox."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from windlass.images.bootstrap.packages import downloaded
from windlass.images.bootstrap.recipe import RecipeError

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n"
GROUP = "root:x:0:\nbob:x:1000:\nwheel:x:10:bob\n"


def find_busybox() -> str | None:
    """Return the path of a static busybox: the host's, or else one from Debian's package; None without either."""
    for candidate in ("/bin/busybox", "/usr/bin/busybox", shutil.which("busybox") or ""):
        if candidate and os.path.exists(candidate):
            with open(candidate, "rb") as file:
                if b"/ld-linux" not in file.read(4096):
                    return candidate
    return _packaged_busybox()


@functools.cache
def _packaged_busybox() -> str | None:
    """Fetch busybox-static by the host's apt, once for the whole run; None where there is no apt or no mirror."""
    try:
        with downloaded("busybox-static") as package:
            content, _ = package.file("./bin/busybox")
    except RecipeError:
        return None
    path = os.path.join(tempfile.mkdtemp(prefix="windlass-busybox-"), "busybox")
    atexit.register(shutil.rmtree, os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755)
    return path


def make_busybox_root(target: Path) -> Path:
    """Fill `target` with busybox, its applets, and the files that a container expects."""
    busybox = find_busybox()
    if busybox is None:
        pytest.skip("no static busybox on this host, and none from apt-get download busybox-static")
    for name in ("bin", "dev", "etc", "proc", "sys", "root", "var"):
        (target / name).mkdir(parents=True)
    (target / "tmp").mkdir(mode=0o1777)
    shutil.copy(busybox, target / "bin/busybox")
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            (target / "bin" / applet).symlink_to("busybox")
    (target / "etc/passwd").write_text(PASSWD)
    (target / "etc/group").write_text(GROUP)
    return target
