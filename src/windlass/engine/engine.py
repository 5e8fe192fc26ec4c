"""The engine: its parts, by which the verbs work.

A verb is a function that takes the engine first (`containers/start.py: start(engine, ...)`); this class holds the nouns
and what they share, and does nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from windlass.base.nursery import Nursery
from windlass.cgroups.model import CgroupDriver
from windlass.engine.containers.table import ContainerTable
from windlass.engine.events import Events
from windlass.engine.execs.table import ExecTable
from windlass.engine.networks.networks import Networks
from windlass.engine.networks.spare import SpareNamespace
from windlass.engine.paths import Paths
from windlass.engine.settings import EngineSettings
from windlass.engine.volumes import Volumes
from windlass.images.service import ImageService
from windlass.runtime.intent import DaemonDefaults, HostFacts
from windlass.runtime.task import Launcher
from windlass.seccomp.cache import FilterCache
from windlass.spec.id_mappings import IdMappings


@dataclass(slots=True)
class Engine:
    """Everything that verbs need; made by `windlass.daemon.wiring`.

    `id_mappings` are those of `--userns-remap`, None without. `closing` is set when the daemon is about to end: nothing
    is restarted or removed any more.
    """

    settings: EngineSettings
    paths: Paths
    events: Events
    nursery: Nursery
    containers: ContainerTable
    execs: ExecTable
    networks: Networks
    namespaces: SpareNamespace
    volumes: Volumes
    images: ImageService
    launcher: Launcher
    cgroups: CgroupDriver
    facts: HostFacts
    filters: FilterCache
    defaults: DaemonDefaults
    id_mappings: IdMappings | None = None
    closing: bool = field(default=False)
