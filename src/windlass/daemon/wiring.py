"""Putting the engine together from its parts, in the order in which they need each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec

from windlass import __version__
from windlass.base.errors import InvalidParameter
from windlass.base.nursery import Nursery
from windlass.base.threads import run_blocking
from windlass.cgroups.driver import make_driver
from windlass.daemon.configuration import Configuration
from windlass.daemon.remapping import open_mappings
from windlass.daemon.tls import tcp_warnings
from windlass.distribution.endpoints import RegistrySettings, check_settings
from windlass.engine.containers.log_options import DEFAULT_ROTATION
from windlass.engine.containers.table import ContainerTable
from windlass.engine.engine import Engine
from windlass.engine.events import Events
from windlass.engine.execs.table import ExecTable
from windlass.engine.networks.networks import Networks
from windlass.engine.networks.spare import SpareNamespace
from windlass.engine.paths import Paths, make_roots
from windlass.engine.recovery import recover
from windlass.engine.settings import EngineSettings
from windlass.engine.volumes import Volumes
from windlass.images.service import PullOptions, open_images
from windlass.runtime.facts import probe_host
from windlass.runtime.intent import DEFAULT_CGROUP_PARENT, DaemonDefaults
from windlass.runtime.lower_spec import DEFAULT_SLICE
from windlass.runtime.zygote import ZygoteLauncher
from windlass.seccomp.cache import FilterCache
from windlass.store.containers import ContainerRows
from windlass.store.database import open_database
from windlass.store.networks import NetworkRows
from windlass.store.volumes import VolumeRows
from windlass.volumes.local import LocalVolumes

_MAX_PROFILE_BYTES = 1 << 20


@asynccontextmanager
async def open_engine(configuration: Configuration) -> AsyncIterator[Engine]:
    """Open everything below the API, take back what earlier daemons left, and close it in the end.

    Raises:
        WindlassError, OSError: a part could not be opened.
    """
    settings = engine_settings(configuration)
    defaults = await run_blocking(daemon_defaults, configuration)
    paths = Paths(settings.data_root, settings.run_root)
    await run_blocking(make_roots, paths)
    async with AsyncExitStack() as stack:
        database = await run_blocking(open_database, paths.database)
        stack.push_async_callback(database.close)
        launcher = ZygoteLauncher(settings.run_root)
        stack.push_async_callback(launcher.close)
        nursery = Nursery()
        events = Events()
        driver = await run_blocking(partial(make_driver, systemd=configuration.systemd_cgroups))
        _, images, facts = await asyncio.gather(
            launcher.start(),
            open_images(settings.data_root, database, launcher, nursery, events.emit, pull_options(configuration)),
            run_blocking(probe_host, driver.host),
        )
        stack.push_async_callback(images.close)
        mappings = await open_mappings(configuration.text("userns-remap"), launcher, paths.trash)
        if settings.ip_forward:
            # Whatever it was: the first network turns it on, or fails to be made.
            facts = msgspec.structs.replace(facts, ip_forwarding=True)
        containers = ContainerTable(ContainerRows(database), paths)
        networks = Networks(NetworkRows(database), settings, events)
        stack.push_async_callback(networks.close)
        engine = Engine(
            settings=settings,
            paths=paths,
            events=events,
            nursery=nursery,
            containers=containers,
            execs=ExecTable(),
            networks=networks,
            namespaces=SpareNamespace(launcher, nursery),
            volumes=Volumes(VolumeRows(database), LocalVolumes(paths.volumes), events, containers.using_volume),
            images=images,
            launcher=launcher,
            cgroups=driver,
            facts=facts,
            filters=FilterCache(f"{settings.data_root}/cache/seccomp"),
            defaults=defaults,
            id_mappings=mappings,
        )
        stack.push_async_callback(nursery.close)
        await recover(engine)
        await images.ensure_embedded()
        yield engine
        engine.closing = True
        for container in engine.containers:
            container.stop_monitor()
        images.hurry()
        timeout_s = engine.settings.shutdown_timeout_s
        # Less than nothing is as long as it takes, as in dockerd.
        await nursery.drain(timeout_s if timeout_s >= 0 else float("inf"))
        engine.namespaces.close()


def engine_settings(configuration: Configuration) -> EngineSettings:
    """Return what the engine is to know of the configuration."""
    given = configuration.mapping("log-opt")
    log_options = given or (dict(DEFAULT_ROTATION) if configuration.text("log-driver") == "json-file" else {})
    return EngineSettings(
        version=__version__,
        data_root=configuration.text("data-root"),
        run_root=configuration.text("exec-root"),
        bridge_name=configuration.text("bridge"),
        bridge_address=configuration.text("bip"),
        firewall_table=configuration.text("firewall-table"),
        mtu=configuration.number("mtu"),
        publish_address=configuration.text("ip"),
        icc=configuration.switch("icc"),
        ip_forward=configuration.switch("ip-forward"),
        ip_masquerade=configuration.switch("ip-masq"),
        firewall=configuration.switch("iptables"),
        dns=configuration.items("dns"),
        dns_options=configuration.items("dns-opt"),
        dns_search=configuration.items("dns-search"),
        log_driver=configuration.text("log-driver"),
        log_options=log_options,
        ulimits=configuration.ulimits,
        shm_size_bytes=configuration.shm_size_bytes,
        cgroup_parent=configuration.text("cgroup-parent"),
        ipc_mode=configuration.text("default-ipc-mode"),
        cgroupns_mode=configuration.text("default-cgroupns-mode"),
        seccomp_profile=configuration.text("seccomp-profile"),
        no_new_privileges=configuration.switch("no-new-privileges"),
        init_path=configuration.text("init-path"),
        cpu_rt_period_us=configuration.number("cpu-rt-period"),
        cpu_rt_runtime_us=configuration.number("cpu-rt-runtime"),
        labels=configuration.items("label"),
        registry_mirrors=configuration.items("registry-mirror"),
        insecure_registries=configuration.items("insecure-registry"),
        debug=configuration.log_level == "debug",
        shutdown_timeout_s=configuration.number("shutdown-timeout"),
        runtimes=configuration.runtimes,
        warnings=tcp_warnings(configuration),
    )


def daemon_defaults(configuration: Configuration) -> DaemonDefaults:
    """Return the defaults of the lowering. Blocks: it reads the seccomp profile."""
    return DaemonDefaults(
        cgroup_parent=configuration.text("cgroup-parent")
        or (DEFAULT_SLICE if configuration.systemd_cgroups else DEFAULT_CGROUP_PARENT),
        systemd_cgroups=configuration.systemd_cgroups,
        shm_size=configuration.shm_size_bytes,
        ipc_mode=configuration.text("default-ipc-mode"),
        cgroupns_mode=configuration.text("default-cgroupns-mode"),
        ulimits=list(configuration.ulimits),
        no_new_privileges=configuration.switch("no-new-privileges"),
        seccomp_profile=_seccomp_profile(configuration.text("seccomp-profile")),
        init=configuration.switch("init"),
        init_path=configuration.text("init-path"),
    )


def _seccomp_profile(name: str) -> str:
    if name in ("", "builtin"):
        return ""
    if name == "unconfined":
        return name
    try:
        with open(name, encoding="utf-8") as file:
            return file.read(_MAX_PROFILE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"opening seccomp profile failed: {error}") from None


def registry_settings(configuration: Configuration) -> RegistrySettings:
    """Return where images come from.

    Raises:
        InvalidParameter: a mirror or a host is malformed.
    """
    settings = RegistrySettings(configuration.items("registry-mirror"), configuration.items("insecure-registry"))
    check_settings(settings)
    return settings


def pull_options(configuration: Configuration) -> PullOptions:
    """Return how images are pulled."""
    return PullOptions(
        registries=registry_settings(configuration),
        max_concurrent_downloads=configuration.number("max-concurrent-downloads"),
    )
