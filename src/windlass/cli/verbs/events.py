"""`events`: what happens in the engine, as it happens."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.filters import filter_flag, filters_query
from windlass.cli.flags import text
from windlass.cli.listing import INSPECT_FORMAT_USAGE, JSON, compile_template, rendered
from windlass.client.json_text import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Print one line for every event."""
    template = values.text("format")
    compiled = compile_template("{{json .}}" if template == JSON else template) if template else None
    query = filters_query(values.items("filter"))
    for name in ("since", "until"):
        if values.text(name):
            from windlass.cli.timestamps import engine_timestamp

            query[name] = engine_timestamp(values.text(name))
    answer = context.engine.stream("GET", "/events", query)
    for line in answer.lines():
        event = loads(line)
        assert isinstance(event, dict)
        if compiled is None:
            context.print(event_line(event))
        else:
            from windlass.cli.gotemplate.values import typed

            context.print(rendered(compiled, typed(event)))
    return 0


def event_line(event: dict[str, object]) -> str:
    """Return an event as one line: time, kind, action, id and attributes."""
    actor = event.get("Actor")
    actor = actor if isinstance(actor, dict) else {}
    attributes = actor.get("Attributes") or {}
    text = f"{_moment(event)} {event.get('Type')} {event.get('Action')} {actor.get('ID', '')}"
    if attributes:
        text += " (" + ", ".join(f"{name}={attributes[name]}" for name in sorted(attributes)) + ")"
    return text


def _moment(event: dict[str, object]) -> str:
    """Return local time with nine digits of fraction, as events are dated."""
    from windlass.cli.rows.moments import local_rfc3339

    nanoseconds = event.get("timeNano")
    if not isinstance(nanoseconds, int):
        seconds = event.get("time")
        nanoseconds = seconds * 1_000_000_000 if isinstance(seconds, int) else 0
    whole, fraction = divmod(nanoseconds, 1_000_000_000)
    moment = local_rfc3339(whole)
    return f"{moment[:19]}.{fraction:09d}{moment[19:]}"


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        filter_flag(),
        text("format", INSPECT_FORMAT_USAGE),
        text("since", "Show all events created since timestamp"),
        text("until", "Stream events until this timestamp"),
    ),
    examples="windlass events --filter type=container --filter event=die",
)
