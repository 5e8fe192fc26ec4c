"""The contexts of one user: `contexts/meta/ID/meta.json` and `contexts/tls/ID/docker/*.pem`.

ID is the SHA-256 of the name, so that no name reaches a path. Source:
https://docs.docker.com/engine/manage-resources/contexts/ and the files that the stock command line writes.
"""

from __future__ import annotations

import hashlib
import os
import re

from windlass.cli.errors import CliError
from windlass.client.json_text import dumps, loads

DEFAULT = "default"
TLS_NAMES = ("ca.pem", "cert.pem", "key.pem")
MAX_META_BYTES = 1024 * 1024
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")


class Stored:
    """One context: its metadata as it is kept, and where its TLS files are."""

    __slots__ = ("meta", "meta_dir", "tls_dir")

    def __init__(self, meta: dict[str, object], meta_dir: str, tls_dir: str) -> None:
        self.meta = meta
        self.meta_dir = meta_dir
        self.tls_dir = tls_dir

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.meta.get("Name") or "")

    @property
    def description(self) -> str:
        """What its owner says of it."""
        about = self.meta.get("Metadata")
        return str(about.get("Description") or "") if isinstance(about, dict) else ""

    @property
    def endpoint(self) -> dict[str, object]:
        """Its engine: `Host` and `SkipTLSVerify`."""
        endpoints = self.meta.get("Endpoints")
        found = endpoints.get("docker") if isinstance(endpoints, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def host(self) -> str:
        """The address of its engine, as after `-H`."""
        return str(self.endpoint.get("Host") or "")

    def tls_path(self, name: str) -> str:
        """The path of one of its PEM files, empty when it has none of that name."""
        path = f"{self.tls_dir}/docker/{name}"
        return path if os.path.exists(path) else ""

    def tls_names(self) -> list[str]:
        """The names of the PEM files it has."""
        return [name for name in TLS_NAMES if self.tls_path(name)]


class Store:
    """The contexts below one directory of configuration."""

    def __init__(self, config_dir: str) -> None:
        self._root = f"{config_dir}/contexts"

    def _dirs(self, name: str) -> tuple[str, str]:
        identifier = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{self._root}/meta/{identifier}", f"{self._root}/tls/{identifier}"

    def names(self) -> list[str]:
        """All names, the default's among them, sorted."""
        return sorted([DEFAULT, *(context.name for context in self.all())])

    def all(self) -> list[Stored]:
        """All contexts but the default one, sorted; what cannot be read is left out."""
        try:
            entries = os.listdir(f"{self._root}/meta")
        except OSError:
            return []
        found = []
        for entry in entries:
            try:
                meta = _read(f"{self._root}/meta/{entry}")
            except (OSError, CliError):
                continue
            found.append(Stored(meta, f"{self._root}/meta/{entry}", f"{self._root}/tls/{entry}"))
        return sorted(found, key=lambda context: context.name)

    def get(self, name: str) -> Stored:
        """Return a context; raises CliError when there is none."""
        meta_dir, tls_dir = self._dirs(name)
        try:
            return Stored(_read(meta_dir), meta_dir, tls_dir)
        except FileNotFoundError:
            missing = f"open {meta_dir}/meta.json: no such file or directory"
            raise CliError(f'context "{name}": context not found: {missing}') from None

    def exists(self, name: str) -> bool:
        """Tell whether there is a context of that name."""
        return os.path.exists(f"{self._dirs(name)[0]}/meta.json")

    def put(self, meta: dict[str, object], tls: dict[str, bytes] | None) -> None:
        """Write a context, the keys first; `tls` of None leaves its PEM files as they are."""
        meta_dir, tls_dir = self._dirs(str(meta["Name"]))
        if tls is not None:
            _remove_tree(tls_dir)
            if tls:
                os.makedirs(f"{tls_dir}/docker", 0o700)
            for name, content in tls.items():
                _write(f"{tls_dir}/docker/{name}", content, 0o600)
        os.makedirs(meta_dir, 0o755, exist_ok=True)
        _write(f"{meta_dir}/meta.json", dumps(meta).encode("utf-8", "surrogateescape"), 0o644)

    def remove(self, name: str) -> None:
        """Remove a context with its keys; raises CliError when there is none."""
        if not self.exists(name):
            raise CliError(f'context "{name}" does not exist')
        for directory in self._dirs(name):
            _remove_tree(directory)


def check_name(name: str) -> None:
    """Raise CliError unless a context may have that name."""
    if name == DEFAULT:
        raise CliError('"default" is a reserved context name')
    if not _NAME.fullmatch(name):
        reason = f'names are validated against regexp "^{_NAME.pattern}$"'
        raise CliError(f'context name "{name}" is invalid, {reason}')


def new_meta(name: str, description: str, host: str, skip_verify: bool) -> dict[str, object]:
    """Return the metadata of a context."""
    return {
        "Name": name,
        "Metadata": {"Description": description} if description else {},
        "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": skip_verify}},
    }


def _read(meta_dir: str) -> dict[str, object]:
    with open(f"{meta_dir}/meta.json", "rb") as file:
        raw = file.read(MAX_META_BYTES)
    try:
        meta = loads(raw)
    except ValueError as error:
        raise CliError(f"parsing {meta_dir}/meta.json: {error}") from None
    if not isinstance(meta, dict):
        raise CliError(f"parsing {meta_dir}/meta.json: not an object")
    return meta


def _write(path: str, content: bytes, mode: int) -> None:
    """Write a file that is there whole or not at all."""
    temporary = f"{path}.tmp-{os.getpid()}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with open(fd, "wb") as file:
            file.write(content)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _remove_tree(directory: str) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)
