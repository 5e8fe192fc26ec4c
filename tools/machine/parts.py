"""What a machine is made of, found on the host or fetched by its apt, and kept between runs."""

from __future__ import annotations

import functools
import lzma
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from windlass.images.bootstrap.packages import downloaded
from windlass.images.bootstrap.recipe import RecipeError, find_program

_KERNEL_PACKAGE = "linux-image-cloud-amd64"
_VIRTIOFSD_PLACES = ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/lib/virtiofsd")
# What the first process loads before it has the host's files, and what the machine's devices are.
_BOOT_MODULES = ("virtio_pci", "virtio_console", "virtio_blk", "virtiofs", "overlay")


class MissingPartError(Exception):
    """The host lacks something; the text names it."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel below `root`: its image, and its modules in lib/modules/`release`."""

    root: Path
    release: str

    @property
    def image(self) -> Path:
        """The compressed kernel."""
        return self.root / "boot" / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        """The directory that modprobe(8) wants as /lib/modules/RELEASE."""
        return self.root / "lib/modules" / self.release

    def boot_modules(self) -> list[tuple[str, bytes]]:
        """Return (name, ELF file) of the modules to load first, each after those it depends on."""
        needs: dict[str, list[str]] = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            name, _, others = line.partition(":")
            needs[name] = others.split()
        by_name = {_module_name(path): path for path in needs}
        order: dict[str, None] = {}
        for name in _BOOT_MODULES:
            if name in by_name:  # otherwise it is built in
                _add_module(by_name[name], needs, order)
        return [(_module_name(path), _read_module(self.modules / path)) for path in order]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything to build a machine from."""

    qemu: str
    virtiofsd: str
    busybox: str
    mke2fs: str
    kernel: Kernel


def find_parts() -> Parts:
    """Return the parts; the first time this fetches a kernel, about 30 MB.

    Raises:
        MissingPartError: this host has no such machine.
    """
    if platform.machine() != "x86_64":
        raise MissingPartError("the machine is an x86_64 one, with this host's programs")
    if os.geteuid() != 0:
        raise MissingPartError("sharing the root file system needs root")
    qemu = _program("qemu-system-x86_64", "qemu-system-x86")
    virtiofsd = next((path for path in _VIRTIOFSD_PLACES if os.access(path, os.X_OK)), None)
    if virtiofsd is None:
        raise MissingPartError("no virtiofsd (Debian packages qemu-system-common or virtiofsd)")
    busybox = _program("busybox", "busybox-static")
    with open(busybox, "rb") as file:
        if b"/ld-linux" in file.read(4096):
            raise MissingPartError("busybox is not the static one (Debian package busybox-static)")
    return Parts(qemu, virtiofsd, busybox, _program("mke2fs", "e2fsprogs"), find_kernel(busybox))


def has_systemd() -> bool:
    """Tell whether the host can boot its systemd with a D-Bus."""
    return os.access("/lib/systemd/systemd", os.X_OK) and shutil.which("dbus-daemon") is not None


def cache_directory() -> Path:
    """Return where the kernel is kept; removing it makes the next run fetch a newer one."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "windlass-machine"


@functools.cache
def find_kernel(busybox: str) -> Kernel:
    """Return the kernel in the cache, fetched if there is none.

    Raises:
        MissingPartError: there is none, and apt cannot fetch it.
    """
    place = cache_directory() / "kernel"
    if not place.is_dir():
        try:
            _fetch_kernel(place, busybox)
        except (RecipeError, OSError, subprocess.CalledProcessError) as error:
            raise MissingPartError(f"no kernel {_KERNEL_PACKAGE}: {error}") from error
    release = next((place / "lib/modules").iterdir()).name
    return Kernel(place, release)


def _fetch_kernel(place: Path, busybox: str) -> None:
    """Unpack the package that the meta package depends on, beside `place` first: a killed run leaves no half kernel."""
    with downloaded(_KERNEL_PACKAGE) as meta:
        name = meta.field("Depends").split()[0]
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="kernel-") as scratch, downloaded(name) as package:
        root = Path(scratch) / "root"
        root.mkdir()
        subprocess.run(["dpkg-deb", "--extract", package.path, str(root)], check=True)
        if not (root / "lib/modules").is_dir():  # a package for a merged /usr
            (root / "lib").symlink_to("usr/lib")
        release = next((root / "lib/modules").iterdir()).name
        subprocess.run([busybox, "depmod", "-b", str(root), release], check=True, capture_output=True)
        try:
            root.rename(place)
        except OSError:
            if not place.is_dir():  # it is, when another run was faster
                raise


def _program(name: str, package: str) -> str:
    found = find_program(name)
    if found is None:
        raise MissingPartError(f"no {name} (Debian package {package})")
    return found


def _module_name(path: str) -> str:
    return os.path.basename(path).partition(".")[0].replace("-", "_")


def _add_module(path: str, needs: dict[str, list[str]], order: dict[str, None]) -> None:
    if path not in order:
        for other in needs[path]:
            _add_module(other, needs, order)
        order[path] = None


def _read_module(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content
