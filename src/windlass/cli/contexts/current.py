"""What the context in use says of its engine."""

from __future__ import annotations

from windlass.cli.contexts.store import Store
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.client.tls import TlsFiles


def resolved(name: str, config_dir: str) -> tuple[str, TlsFiles | None]:
    """Return the host and the TLS files of a context; raises CliError when there is none of that name."""
    try:
        context = Store(config_dir).get(name)
    except CliError as error:
        raise CliError(f"Failed to initialize: unable to resolve docker endpoint: {error.message}") from None
    if not context.host:
        raise CliError(f'Failed to initialize: unable to resolve docker endpoint: context "{name}" has no host')
    skip = context.endpoint.get("SkipTLSVerify") is True
    if not skip and not context.tls_names():
        return context.host, None
    from windlass.client.tls import TlsFiles

    ca, cert, key = (context.tls_path(file) for file in ("ca.pem", "cert.pem", "key.pem"))
    return context.host, TlsFiles(ca, cert, key, verify=not skip)
