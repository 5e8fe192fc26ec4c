"""Pulling one image, with progress."""

from __future__ import annotations

from windlass.cli.context import STDERR, STDOUT
from windlass.cli.progress import show_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.reference import Reference


def pull_image(
    context: Context, reference: Reference, *, platform: str = "", quiet: bool = False, to_stderr: bool = False
) -> None:
    """Pull `reference`; raises CliError with the engine's reason."""
    query = {"fromImage": reference.name}
    if reference.digest or reference.tag:
        query["tag"] = reference.digest or reference.tag
    if platform:
        query["platform"] = platform
    headers = {}
    if context.config.table("auths") or context.config.table("credHelpers") or context.config.text("credsStore"):
        from windlass.cli.credentials import registry_auth

        headers = {"X-Registry-Auth": registry_auth(context.config, reference.domain)}
    answer = context.engine.stream("POST", "/images/create", query, headers=headers)
    show_progress(answer.lines(), STDERR if to_stderr else STDOUT, quiet=quiet)
