"""The API's JSON, member by member: clients decode these shapes.

Set WINDLASS_UPDATE_GOLDEN=1 to write the files anew, and read the difference before committing it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.fake_engine import FakeWorld, open_world

from windlass.engine.containers.inspect import inspect
from windlass.engine.containers.list import ListRequest, list_containers
from windlass.engine.containers.start import start
from windlass.engine.containers.stats import sample
from windlass.engine.execs.create import create_exec
from windlass.engine.execs.inspect import inspect_exec
from windlass.engine.execs.table import ExecConfig
from windlass.engine.networks.view import inspect_network
from windlass.engine.system import version
from windlass.spec.container import HealthConfig, HostConfig, LogConfig, MountRequest

_FILES = Path(__file__).parent / "api"
_VOLATILE = (
    (re.compile(r"[0-9a-f]{64}"), "ID64"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID12"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z"), "TIME"),
    (re.compile(r'"(Pid|Created|system_cpu_usage|limit)": \d+'), r'"\1": 0'),
    (re.compile(r'("(?:KernelVersion|PythonVersion|Arch)": )"[^"]+"'), r'\1"HOST"'),
    (re.compile(r"/[^\"]*?/(data|run)/"), r"/ROOT/\1/"),
)


async def _created(world: FakeWorld) -> object:
    await world.make("web")
    return await inspect(world.engine, "web")


async def _running(world: FakeWorld) -> object:
    host = HostConfig(
        binds=["/etc:/host-etc:ro"],
        mounts=[MountRequest(target="/t", type="tmpfs")],
        memory=32 << 20,
        log_config=LogConfig("json-file", {"max-size": "1m"}),
    )
    await world.make(
        "web",
        ["httpd", "-f"],
        host,
        labels={"k": "v"},
        exposed_ports={"80/tcp": {}},
        stop_timeout=0,
        healthcheck=HealthConfig(test=["NONE"]),
    )
    await start(world.engine, "web")
    return await inspect(world.engine, "web")


async def _listed(world: FakeWorld) -> object:
    await _running(world)
    return await list_containers(world.engine, ListRequest())


async def _exec(world: FakeWorld) -> object:
    await _running(world)
    config = ExecConfig(cmd=["sh", "-c", "x"], user="me", attach_stdout=True)
    return inspect_exec(world.engine.execs.get(create_exec(world.engine, "web", config)))


async def _network(world: FakeWorld) -> object:
    return inspect_network(world.engine, "host")


async def _stats(world: FakeWorld) -> object:
    await world.make("web")
    return await sample(world.engine, world.engine.containers.get("web"), one_shot=True)


async def _version(world: FakeWorld) -> object:
    return version(world.engine)


_SHAPES: dict[str, Callable[[FakeWorld], Awaitable[object]]] = {
    "container-created": _created,
    "container-running": _running,
    "container-summary": _listed,
    "exec": _exec,
    "network": _network,
    "stats-stopped": _stats,
    "version": _version,
}


@pytest.mark.parametrize("name", sorted(_SHAPES))
async def test_shape(name: str, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        text = json.dumps(await _SHAPES[name](world), indent=1) + "\n"
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    file = _FILES / f"{name}.json"
    if os.environ.get("WINDLASS_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()
