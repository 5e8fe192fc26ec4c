"""One boot: start the parts, pass the command's output on, and bring back its status and files."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.machine.initramfs import initramfs
from tools.machine.parts import Parts
from tools.machine.share import die_with_parent

DEFAULT_MEMORY_MIB = 2048
DEFAULT_TIMEOUT_S = 600.0
_CHECKOUT = Path(__file__).parents[2]
_SHARE_START_S = 20.0
_DISK_BYTES = 8 << 30
# Of the caller's environment a command keeps what decides which code it runs.
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TERM", "COLUMNS")
# The host's profiles take seconds to load, /tmp would be emptied, file by file, and the clock needs no network.
_UNWANTED_UNITS = ("apparmor.service", "systemd-tmpfiles-setup.service", "systemd-timesyncd.service")
_PASSED_PREFIX = "WINDLASS_"


class MachineError(Exception):
    """The machine could not be started."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to run: a command in a directory that exists on the host, and how to boot for it."""

    command: tuple[str, ...]
    directory: str
    systemd: bool = False
    memory_mib: int = DEFAULT_MEMORY_MIB
    timeout_s: float = DEFAULT_TIMEOUT_S
    collect: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the command's exit status, or None and a `problem`; and what the kernel said."""

    status: int | None
    problem: str
    console: str


class Machine:
    """A virtual machine that lives for one request and leaves nothing."""

    def __init__(self, parts: Parts, request: Request) -> None:
        self._parts = parts
        self._request = request

    def run(self, output: int) -> Outcome:
        """Boot, run the command with its output going to the descriptor `output`, and power off."""
        with tempfile.TemporaryDirectory(prefix="windlass-machine-") as scratch, contextlib.ExitStack() as stack:
            place = Path(scratch)
            self._write_files(place)
            stack.enter_context(self._share(place))
            problem = self._boot(place, output)
            console = _text(place / "console")
            result = (place / "result").read_bytes() if (place / "result").exists() else b""
            head, newline, files = result.partition(b"\n")
            if not newline:
                return Outcome(None, problem or "it went down before the command had ended", console)
            if self._request.collect is not None:
                _unpack(files, self._request.collect)
            return Outcome(int(head), "", console)

    def _write_files(self, place: Path) -> None:
        kernel = self._parts.kernel
        archive = initramfs(self._parts.busybox, kernel.boot_modules(), self._settings())
        (place / "initramfs").write_bytes(archive)
        (place / "root").mkdir()
        with open(place / "disk", "wb") as disk:
            disk.truncate(_DISK_BYTES)
        command = [self._parts.mke2fs, "-q", "-t", "ext4", "-O", "^has_journal", str(place / "disk")]
        subprocess.run(command, check=True, capture_output=True)

    def _settings(self) -> str:
        request = self._request
        environ = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
        environ |= {name: value for name, value in os.environ.items() if name.startswith(_PASSED_PREFIX)}
        # The programs of this interpreter's environment, so that "pytest" is the one beside it.
        environ["PATH"] = f"{os.path.join(sys.prefix, 'bin')}:{environ.get('PATH', os.defpath)}"
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environ.items())
        return (
            f"SYSTEMD={int(request.systemd)}\n"
            f"MODULES={shlex.quote(str(self._parts.kernel.modules))}\n"
            f"DIRECTORY={shlex.quote(request.directory)}\n"
            f"COMMAND={shlex.quote(shlex.join(request.command))}\n"
            f"{exports}"
        )

    @contextlib.contextmanager
    def _share(self, place: Path) -> Iterator[None]:
        arguments = [self._parts.virtiofsd, str(place / "share"), str(place / "root")]
        with open(place / "share.log", "wb") as log:
            share = subprocess.Popen(
                [sys.executable, "-m", "tools.machine.share", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": f"{_CHECKOUT}:{_CHECKOUT / 'src'}"},
            )
        try:
            deadline = time.monotonic() + _SHARE_START_S
            while not (place / "share").exists():
                if share.poll() is not None or time.monotonic() > deadline:
                    raise MachineError(f"virtiofsd did not start: {_text(place / 'share.log')[-2000:]}")
                time.sleep(0.01)
            yield
        finally:
            share.kill()
            share.wait()

    def _boot(self, place: Path, output: int) -> str:
        """Run qemu to its end; returns what went wrong with it, or nothing."""
        with open(place / "qemu.log", "wb") as log:
            # A standard input that stays silent: at its end qemu would cut the port off that the output comes through.
            qemu = subprocess.Popen(
                self._qemu(place), stdin=subprocess.PIPE, stdout=output, stderr=log, preexec_fn=die_with_parent
            )
        try:
            status = qemu.wait(self._request.timeout_s)
        except subprocess.TimeoutExpired:
            return f"killed after {self._request.timeout_s:.0f} s"
        finally:
            qemu.kill()
            qemu.wait()
        return f"qemu ended with status {status}: {_text(place / 'qemu.log')[-2000:]}" if status else ""

    def _qemu(self, place: Path) -> list[str]:
        request, kernel = self._request, self._parts.kernel
        words = [self._parts.qemu, "-nodefaults", "-no-user-config", "-nographic", "-no-reboot"]
        words += ["-M", "q35", "-accel", *accelerator(), "-smp", "2", "-m", f"{request.memory_mib}M"]
        # virtiofsd reads and writes the machine's memory.
        words += ["-object", f"memory-backend-memfd,id=ram,size={request.memory_mib}M,share=on"]
        words += ["-numa", "node,memdev=ram"]
        words += ["-kernel", str(kernel.image), "-initrd", str(place / "initramfs"), "-append", self._command_line()]
        words += ["-serial", f"file:{place / 'console'}"]
        words += ["-chardev", f"socket,id=share,path={place / 'share'}"]
        words += ["-device", "vhost-user-fs-pci,chardev=share,tag=host,queue-size=1024"]
        words += ["-drive", f"file={place / 'disk'},format=raw,if=none,id=disk,cache=unsafe,discard=unmap"]
        words += ["-device", "virtio-blk-pci,drive=disk"]
        words += ["-device", "virtio-serial-pci", "-chardev", "stdio,id=output,signal=off"]
        words += ["-device", "virtserialport,chardev=output,name=output"]
        words += ["-chardev", f"file,id=result,path={place / 'result'}"]
        return [*words, "-device", "virtserialport,chardev=result,name=result"]

    def _command_line(self) -> str:
        words = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", "psi=1", "cgroup_no_v1=all"]
        if self._request.systemd:
            words += ["systemd.unified_cgroup_hierarchy=1", "systemd.unit=machine.service", "fstab=no"]
            words += ["systemd.show_status=no", *(f"systemd.mask={unit}" for unit in _UNWANTED_UNITS)]
        return " ".join(words)


def accelerator() -> list[str]:
    """Return what follows qemu's -accel, with -cpu: KVM where the processor's own is there, or else emulation.

    A /dev/kvm on a processor without VMX or SVM belongs to a hypervisor below and does not boot this kernel.
    """
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    if {"vmx", "svm"} & set(flags) and os.access("/dev/kvm", os.R_OK | os.W_OK):
        return ["kvm", "-cpu", "host"]
    return ["tcg,thread=multi", "-cpu", "max"]


def _unpack(archive: bytes, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            if content is not None and ".." not in entry.name.split("/"):
                path = target / entry.name.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(path, "wb") as file:
                    shutil.copyfileobj(content, file)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
