"""`logs`: what a container has written, and goes on to write."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.flags import switch, text
from windlass.cli.session import copy_framed, copy_plain
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

_MOMENT = '(e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'
_FRAMED = "application/vnd.docker.multiplexed-stream"
_PLAIN = "application/vnd.docker.raw-stream"


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Copy the log to stdout and stderr."""
    path = f"/containers/{quote(arguments[0])}"
    answer = context.engine.stream("GET", f"{path}/logs", _query(values))
    pieces = (memoryview(chunk) for chunk in answer.chunks())
    if _is_plain(context, path, answer.head.content_type):
        copy_plain(pieces)
    else:
        copy_framed(pieces)
    return 0


def _query(values: Values) -> dict[str, str]:
    query = {"stdout": "1", "stderr": "1"}
    for name in ("details", "follow", "timestamps"):
        if values.on(name):
            query[name] = "1"
    for name in ("since", "until"):
        if values.text(name):
            from windlass.cli.timestamps import engine_timestamp

            query[name] = engine_timestamp(values.text(name), name)
    if values.text("tail"):
        query["tail"] = values.text("tail")
    return query


def _is_plain(context: Context, path: str, content_type: str) -> bool:
    """Tell whether the log is one stream, as that of a terminal; older engines do not say so themselves."""
    if content_type in (_FRAMED, _PLAIN):
        return content_type == _PLAIN
    details = context.engine.call("GET", f"{path}/json")
    return isinstance(details, dict) and bool(details.get("Config", {}).get("Tty"))


COMMAND = Command(
    "[OPTIONS] CONTAINER",
    run,
    rule=exactly(1),
    flags=(
        switch("details", "Show extra details provided to logs"),
        switch("follow", "Follow log output", "f"),
        text("since", f"Show logs since timestamp {_MOMENT}"),
        text("tail", "Number of lines to show from the end of the logs", "n", default="all"),
        switch("timestamps", "Show timestamps", "t"),
        text("until", f"Show logs before a timestamp {_MOMENT}"),
    ),
    examples="""
windlass logs -f --tail 100 web
windlass logs --since 10m -t web
""",
)
