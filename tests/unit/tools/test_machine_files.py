"""What the machine is started with, and what is taken back from it."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest
from tools.machine import machine
from tools.machine.initramfs import initramfs
from tools.machine.parts import Kernel


def _entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a "newc" archive: mode and content by name."""
    found, at = {}, 0
    while True:
        assert archive[at : at + 6] == b"070701" and at % 4 == 0
        fields = [int(archive[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + length - 1].decode()
        start = (at + 110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[start : start + size])
        at = (start + size + 3) // 4 * 4


def test_the_archive_has_what_the_first_script_wants(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"\x7fELF odd")
    entries = _entries(initramfs(str(busybox), [("virtio", b"one"), ("virtio_pci", b"three")], "DIRECTORY=/x\n"))
    assert entries["bin/busybox"] == (0o100755, b"\x7fELF odd")
    assert entries["modules/order"][1] == b"virtio\nvirtio_pci\n" and entries["modules/virtio_pci.ko"][1] == b"three"
    assert entries["guest/settings"][1] == b"DIRECTORY=/x\n"
    assert entries["init"][0] == 0o100755 and entries["init"][1].startswith(b"#!/bin/busybox sh\n")
    assert {"guest/run", "guest/process1", "guest/modprobe", "guest/machine.service"} <= set(entries)
    assert entries["dev"][0] == entries["root"][0] == 0o040755


def test_modules_come_after_what_they_need(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, "6.0")
    (kernel.modules / "kernel").mkdir(parents=True)
    for name in ("virtio.ko", "virtio_ring.ko", "virtio_pci.ko", "fuse.ko", "virtiofs.ko", "unrelated.ko"):
        (kernel.modules / "kernel" / name).write_bytes(name.encode())
    (kernel.modules / "kernel/virtio-console.ko.xz").write_bytes(lzma.compress(b"console"))
    (kernel.modules / "modules.dep").write_text(
        "kernel/virtio.ko: kernel/virtio_ring.ko\nkernel/virtio_ring.ko:\nkernel/unrelated.ko: kernel/virtio.ko\n"
        "kernel/virtio_pci.ko: kernel/virtio.ko kernel/virtio_ring.ko\nkernel/fuse.ko:\n"
        "kernel/virtiofs.ko: kernel/virtio.ko kernel/fuse.ko\nkernel/virtio-console.ko.xz: kernel/virtio.ko\n"
    )
    # Block devices and overlays are built into this one.
    order = ["virtio_ring", "virtio", "virtio_pci", "virtio_console", "fuse", "virtiofs"]
    assert [name for name, _ in kernel.boot_modules()] == order
    assert dict(kernel.boot_modules())["virtio_console"] == b"console"


def test_files_come_back_below_the_directory_only(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("./deep/file", "../outside", "./deep/../../outside", "/absolute"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            tar.addfile(entry, io.BytesIO(b"kept"))
        link = tarfile.TarInfo("./link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    machine._unpack(packed.getvalue(), tmp_path / "target")
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    assert files == ["target/absolute", "target/deep/file"]


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu vmx sse", "kvm"), ("fpu svm", "kvm"), ("fpu hypervisor", "tcg,thread=multi")]
)
def test_kvm_only_with_the_processors_own(monkeypatch: pytest.MonkeyPatch, flags: str, expected: str) -> None:
    text = f"processor\t: 0\nflags\t\t: {flags}\n"
    monkeypatch.setattr("builtins.open", lambda *_, **__: io.StringIO(text))
    monkeypatch.setattr(machine.os, "access", lambda *_: True)
    assert machine.accelerator()[0] == expected
