"""`cp`: files between containers and this host, and from one container to another."""

from __future__ import annotations

import os

from windlass.cli.command import Command, at_least
from windlass.cli.context import STDOUT, write_all
from windlass.cli.copying.paths import (
    GO_MODE_DIR,
    GO_MODE_SYMLINK,
    Place,
    base_name,
    parent,
    plan,
    split_argument,
)
from windlass.cli.create.files import go_error
from windlass.cli.errors import CliError
from windlass.cli.flags import switch
from windlass.cli.units import human_size
from windlass.client.errors import ApiError
from windlass.client.json_text import loads
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.context import Context
    from windlass.cli.flags import Values

SIZE_DIGITS = 3


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Copy each source to the one destination."""
    *sources, target = arguments
    chosen = [place for source in sources for place in _chosen(context, *split_argument(source))]
    target_container, target_path = split_argument(target)
    if len(chosen) > 1 and not _takes_many(context, target_container, target_path):
        raise CliError(f'destination "{target}" must be a directory')
    for container, source in chosen:
        _copy(context, values, container, source, target_container, target_path)
    return 0


def _chosen(context: Context, container: str, path: str) -> list[tuple[str, str]]:
    """Return what a source means: itself, or the paths of the container that its pattern meets."""
    if not container or not any(letter in path for letter in "*?[") or _stat(context, container, path) is not None:
        return [(container, path)]
    found = context.engine.call("GET", f"/windlass/containers/{quote(container)}/paths", {"path": path})
    if not isinstance(found, list) or not found:
        raise CliError(f"Could not find the file {path} in container {container}")
    return [(container, str(each)) for each in found]


def _takes_many(context: Context, container: str, path: str) -> bool:
    if not container:
        return os.path.isdir(path)
    facts = _stat(context, container, f"{path.rstrip('/')}/.")
    return bool(facts and _mode(facts) & GO_MODE_DIR)


def _copy(
    context: Context, values: Values, source_container: str, source: str, target_container: str, target: str
) -> None:
    shown = f"{target_container}:{target}"
    if source_container and target_container:
        size = _copy_between(context, values, source_container, source, target_container, target)
    elif source_container:
        size = _copy_out(context, values, source_container, source, target)
        shown = os.path.abspath(target)
    elif target_container:
        size = _copy_in(context, values, source, target_container, target)
    else:
        raise CliError("must specify at least one container source")
    quiet = values.on("quiet") if values.given("quiet") else not os.isatty(STDOUT)
    if not quiet and "-" not in (source, target):
        context.warn(f"Successfully copied {human_size(size, SIZE_DIGITS)} to {shown}")


def _copy_between(
    context: Context, values: Values, source_container: str, source: str, target_container: str, target: str
) -> int:
    """Pass the archive that one container gives on to the other."""
    path, wanted_name = _followed(context, values, source_container, source)
    answer = context.engine.stream("GET", f"/containers/{quote(source_container)}/archive", {"path": path})
    facts = _decode(answer.head.headers.get("x-docker-container-path-stat", ""))
    is_dir = bool(facts and _mode(facts) & GO_MODE_DIR)
    target, there = _place_in(context, target_container, target)
    chosen = plan(Place(path, exists=True, is_dir=is_dir), base_name(path), there)
    if chosen.new == base_name(path):
        chosen.new = wanted_name
    from windlass.cli.copying.rename import renamed_stream

    return _put(context, values, target_container, chosen.directory, renamed_stream(answer.chunks(), chosen))


def _followed(context: Context, values: Values, container: str, source: str) -> tuple[str, str]:
    """Return the path to copy, and what the copy is called: with `-L` a link is its target by the link's name."""
    name = base_name(source)
    if values.on("follow-link"):
        facts = _stat(context, container, source)
        if facts is not None and _mode(facts) & GO_MODE_SYMLINK:
            source = str(facts["linkTarget"])
    return source, name


