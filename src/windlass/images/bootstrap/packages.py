"""Debian packages, fetched and verified by the host's apt: its sources, its keys, its sandbox user.

Source: apt-get(8), apt-secure(8), deb(5).
"""

from __future__ import annotations

import contextlib
import glob
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from windlass.images.bootstrap.recipe import RecipeError, find_program, output, run, say

# A package that nobody has signed for is refused, whatever the host's configuration says.
_SIGNED_ONLY = ("-o", "APT::Get::AllowUnauthenticated=false", "-o", "Acquire::AllowInsecureRepositories=false")
_SANDBOX_USER = "_apt"


@dataclass(frozen=True, slots=True)
class Package:
    """A package file on disk."""

    path: str

    def field(self, name: str) -> str:
        """Return a field of its control file, such as "Version"."""
        return output(["dpkg-deb", "--field", self.path, name]).decode().strip()

    def file(self, name: str) -> tuple[bytes, int]:
        """Return the content and modification time, in seconds, of the regular file `name`, such as "./bin/busybox".

        Raises:
            RecipeError: it is not in the package.
        """
        with tarfile.open(fileobj=io.BytesIO(output(["dpkg-deb", "--fsys-tarfile", self.path]))) as archive:
            for entry in archive:
                if entry.name == name and entry.isreg():
                    content = archive.extractfile(entry)
                    assert content is not None
                    return content.read(), int(entry.mtime)
        raise RecipeError(f"{os.path.basename(self.path)} holds no {name}")


@contextlib.contextmanager
def downloaded(name: str) -> Iterator[Package]:
    """Yield the package `name` in the newest version that the host's apt sources have, and remove the file at the end.

    Raises:
        RecipeError: the host has no apt, or its sources do not have the package.
    """
    for needed in ("apt-get", "dpkg-deb"):
        if find_program(needed) is None:
            raise RecipeError(
                f"it is made from Debian's package {name}, and this host has no {needed}; "
                "pull an image from a registry, or import a root file system (windlass import FILE.tar NAME)"
            )
    # Below /tmp, where apt's sandbox user can reach it; it would fetch as root otherwise.
    with tempfile.TemporaryDirectory(prefix="windlass-apt-") as scratch:
        place = os.path.join(scratch, "packages")
        os.mkdir(place)
        _give_to_sandbox(scratch, place)
        _fetch(name, scratch, place)
        (path,) = glob.glob(os.path.join(place, "*.deb"))
        yield Package(path)


def _fetch(name: str, scratch: str, place: str) -> None:
    download = ["apt-get", "--quiet", *_SIGNED_ONLY]
    say(f"fetching {name}")
    try:
        run([*download, "download", name], cwd=place)
        return
    except RecipeError:
        # No lists yet (a fresh machine), or lists so old that the mirror no longer has what they name.
        say("the host's package lists do not do; fetching lists of our own")
    lists = os.path.join(scratch, "lists")
    for directory in (lists, os.path.join(lists, "partial")):
        os.mkdir(directory)
        _give_to_sandbox(directory)
    private = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={scratch}"]
    try:
        run([*download, *private, "update"], cwd=place)
        run([*download, *private, "download", name], cwd=place)
    except RecipeError as error:
        raise RecipeError(
            f"apt-get cannot fetch {name} ({error}); check /etc/apt/sources.list and that its mirror answers"
        ) from error


def _give_to_sandbox(*directories: str) -> None:
    if os.geteuid() != 0:
        return
    for directory in directories:
        os.chmod(directory, 0o755)
        # LookupError: an apt without a sandbox user.
        with contextlib.suppress(LookupError):
            shutil.chown(directory, user=_SANDBOX_USER)
