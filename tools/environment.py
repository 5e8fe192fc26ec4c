"""Make a virtual environment hold exactly what a lock file names.

A standalone program of the standard library only: it runs before anything is installed. Two at once take
turns; a killed one leaves no stamp, so that the next one starts over.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager

STAMP = "installed.lock"

# Used where the host's Python has neither ensurepip nor pip (Debian without python3-venv). A wheel of pip runs
# from its own file.
PIP_WHEEL = (
    "https://files.pythonhosted.org/packages/44/3c/"
    "d717024885424591d5376220b5e836c2d5293ce2011523c9de23ff7bf068/pip-25.3-py3-none-any.whl"
)
PIP_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
FIRST_PIP_WITH_PYTHON_OPTION = (22, 3)
PIP_SIZE_LIMIT = 8 << 20


def main() -> int:
    """Bring the environment in step with the lock; 0, or 1 after one line that says what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", required=True, help="requirements file with hashes")
    parser.add_argument("--venv", required=True, help="directory of the environment")
    parser.add_argument("--source", required=True, help="directory to put on the environment's path")
    options = parser.parse_args()
    os.umask(0o022)
    try:
        prepare(os.path.abspath(options.lock), os.path.abspath(options.venv), os.path.abspath(options.source))
    except KeyboardInterrupt:
        return 130
    except (OSError, PreparationError) as error:
        say(f"cannot prepare {options.venv}: {error}")
        return 1
    return 0


class PreparationError(Exception):
    """A step failed; the text says which, and what to do."""


def prepare(lock: str, directory: str, source: str) -> None:
    """Install `lock` into a fresh environment at `directory` unless its stamp says that this was done."""
    # The lock file itself is what two first uses contend for. pip inherits the descriptor: should we be
    # killed, nobody else starts before pip has ended as well.
    descriptor = os.open(lock, os.O_RDONLY)
    with wait_for_turn(descriptor):
        if is_current(lock, directory):
            return
        say(f"first use: preparing {directory}")
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(directory)
        python = os.path.join(directory, "bin", "python")
        with pip_command() as pip:
            install(pip, python, lock, descriptor)
        add_to_path(python, source)
        stamp(lock, directory)


@contextmanager
def wait_for_turn(descriptor: int) -> Iterator[None]:
    """Hold an exclusive flock on `descriptor`, then close it."""
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another first use to finish")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_current(lock: str, directory: str) -> bool:
    """Tell whether the environment works and was made from these very bytes; if so renew the stamp's time."""
    try:
        with open(lock, "rb") as wanted, open(os.path.join(directory, STAMP), "rb") as installed:
            if wanted.read() != installed.read():
                return False
    except FileNotFoundError:
        return False
    if not os.access(os.path.join(directory, "bin", "python"), os.X_OK):
        return False
    try:
        copy_times(lock, os.path.join(directory, STAMP))
    except PermissionError:
        return False
    return True


def stamp(lock: str, directory: str) -> None:
    """Mark the environment complete: the last thing done, and by rename."""
    partial = os.path.join(directory, STAMP + ".partial")
    shutil.copyfile(lock, partial)
    copy_times(lock, partial)
    os.rename(partial, os.path.join(directory, STAMP))


def copy_times(origin: str, target: str) -> None:
    """Give `target` the modification time of `origin`, to the nanosecond."""
    status = os.stat(origin)
    os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))


@contextmanager
def pip_command() -> Iterator[list[str]]:
    """Yield the start of a command line that runs pip: the host's, ensurepip's bundled one, or a pinned download."""
    if host_pip_version() >= FIRST_PIP_WITH_PYTHON_OPTION:
        yield [sys.executable, "-I", "-m", "pip"]
        return
    with tempfile.TemporaryDirectory(prefix="windlass-pip-") as scratch:
        if importlib.util.find_spec("ensurepip") is not None:
            builder = os.path.join(scratch, "env")
            venv.EnvBuilder(symlinks=True, with_pip=True).create(builder)
            yield [os.path.join(builder, "bin", "python"), "-I", "-m", "pip"]
        else:
            yield [sys.executable, "-I", os.path.join(download_pip(scratch), "pip")]


def host_pip_version() -> tuple[int, ...]:
    """Return (major, minor) of this interpreter's pip; empty if it has none."""
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def download_pip(directory: str) -> str:
    """Fetch the pinned wheel of pip into `directory`, check its digest, and return its path."""
    say("this Python has no pip: fetching one")
    try:
        with urllib.request.urlopen(PIP_WHEEL, timeout=60) as answer:
            wheel: bytes = answer.read(PIP_SIZE_LIMIT)
    except OSError as error:
        raise PreparationError(f"fetching pip: {error}; on Debian or Ubuntu: apt-get install python3-venv") from error
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        raise PreparationError("the pip that was fetched has the wrong digest; apt-get install python3-venv instead")
    path = os.path.join(directory, "pip-25.3-py3-none-any.whl")
    with open(path, "wb") as file:
        file.write(wheel)
    return path


def install(pip: list[str], python: str, lock: str, inherited: int) -> None:
    """Let pip install the lock, every file checked against its hash, with a line of progress per package."""
    command = [*pip, "--python", python, "install", "--require-hashes", "--no-deps", "--no-input", "-r", lock]
    quiet = ["--progress-bar=off", "--disable-pip-version-check", "--root-user-action=ignore"]
    with open(lock, encoding="utf-8") as file:
        total = sum(1 for line in file if line[:1].isalnum())
    done = 0
    process = subprocess.Popen(
        [*command, *quiet],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # A user's configuration may say that packages go to their home; ours go into the environment.
        env=os.environ | {"PIP_USER": "0"},
        pass_fds=[inherited],
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Collecting "):
            done += 1
            say(f"fetching {line.split()[1]} ({done} of {total})", passing=True)
        elif line.startswith("Installing "):
            say("installing", passing=True)
    if process.wait() != 0:
        raise PreparationError(f"pip ended with status {process.returncode}; what it said stands above")


def add_to_path(python: str, source: str) -> None:
    """Put `source` on the environment's path, relative where it can be so that the checkout may move."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-I", "-c", query], check=True, capture_output=True, text=True).stdout.strip()
    inside = os.path.dirname(source) + os.sep
    entry = os.path.relpath(source, packages) if packages.startswith(inside) else source
    with open(os.path.join(packages, "windlass-checkout.pth"), "w", encoding="utf-8") as file:
        file.write(entry + "\n")


def say(text: str, passing: bool = False) -> None:
    """Write a line to standard error; a `passing` one only to a terminal, where the next overwrites it."""
    if sys.stderr.isatty():
        print(f"\r\033[Kwindlass: {text}", end="" if passing else "\n", file=sys.stderr, flush=True)
    elif not passing:
        print(f"windlass: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
