"""The `--docker` flag: how a new context reaches its engine."""

from __future__ import annotations

from windlass.cli.create.files import go_error
from windlass.cli.errors import CliError
from windlass.cli.flags import Flag, listing
from windlass.cli.gotext import parse_bool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.contexts.store import Store

KEYS = ("from", "host", "ca", "cert", "key", "skip-tls-verify")
_FILES = (("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem"))
MAX_PEM_BYTES = 1024 * 1024

ABOUT = """
Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ windlass context %s my-context --description "some description" --docker \
"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file\""""


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """Parse `key=value,key=value`; raises ValueError."""
    pairs = [word.partition("=") for word in text.split(",")]
    for key, equals, _ in pairs:
        if not equals:
            raise ValueError(f"{key} must be formatted as key=value")
    return [(key, value) for key, _, value in pairs]


def docker_flag() -> Flag:
    """Declare the flag."""
    return listing(
        "docker", "set the docker endpoint", parse=parse_pairs, type_name="stringToString", default_note="[]"
    )


def settings(items: list[object]) -> dict[str, str]:
    """Return the pairs of all flags; raises CliError for a key that is not known."""
    found: dict[str, str] = {}
    for pairs in items:
        assert isinstance(pairs, list)
        found.update(pairs)
    for key in found:
        if key not in KEYS:
            raise CliError(f"unable to create docker endpoint config: unrecognized config key: {key}")
    return found


def endpoint(found: dict[str, str], store: Store) -> tuple[str, bool, dict[str, bytes]]:
    """Return (host, whether to skip verification, PEM files by name) for such pairs; raises CliError."""
    if found.get("from"):
        source = store.get(found["from"])
        return source.host, source.endpoint.get("SkipTLSVerify") is True, read_pem(source.tls_dir)
    try:
        skip = parse_bool(found.get("skip-tls-verify") or "false")
    except ValueError as error:
        problem = f"skip-tls-verify: {str(error).removeprefix('strconv.ParseBool: ')}"
        raise CliError(f"unable to create docker endpoint config: {problem}") from None
    tls = {name: _content(found[key]) for key, name in _FILES if found.get(key)}
    return found.get("host", ""), skip, tls


def read_pem(tls_dir: str) -> dict[str, bytes]:
    """Return the PEM files that a context has."""
    content = {}
    for _, name in _FILES:
        try:
            with open(f"{tls_dir}/docker/{name}", "rb") as file:
                content[name] = file.read(MAX_PEM_BYTES)
        except FileNotFoundError:
            continue
    return content


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        reason = go_error("open", path, error)
        raise CliError(f"unable to create docker endpoint config: {reason}") from None
