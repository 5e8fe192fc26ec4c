"""`windlass/debian:bookworm`: the smallest Debian that has apt, made by debootstrap or mmdebstrap.

What is left out and what is configured is what the official images of Debian leave out and configure.
"""

from __future__ import annotations

import glob
import os
import re
import shutil

from windlass.images.bootstrap.layer import LayerWriter
from windlass.images.bootstrap.recipe import Outcome, RecipeError, find_program, output, run, say
from windlass.linux.mount import MS_PRIVATE, MS_REC, mount
from windlass.linux.namespaces import CLONE_NEWNS, unshare

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_SOURCE = re.compile(r"^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(?P<uri>\S+)", re.MULTILINE)
_EMPTIED = ("dev", "proc", "run", "sys", "tmp", "var/cache/apt", "var/lib/apt/lists", "var/log/apt", "var/tmp")
_REMOVED = ("var/cache/debconf/*-old", "var/cache/ldconfig/aux-cache", "var/lib/dpkg/*-old", "var/log/*.log",
            "etc/*-", "etc/apt/sources.list", "etc/apt/sources.list.d/*", ".dockerenv")  # fmt: skip
_MERGED_USR_HOOK = "/usr/share/mmdebstrap/hooks/merged-usr"
_EMPTY_FILES = ("etc/hostname", "etc/hosts", "etc/machine-id", "etc/resolv.conf")

# No package files or caches stay behind in a layer.
_DROP_CACHES = "cd /var/cache/apt && rm -f archives/*.deb archives/partial/*.deb *.bin || true"

# Debian's mirrors keep the security archive beside the main one, under this name.
_SECURITY = "-security"
_SOURCES = """\
Types: deb
URIs: {mirror}
Suites: {suite} {suite}-updates
Components: main
Signed-By: {keyring}

Types: deb
URIs: {mirror}{security}
Suites: {suite}-security
Components: main
Signed-By: {keyring}
"""

_CONFIGURATION = {
    # No package files or caches stay behind in a layer.
    "etc/apt/apt.conf.d/docker-clean": f"""\
DPkg::Post-Invoke {{ "{_DROP_CACHES}"; }};
APT::Update::Post-Invoke {{ "{_DROP_CACHES}"; }};
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
""",
    "etc/apt/apt.conf.d/docker-no-languages": 'Acquire::Languages "none";\n',
    "etc/apt/apt.conf.d/docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "etc/apt/apt.conf.d/docker-autoremove-suggests": 'Apt::AutoRemove::SuggestsImportant "false";\n',
    # A layer is committed as a whole: no fsync for each of its files.
    "etc/dpkg/dpkg.cfg.d/docker-apt-speedup": "force-unsafe-io\n",
    # No service is started when its package is installed.  Source: invoke-rc.d(8), POLICY.
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
}  # fmt: skip


def configuration(mirror: str) -> dict[str, str]:
    """Return the files that a layer gets, by name: how apt and dpkg shall work in it, and where apt finds packages."""
    sources = _SOURCES.format(mirror=mirror, suite=SUITE, keyring=KEYRING, security=_SECURITY)
    return {"etc/apt/sources.list.d/debian.sources": sources, **_CONFIGURATION}


def host_mirror() -> str:
    """Return the mirror of Debian that this host's apt uses; empty when it uses none, and the tools know their own."""
    apt = find_program("apt-get")
    if apt is None:
        return ""
    targets = output([apt, "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"]).decode()
    found = (line.split(" ") for line in targets.splitlines())
    return next((uri.rstrip("/") for origin, label, uri, *_ in found if origin == label == "Debian"), "")


def mirror_of(root: str) -> str:
    """Return the mirror that the tool has written into the apt configuration below `root`.

    Raises:
        RecipeError: it has written none.
    """
    for path in sorted(glob.glob(os.path.join(root, "etc/apt/sources.list*"))):
        files = sorted(glob.glob(os.path.join(path, "*"))) if os.path.isdir(path) else [path]
        for file in files:
            with open(file, encoding="utf-8") as lines:
                if match := _SOURCE.search(lines.read()):
                    return match["uri"].rstrip("/")
    raise RecipeError("the new root does not say where its packages came from")


