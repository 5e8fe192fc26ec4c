"""`stats`: what containers use, once or as it changes."""

from __future__ import annotations

import threading

from windlass.cli.command import Command, anything
from windlass.cli.flags import switch, text
from windlass.cli.listing import FORMAT_USAGE, listing
from windlass.cli.rows.stats import COLUMNS, StatsRow
from windlass.client.engine import Engine
from windlass.client.errors import ApiError, ClientError
from windlass.client.json_text import loads
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values

REDRAW_S = 0.5
CLEAR_SCREEN = "\x1b[2J\x1b[H"
ERASE_LINE_END, ERASE_BELOW = "\x1b[K", "\x1b[J"


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Print one sample of each container, or a table that is drawn anew twice a second."""
    names = arguments or _all_names(context, every=values.on("all"))
    board = _Board(context.engine, trunc=not values.on("no-trunc"))
    template = values.text("format") or context.config.text("statsFormat")
    if values.on("no-stream"):
        board.sample(names)
        context.out(listing(board.rows(), StatsRow, COLUMNS, template))
        return 0
    for name in names:
        board.watch(name)
    if not arguments:
        board.watch_new(every=values.on("all"))
    return _draw(context, board, template, follows_new=not arguments)


def _all_names(context: Context, *, every: bool) -> list[str]:
    found = context.engine.call("GET", "/containers/json", {"all": "1"} if every else {})
    return [str(item["Id"]) for item in found or ()]  # type: ignore[attr-defined]


def _draw(context: Context, board: _Board, template: str, *, follows_new: bool) -> int:
    context.out(CLEAR_SCREEN)
    while True:
        board.changed.wait(REDRAW_S)
        if board.failure is not None:
            raise board.failure
        body = listing(board.rows(), StatsRow, COLUMNS, template)
        lines = "".join(f"{line}{ERASE_LINE_END}\n" for line in body.splitlines())
        context.out(f"\x1b[H{lines}{ERASE_BELOW}")
        if not follows_new and not board.is_watching:
            return 0
        threading.Event().wait(REDRAW_S)


class _Board:
    """The newest sample of every container; each is read by a thread of its own."""

    def __init__(self, engine: Engine, *, trunc: bool) -> None:
        engine.negotiate()
        self._engine = engine
        self._trunc = trunc
        self._rows: dict[str, StatsRow] = {}
        self._lock = threading.Lock()
        self._watchers: set[str] = set()
        self.changed = threading.Event()
        self.failure: ClientError | None = None

    @property
    def is_watching(self) -> bool:
        """Tell whether any container's stream is still open."""
        return bool(self._watchers)

    def rows(self) -> list[StatsRow]:
        """The rows in the order the containers were named."""
        with self._lock:
            return list(self._rows.values())

    def sample(self, names: list[str]) -> None:
        """Fetch one sample of every container, all at once; raises ApiError for one that does not exist."""
        threads = [threading.Thread(target=self._guarded, args=(name, False)) for name in names]
        for name, thread in zip(names, threads, strict=True):
            self._rows[name] = self._row({}, name)
            thread.start()
        for thread in threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def watch(self, name: str) -> None:
        """Follow a container until it ends."""
        with self._lock:
            self._rows[name] = self._row({}, name)
            self._watchers.add(name)
        threading.Thread(target=self._guarded, args=(name, True), daemon=True).start()

    def watch_new(self, *, every: bool) -> None:
        """Follow containers that start from now on, and drop those that end unless `every` stays."""
        threading.Thread(target=self._follow_events, args=(every,), daemon=True).start()

    def _row(self, data: dict[str, object], name: str) -> StatsRow:
        return StatsRow(data, name[:12] if self._trunc else name, trunc=self._trunc)

    def _guarded(self, name: str, stream: bool) -> None:
        try:
            self._read(name, stream=stream)
        except ApiError as error:
            self.failure = error
        except (ClientError, OSError):
            pass  # the container or the engine went away: the row stays as it was
        finally:
            self._watchers.discard(name)
            self.changed.set()

    def _read(self, name: str, *, stream: bool) -> None:
        engine = Engine(self._engine.endpoint, self._engine.version)
        query = {"stream": "1" if stream else "0"}
        for line in engine.stream("GET", f"/containers/{quote(name)}/stats", query).lines():
            data = loads(line)
            if isinstance(data, dict):
                with self._lock:
                    self._rows[name] = self._row(data, name)
                self.changed.set()

    def _follow_events(self, every: bool) -> None:
        engine = Engine(self._engine.endpoint, self._engine.version)
        query = {"filters": '{"type":{"container":true}}'}
        try:
            for line in engine.stream("GET", "/events", query).lines():
                event = loads(line)
                if isinstance(event, dict):
                    self._take_event(str(event.get("Action")), str(event["Actor"]["ID"]), every=every)
        except (ClientError, OSError):
            self.changed.set()

    def _take_event(self, action: str, container: str, *, every: bool) -> None:
        if action == "start" and container not in self._watchers:
            self.watch(container)
        elif action == "destroy" or (action == "die" and not every):
            with self._lock:
                self._rows.pop(container, None)


COMMAND = Command(
    "[OPTIONS] [CONTAINER...]",
    run,
    rule=anything,
    flags=(
        switch("all", "Show all containers (default shows just running)", "a"),
        text("format", FORMAT_USAGE),
        switch("no-stream", "Disable streaming stats and only pull the first result"),
        switch("no-trunc", "Do not truncate output"),
    ),
    examples="windlass stats --no-stream --format '{{.Name}}: {{.MemUsage}}'",
)
