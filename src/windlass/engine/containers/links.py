"""Legacy links, `--link name:alias`: another container's address in /etc/hosts, its ports and variables in the
environment.

A link is kept with the other's id, so that it outlives a rename, and shown as dockerd does: `/db:/web/alias`.

Source: Docker, "Legacy container links".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from windlass.base.errors import InvalidParameter, NotFound, System
from windlass.engine.containers.container import Container
from windlass.engine.containers.model import Intent
from windlass.engine.containers.shapes import exposed_ports
from windlass.engine.engine import Engine
from windlass.engine.errors import AmbiguousPrefix, NoSuchContainer
from windlass.runtime.namespaces import joined_container
from windlass.spec.container import HostConfig

# These of the other's variables are its own business.
_OWN = frozenset(("HOME", "PATH"))


def settle_links(engine: Engine, host: HostConfig) -> None:
    """Replace names in the links of a new container by ids.

    Raises:
        InvalidParameter: malformed, nobody's name, or the name of one without a network of its own.
    """
    settled = []
    for link in host.links or ():
        name, alias = split_link(link)
        try:
            other = engine.containers.get(name)
        except (NoSuchContainer, AmbiguousPrefix) as error:
            # Clients take a 404 of a creation for the image's.
            raise InvalidParameter(f"could not get container for {name}: {error.message}") from error
        if other.intent.host_config.network_mode == "host":
            raise InvalidParameter(
                "conflicting options: host type networking can't be used with links. This would result in undefined "
                "behavior"
            )
        settled.append(f"{other.id}:{alias}")
    host.links = settled or None


def split_link(link: str) -> tuple[str, str]:
    """Return the name and the alias of `name`, `name:alias` or `/name:/own/alias`.

    Raises:
        InvalidParameter: malformed, in dockerd's words.
    """
    name, *rest = link.split(":")
    if not link:
        raise InvalidParameter("empty string specified for links")
    if len(rest) > 1:
        raise InvalidParameter(f"bad format for links: {link}")
    name = name.removeprefix("/")
    return name, rest[0].rpartition("/")[2] if rest else name


def linked(engine: Engine, intent: Intent) -> Iterator[tuple[Container, str]]:
    """Yield a container's links: the others that there still are, and their aliases."""
    for link in intent.host_config.links or ():
        other_id, alias = split_link(link)
        if (other := engine.containers.find(other_id)) is not None:
            yield other, alias


def shown_links(engine: Engine, intent: Intent) -> list[str] | None:
    """Return `HostConfig.Links` as it is shown."""
    return [f"/{other.name}:/{intent.name}/{alias}" for other, alias in linked(engine, intent)] or None


def host_lines(engine: Engine, intent: Intent) -> list[str]:
    """Return `name:address` for every name by which a link's other end is known."""
    lines = []
    for other, alias in linked(engine, intent):
        lines += _lines(other, alias, [endpoint.ip4 for endpoint in other.state.endpoints[:1]])
    for network, settings in intent.networks.items():
        for link in settings.links or ():
            name, alias = split_link(link)
            try:
                other = engine.containers.get(name)
            except (NoSuchContainer, AmbiguousPrefix):
                continue
            lines += _lines(other, alias, [e.ip4 for e in other.state.endpoints if e.network_name == network])
    return lines


def _lines(other: Container, alias: str, addresses: Iterable[str]) -> list[str]:
    names = dict.fromkeys((alias, other.id[:12], other.name))
    return [f"{name}:{address}" for address in addresses for name in names]


def with_link_environment(engine: Engine, intent: Intent) -> Intent:
    """Return the intent of a start: with what links put into the environment.

    Raises:
        System: a link's other end does not run.
    """
    variables = []
    for other, alias in linked(engine, intent):
        if not other.state.is_running:
            raise System(f"Cannot link to a non running container: /{other.name} AS /{intent.name}/{alias}")
        variables += _variables(intent, other, alias)
    if not variables:
        return intent
    config = msgspec.structs.replace(intent.config, env=[*(intent.config.env or ()), *variables])
    return msgspec.structs.replace(intent, config=config)


def _variables(intent: Intent, other: Container, alias: str) -> list[str]:
    prefix = alias.replace("-", "_").upper()
    address = other.state.endpoints[0].ip4 if other.state.endpoints else ""
    ports = exposed_ports(other.intent)
    found = [f"{prefix}_PORT={ports[0][1]}://{address}:{ports[0][0]}"] if ports else []
    for number, protocol in ports:
        stem = f"{prefix}_PORT_{number}_{protocol.upper()}"
        found += [
            f"{stem}={protocol}://{address}:{number}",
            f"{stem}_ADDR={address}",
            f"{stem}_PORT={number}",
            f"{stem}_PROTO={protocol}",
        ]
    found.append(f"{prefix}_NAME=/{intent.name}/{alias}")
    for entry in other.intent.config.env or ():
        name, equals, value = entry.partition("=")
        if equals and name not in _OWN:
            found.append(f"{prefix}_ENV_{name}={value}")
    return found


async def remove_link(engine: Engine, path: str) -> None:
    """Remove the link `container/alias`; it holds until the container is started again.

    Raises:
        InvalidParameter, NotFound: there is no such link.
    """
    name, slash, alias = path.strip("/").rpartition("/")
    if not slash:
        raise InvalidParameter(f"Conflict, cannot remove the default link name of the container: {path}")
    container = engine.containers.get(name)
    async with container.lock:
        intent = container.intent
        links = intent.host_config.links or []
        kept = [link for link in links if split_link(link)[1] != alias]
        if len(kept) == len(links):
            raise NotFound(f"Cannot get parent /{name} for link /{path}")
        host = msgspec.structs.replace(intent.host_config, links=kept or None)
        await engine.containers.set_intent(container, msgspec.structs.replace(intent, host_config=host))


def in_start_order(engine: Engine, containers: Iterable[Container]) -> list[Container]:
    """Return containers the oldest first, but each behind those that it is linked to or joins. Rings are broken."""
    known = {container.id: container for container in sorted(containers, key=lambda c: c.intent.created_ns)}
    begun: set[str] = set()
    ordered: list[Container] = []
    for container in known.values():
        # No recursion: chains are as long as users make them.
        stack = [container] if container.id not in begun else []
        begun.add(container.id)
        while stack:
            needed = next((n for n in _needed(engine, stack[-1]) if n in known and n not in begun), None)
            if needed is None:
                ordered.append(stack.pop())
            else:
                begun.add(needed)
                stack.append(known[needed])
    return ordered


def _needed(engine: Engine, container: Container) -> Iterator[str]:
    host = container.intent.host_config
    yield from (other.id for other, _ in linked(engine, container.intent))
    for mode in (host.network_mode, host.ipc_mode, host.pid_mode):
        if target := joined_container(mode):
            yield target
    for name in host.volumes_from or ():
        try:
            yield engine.containers.get(name.partition(":")[0]).id
        except (NoSuchContainer, AmbiguousPrefix):
            continue
