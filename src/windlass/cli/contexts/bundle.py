"""A context as one file: a tar with `meta.json` and `tls/docker/*.pem`; zip files are read as well."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator

from windlass.cli.contexts.store import TLS_NAMES, Stored
from windlass.cli.errors import CliError
from windlass.client.json_text import dumps, loads

MAX_BUNDLE_BYTES = 10 * 1024 * 1024
META = "meta.json"
TLS_PREFIX = "tls/docker/"


def packed(context: Stored) -> bytes:
    """Return the tar of a context, the same bytes for the same context."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, META, dumps(context.meta).encode("utf-8", "surrogateescape"), 0o644)
        names = context.tls_names()
        for directory in ("tls", "tls/docker") if names else ():
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(entry)
        for name in names:
            with open(context.tls_path(name), "rb") as file:
                _add(tar, TLS_PREFIX + name, file.read(), 0o600)
    return out.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def unpacked(raw: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return (metadata, PEM files by name) of a bundle; raises CliError.

    No name in it becomes a path: only the few that are known are looked at, any other is an error.
    """
    meta: dict[str, object] | None = None
    tls: dict[str, bytes] = {}
    try:
        for name, content in _from_zip(raw) if raw[:4] == b"PK\x03\x04" else _from_tar(raw):
            if name == META:
                parsed = loads(content)
                meta = parsed if isinstance(parsed, dict) else None
            elif name.startswith(TLS_PREFIX) and name.removeprefix(TLS_PREFIX) in TLS_NAMES:
                tls[name.removeprefix(TLS_PREFIX)] = content
            else:
                raise CliError(f"unexpected context file: {name}")
    except (tarfile.TarError, zipfile.BadZipFile, ValueError) as error:
        raise CliError(f"invalid context: {error}") from None
    if meta is None:
        raise CliError("invalid context: no metadata found")
    return meta, tls


def _from_tar(raw: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
        for entry in tar:
            if entry.isdir():
                continue
            file = tar.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise CliError(f"unexpected context file: {entry.name}")
            yield entry.name.removeprefix("./"), file.read(MAX_BUNDLE_BYTES)


def _from_zip(raw: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if entry.file_size > MAX_BUNDLE_BYTES:
                raise CliError("invalid context: too large")
            with archive.open(entry) as file:
                yield entry.filename, file.read(MAX_BUNDLE_BYTES)
