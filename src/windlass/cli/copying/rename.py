"""A container's archive on its way into another container, under another name."""

from __future__ import annotations

import tarfile

from windlass.cli.copying.unpack import ChunkFile
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.copying.paths import Plan

READ_BYTES = 1024 * 1024
END = bytes(2 * tarfile.BLOCKSIZE)


def renamed_stream(chunks: Iterator[bytes], plan: Plan) -> Iterator[bytes]:
    """Yield the archive with the names that `plan` gives; as it is when it has them. Raises CliError."""
    if plan.old == plan.new:
        yield from chunks
        return
    try:
        with tarfile.open(fileobj=ChunkFile(chunks), mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                yield from _renamed(archive, member, plan)
    except tarfile.TarError as error:
        raise CliError(f"broken archive: {error}") from None
    yield END


def _renamed(archive: tarfile.TarFile, member: tarfile.TarInfo, plan: Plan) -> Iterator[bytes]:
    member.name = plan.renamed(member.name)
    if member.islnk():
        member.linkname = plan.renamed(member.linkname)
    # What these said is in the member by now, and would overrule the new names.
    member.pax_headers = {key: text for key, text in member.pax_headers.items() if key not in ("path", "linkpath")}
    yield member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        return
    while piece := content.read(READ_BYTES):
        yield piece
    yield bytes(-member.size % tarfile.BLOCKSIZE)
