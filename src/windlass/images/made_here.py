"""Images that need no registry: `windlass/hello` is in the package, busybox and Debian are made on this host."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from windlass.base.clock import parse_rfc3339
from windlass.base.errors import InvalidParameter, NotFound, Unavailable
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.images.bootstrap import RECIPES, recipe_for
from windlass.images.feed import feed, wide_pipe
from windlass.images.image import Image, Progress
from windlass.images.import_ import register_layer
from windlass.images.load import make_directory
from windlass.images.register import parse_documents, register
from windlass.images.shelf import Shelf, leased
from windlass.images.unpack import unpack_file, unpack_stream
from windlass.spec.platform import Platform, host
from windlass.spec.reference import ImageRef, parse_reference

_PASSED_ON = ("PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_LINE_LIMIT_BYTES = 64 << 10


class BootstrapFailed(Unavailable):
    """The image could not be made on this host; the message says what to do."""


class _Made(msgspec.Struct, rename="pascal"):
    """What the program says about the layer that it wrote."""

    names: list[str]
    architecture: str
    created: str
    config: dict[str, Any]


def is_made_here(ref: ImageRef) -> bool:
    """Tell whether the image of this name comes from here and from no registry."""
    named = ref.with_default_tag()
    return not named.digest and (named.familiar == _hello_name() or recipe_for(named.familiar) is not None)


async def make(shelf: Shelf, ref: ImageRef, progress: Progress) -> Image:
    """Make the image of a name for which `is_made_here` holds, whether it is there or not.

    Raises:
        BootstrapFailed: something is missing on this host; the message says what to do.
        WindlassError: the host refused.
    """
    named = ref.with_default_tag()
    if named.familiar == _hello_name():
        return await load_hello(shelf)
    return await bootstrap(shelf, recipe_for(named.familiar) or "", progress)


def _hello_name() -> str:
    from windlass.images.hello.image import NAME

    return NAME


async def load_hello(shelf: Shelf) -> Image:
    """Have `windlass/hello` in the store.

    Raises:
        NotFound: it is not made for this architecture.
        WindlassError: the host refused.
    """
    from windlass.images.hello.image import NAME, build_hello

    try:
        hello = build_hello(host().architecture)
    except ValueError as error:
        raise NotFound(str(error)) from None
    async with leased(shelf, "hello") as lease:
        for layer in hello.layers:
            await feed(_one(layer), lambda fd: unpack_stream(shelf, lease, fd))
        documents = parse_documents(hello.config, hello.manifest)
        return await register(shelf, lease, documents, [parse_reference(NAME)])


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def recipe_named(name: str) -> str:
    """Return the recipe that a user means: `busybox`, `windlass/busybox`, `windlass/debian:bookworm`.

    Raises:
        InvalidParameter: there is no such recipe.
    """
    for text in (name, f"windlass/{name}"):
        recipe = text if text in RECIPES else recipe_for(text)
        if recipe is not None:
            return recipe
    raise InvalidParameter(f"no recipe for {name[:100]!r}: there are {', '.join(sorted(RECIPES))}")


async def bootstrap(shelf: Shelf, recipe: str, progress: Progress) -> Image:
    """Make an image from Debian's signed packages, and give it its names.

    Raises:
        BootstrapFailed: something is missing on this host; the message says what to do.
        WindlassError: the host refused.
    """
    progress({"status": f"Making {recipe} from Debian's signed packages"})
    directory = await acquire_blocking(shutil.rmtree, make_directory, shelf.staging_directory)
    try:
        made = await _run(shelf, recipe, f"{directory}/layer.tar", progress)
        async with leased(shelf, "bootstrap") as lease:
            layer = await unpack_file(shelf, lease, f"{directory}/layer.tar")
            refs = [parse_reference(name).with_default_tag() for name in made.names]
            image = await register_layer(
                shelf,
                lease,
                layer,
                made.config,
                refs,
                message=f"Made by windlass image bootstrap {recipe}",
                platform=Platform(architecture=made.architecture, os="linux"),
                created_ns=parse_rfc3339(made.created),
            )
    finally:
        await run_blocking(shutil.rmtree, directory, ignore_errors=True)
    for ref in refs:
        shelf.announce("tag", image, ref.familiar)
        progress({"status": f"Made {ref.familiar}"})
    return image


async def _run(shelf: Shelf, recipe: str, output: str, progress: Progress) -> _Made:
    params = {
        "python": sys.executable,
        "path": [entry for entry in sys.path if entry],
        "arguments": [recipe, "--output", output],
        "environment": {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    }
    read_fd, write_fd = wide_pipe()
    lines = _Lines(progress)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(lines.follow(read_fd))
            try:
                result = await shelf.launcher.run_job("bootstrap", params, [write_fd])
            finally:
                os.close(write_fd)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    if result["status"] != 0:
        raise BootstrapFailed(lines.last or f"cannot build {recipe}: the program ended with {result['status']}")
    return msgspec.json.decode(str(result["document"]), type=_Made)


class _Lines:
    """The program's progress, line by line; `last` is the last one, which tells why it failed if it did."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.last = ""

    async def follow(self, fd: int) -> None:
        """Read `fd` to its end, and close it."""
        reader = asyncio.StreamReader(limit=_LINE_LIMIT_BYTES)
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(fd, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            async for line in reader:
                self.last = line.decode("utf-8", "replace").rstrip() or self.last
                self._progress({"status": self.last})
        finally:
            transport.close()
