"""Names of what is there, asked of the engine; an engine that does not answer has none, and none is started for it."""

from __future__ import annotations

import os

from windlass.client.engine import Engine
from windlass.client.errors import ClientError
from windlass.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.host import HostChoice

IDS_VARIABLE = "DOCKER_COMPLETION_SHOW_CONTAINER_IDS"
_STATES = {
    "running": ["running"],
    "paused": ["paused"],
    "stopped": ["created", "exited"],
    "container": [],
}


class Names:
    """The names on one engine, and those of the contexts in a directory of configuration."""

    def __init__(self, host: HostChoice | None, config_dir: str) -> None:
        self._engine = Engine(host.endpoint, host.api_version) if host is not None else None
        self._config_dir = config_dir

    def of(self, kind: str) -> list[str]:
        """Return the names of one kind of thing, sorted; none for a kind that is not named by the engine."""
        if kind in _STATES:
            return self._containers(_STATES[kind])
        if kind == "image":
            return self._images()
        if kind == "network":
            return self._named(self._get("/networks"))
        if kind == "volume":
            answer = self._get("/volumes")
            return self._named(answer.get("Volumes") if isinstance(answer, dict) else None)
        if kind == "object":
            return [name for each in ("container", "image", "network", "volume") for name in self.of(each)]
        if kind == "context":
            from windlass.cli.contexts.store import Store

            return Store(self._config_dir).names()
        return []

    def _containers(self, states: list[str]) -> list[str]:
        query = {"all": "1"}
        if states:
            query["filters"] = dumps({"status": {state: True for state in states}})
        found: list[str] = []
        for item in self._get("/containers/json", query) or ():  # type: ignore[attr-defined]
            found += [str(name).removeprefix("/") for name in item.get("Names") or ()]
            if os.environ.get(IDS_VARIABLE) == "yes":
                found.append(str(item["Id"])[:12])
        return sorted(name for name in found if "/" not in name)

    def _images(self) -> list[str]:
        found: set[str] = set()
        for item in self._get("/images/json") or ():  # type: ignore[attr-defined]
            for tag in item.get("RepoTags") or ():
                if not str(tag).startswith("<none>"):
                    found |= {str(tag), str(tag).removesuffix(":latest")}
        return sorted(found)

    @staticmethod
    def _named(items: object) -> list[str]:
        return sorted(str(item["Name"]) for item in items if isinstance(item, dict)) if isinstance(items, list) else []

    def _get(self, path: str, query: dict[str, str] | None = None) -> object:
        if self._engine is None:
            return None
        try:
            return self._engine.call("GET", path, query)
        except (ClientError, OSError):
            return None