def build_debian(layer: LayerWriter, scratch: str, mirror: str) -> Outcome:
    """Write the root file system to `layer`. Needs root, and space for it in the directory `scratch`.

    Packages come from `mirror`; where it is empty, from where this host's come, or the tool's own choice.

    Raises:
        RecipeError: the host has neither tool, lacks Debian's keys, or the tool failed.
    """
    root = os.path.join(scratch, "root")
    command = bootstrap_command(root, mirror or host_mirror())
    if os.geteuid() != 0:
        raise RecipeError("only root can make it")
    # The tools mount /proc and more inside the new root. In a namespace of ours that ends with us, however we end.
    unshare(CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    os.mkdir(root, 0o755)
    say(f"making Debian {SUITE} with {os.path.basename(command[0])}")
    run(command)
    packages = installed_packages(root)
    newest_s = newest_package_s(root)
    clean(root, mirror_of(root))
    say(f"writing {len(packages)} packages")
    layer.tree(root, newest_s)
    with open(os.path.join(root, "etc/debian_version"), encoding="ascii") as file:
        version = file.read().strip()
    return Outcome("bash", version, newest_s, packages)


def bootstrap_command(root: str, mirror: str) -> list[str]:
    """Return the command line of the tool that this host has, debootstrap before mmdebstrap.

    Raises:
        RecipeError: it has neither, or not Debian's keys; the text names the packages.
    """
    classic, other = find_program("debootstrap"), find_program("mmdebstrap")
    if classic is None and other is None:
        raise RecipeError(
            "it is made by debootstrap or mmdebstrap, and this host has neither; on Debian or Ubuntu: apt-get install "
            "debootstrap debian-archive-keyring; elsewhere pull or import an image"
        )
    if not os.path.exists(KEYRING):
        raise RecipeError("Debian's keys are not on this host; apt-get install debian-archive-keyring")
    if classic is not None:
        options = ["--variant=minbase", "--force-check-gpg", f"--keyring={KEYRING}"]
        return [classic, *options, SUITE, root, *([mirror] if mirror else [])]
    assert other is not None
    # Without the hook it satisfies init-system-helpers by usrmerge, which brings all of perl with it.
    options = ["--mode=root", "--format=directory", "--variant=minbase", f"--hook-dir={_MERGED_USR_HOOK}"]
    suites = (SUITE, f"{SUITE}-updates") if mirror else ()
    sources = [f"deb [signed-by={KEYRING}] {mirror} {suite} main" for suite in suites]
    return [other, *options, SUITE, root, *sources]


def installed_packages(root: str) -> tuple[tuple[str, str], ...]:
    """Return (name, version) of every package installed below `root`, by name."""
    listing = output(
        ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Package} ${Version}\\n"]
    )
    return tuple(sorted((name, version) for name, version in map(str.split, listing.decode().splitlines())))


def newest_package_s(root: str) -> int:
    """Return the date of the newest package below `root`: changelogs keep the times that they were packed with."""
    changelogs = glob.glob(os.path.join(root, "usr/share/doc/*/changelog*"))
    return max((int(os.lstat(path).st_mtime) for path in changelogs), default=0)


def clean(root: str, mirror: str) -> None:
    """Take out what belongs to this one installation, and put in how apt and dpkg shall work in a layer."""
    for name in _EMPTIED:
        _empty(os.path.join(root, name))
    for pattern in _REMOVED:
        for path in glob.glob(os.path.join(root, pattern)):
            os.unlink(path)
    for name in _EMPTY_FILES:
        _write(root, name, "")
    for name, text in configuration(mirror).items():
        _write(root, name, text)
    os.chmod(os.path.join(root, "usr/sbin/policy-rc.d"), 0o755)
    for name in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
        os.makedirs(os.path.join(root, name), exist_ok=True)


def _empty(directory: str) -> None:
    if not os.path.isdir(directory):
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _write(root: str, name: str, text: str) -> None:
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