def _copy_out(context: Context, values: Values, container: str, source: str, target: str) -> int:
    if target != "-" and not os.path.isdir(parent(target)):
        raise CliError(f'invalid output path: directory "{os.path.abspath(parent(target))}" does not exist')
    source, source_base = _followed(context, values, container, source)
    path = f"/containers/{quote(container)}/archive"
    answer = context.engine.stream("GET", path, {"path": source})
    if target == "-":
        for chunk in answer.chunks():
            write_all(STDOUT, chunk)
        return 0
    facts = _decode(answer.head.headers.get("x-docker-container-path-stat", ""))
    is_dir = bool(facts and _mode(facts) & GO_MODE_DIR)
    here = Place(target, exists=os.path.lexists(target), is_dir=os.path.isdir(target))
    chosen = plan(Place(source, exists=True, is_dir=is_dir), base_name(source), here)
    if base_name(source) != source_base and chosen.new == base_name(source):
        chosen.new = source_base
    from windlass.cli.copying.unpack import unpack

    return unpack(answer.chunks(), chosen.directory, chosen.renamed, owners=values.on("archive"))


def _place_in(context: Context, container: str, target: str) -> tuple[str, Place]:
    """Return the destination in a container, a link at its end followed once, and what is there."""
    facts = _stat(context, container, target)
    if facts is not None and _mode(facts) & GO_MODE_SYMLINK:
        target = str(facts["linkTarget"])
        facts = _stat(context, container, target)
    is_dir = bool(facts and _mode(facts) & GO_MODE_DIR)
    return target, Place(target, exists=facts is not None, is_dir=is_dir)


def _copy_in(context: Context, values: Values, source: str, container: str, target: str) -> int:
    target, there = _place_in(context, container, target)
    if source == "-":
        if not there.is_dir:
            raise CliError(f'destination "{container}:{target}" must be a directory')
        from windlass.cli.transfer import file_pieces

        pieces, directory = file_pieces("-"), target
    else:
        from windlass.cli.copying.pack import tar_stream

        local = os.path.realpath(source) if values.on("follow-link") else source
        chosen = plan(_local_place(local), base_name(source), there)
        pieces, directory = tar_stream(local, chosen.new), chosen.directory
    return _put(context, values, container, directory, pieces)


def _put(context: Context, values: Values, container: str, directory: str, pieces: Iterator[bytes]) -> int:
    """Send an archive; return its size in bytes."""
    query = {"path": directory, "noOverwriteDirNonDir": "true"}
    if values.on("archive"):
        query["copyUIDGID"] = "true"
    counted = _Counted()
    context.engine.stream(
        "PUT",
        f"/containers/{quote(container)}/archive",
        query,
        headers={"Content-Type": "application/x-tar"},
        upload=counted.through(pieces),
    ).read()
    return counted.size


class _Counted:
    """Counts the bytes that pass."""

    size = 0

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            yield piece


def _local_place(path: str) -> Place:
    try:
        os.lstat(path)
    except OSError as error:
        raise CliError(go_error("lstat", os.path.abspath(path), error)) from None
    is_dir = os.path.isdir(path) and (path.endswith(("/", "/.")) or not os.path.islink(path))
    return Place(path, exists=True, is_dir=is_dir)


def _stat(context: Context, container: str, path: str) -> dict[str, object] | None:
    """Return what is at a path of the container; None also when the engine cannot say: the copy itself will tell."""
    try:
        answer = context.engine.stream("HEAD", f"/containers/{quote(container)}/archive", {"path": path})
    except ApiError:
        return None
    return _decode(answer.head.headers.get("x-docker-container-path-stat", ""))


def _decode(header: str) -> dict[str, object] | None:
    import base64

    facts = loads(base64.b64decode(header)) if header else None
    return facts if isinstance(facts, dict) else None


def _mode(facts: dict[str, object]) -> int:
    mode = facts.get("mode")
    return mode if isinstance(mode, int) else 0


COMMAND = Command(
    "[OPTIONS] CONTAINER:SRC_PATH... DEST_PATH|-\n[OPTIONS] SRC_PATH...|- CONTAINER:DEST_PATH",
    run,
    rule=at_least(2),
    about="""Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.

Both sides may be containers. Several sources, or a pattern such as
CONTAINER:/etc/*.conf, go into a directory.""",
    flags=(
        switch("archive", "Archive mode (copy all uid/gid information)", "a"),
        switch("follow-link", "Always follow symbol link in SRC_PATH", "L"),
        switch(
            "quiet",
            "Suppress progress output during copy. "
            "Progress output is automatically suppressed if no terminal is attached",
            "q",
        ),
    ),
    examples="""
windlass cp web:/etc/nginx/nginx.conf .
windlass cp site/. web:/usr/share/nginx/html
windlass cp 'web:/var/log/*.log' old:/srv/data logs/
""",
)
