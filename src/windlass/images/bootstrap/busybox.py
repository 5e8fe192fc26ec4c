"""`windlass/busybox`: Debian's statically linked busybox with a link for each of its applets."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile

from windlass.images.bootstrap.layer import LayerWriter
from windlass.images.bootstrap.packages import downloaded
from windlass.images.bootstrap.recipe import Outcome, RecipeError, say

_NOBODY = 65534

_DIRECTORIES = {
    "bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "proc": 0o755, "root": 0o700, "run": 0o755, "sbin": 0o755,
    "sys": 0o755, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "var": 0o755, "var/log": 0o755,
    "var/spool": 0o755, "var/tmp": 0o1777,
}  # fmt: skip

_FILES = {
    "etc/group": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nmail:x:8:\nwww-data:x:33:\nnogroup:x:65534:\n",
    "etc/hostname": "",
    "etc/hosts": "",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "bin:x:2:2:bin:/bin:/bin/false\n"
        "sys:x:3:3:sys:/dev:/bin/false\n"
        "mail:x:8:8:mail:/var/spool/mail:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\n"
        "nobody:x:65534:65534:nobody:/home:/bin/false\n"
    ),
    "etc/resolv.conf": "",
    "etc/shadow": "root:*::0:::::\nnobody:*::0:::::\n",
}


def build_busybox(layer: LayerWriter) -> Outcome:
    """Write the root file system to `layer`. Needs no root.

    Raises:
        RecipeError: the package cannot be had here.
    """
    with downloaded("busybox-static") as package:
        version = package.field("Version")
        content, newest_s = package.file("./bin/busybox")
    applets = list_applets(content)
    say(f"busybox {version} with {len(applets)} applets")
    for name, mode in _DIRECTORIES.items():
        layer.directory(name, newest_s, mode)
    layer.file("bin/busybox", content, newest_s, 0o755)
    for applet in applets:
        layer.symlink(applet, link_target(applet), newest_s)
    for name, text in _FILES.items():
        layer.file(name, text.encode(), newest_s, 0o640 if name == "etc/shadow" else 0o644)
    return Outcome("sh", version, newest_s, (("busybox-static", version),))


def list_applets(busybox: bytes) -> list[str]:
    """Return where busybox wants its applets, such as "usr/bin/env", by asking it: as nobody, with nothing to reach.

    Raises:
        RecipeError: it fails, or names a place outside of the directories that the image has.
    """
    with tempfile.TemporaryDirectory(prefix="windlass-busybox-") as scratch:
        path = os.path.join(scratch, "busybox")
        with open(path, "wb") as file:
            file.write(busybox)
        os.chmod(path, 0o555)
        os.chmod(scratch, stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        nobody = _NOBODY if os.geteuid() == 0 else None
        done = subprocess.run(
            [path, "--list-full"],
            user=nobody, group=nobody, extra_groups=None if nobody is None else [],
            cwd="/", env={}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise RecipeError(f"busybox --list-full ended with status {done.returncode}")
    applets = sorted(set(done.stdout.decode("ascii").split()) - {"bin/busybox", "linuxrc"})
    for applet in applets:
        if os.path.dirname(applet) not in _DIRECTORIES:
            raise RecipeError(f"busybox names an applet at {applet!r}, where the image has no directory")
    return applets


def link_target(applet: str) -> str:
    """Return the relative target of an applet's link: "busybox" from bin, "../../bin/busybox" from usr/bin."""
    return os.path.relpath("bin/busybox", os.path.dirname(applet))
