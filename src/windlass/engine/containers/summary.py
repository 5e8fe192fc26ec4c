"""One container in the list of `ps`, as a document and encoded.

Source: Engine API, ContainerSummary.
"""

from __future__ import annotations

import msgspec

from windlass.engine.containers.container import Container, EncodedSummary
from windlass.engine.containers.shapes import exposed_ports, mount_points, network_settings
from windlass.engine.containers.status import status_text

_NS = 1_000_000_000
_encode = msgspec.json.Encoder().encode


def summary(container: Container, network_ids: dict[str, str], now_ns: int) -> dict[str, object]:
    """Return the API's summary; `network_ids` by name."""
    return _lasting(container, network_ids) | {"Status": status_text(container.state, now_ns)}


def is_encoded(container: Container, network_ids: dict[str, str]) -> bool:
    """Tell whether a summary is there that still holds. Documents are replaced, never changed: identity will do."""
    kept = container.encoded
    return (
        kept is not None
        and kept.intent is container.intent
        and kept.state is container.state
        and kept.network_ids == network_ids
    )


def encoded(container: Container, network_ids: dict[str, str], now_ns: int) -> bytes:
    """Return the summary's JSON: what lasts is kept with the container, its status is as of now."""
    if not is_encoded(container, network_ids) or (kept := container.encoded) is None:
        head = _encode(_lasting(container, network_ids))[:-1] + b',"Status":"'
        container.encoded = kept = EncodedSummary(container.intent, container.state, network_ids, head)
    # Statuses have no character that JSON escapes.
    return kept.head + status_text(container.state, now_ns).encode() + b'"}'


def _lasting(container: Container, network_ids: dict[str, str]) -> dict[str, object]:
    """What does not change by itself."""
    intent, state = container.intent, container.state
    host = intent.host_config
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": intent.config.image,
        "ImageID": intent.image_id,
        "Command": _command(intent.argv),
        "Created": intent.created_ns // _NS,
        "Ports": _ports(container),
        "Labels": intent.config.labels or {},
        "State": state.status,
        "HostConfig": {
            "NetworkMode": host.network_mode,
            **({"Annotations": host.annotations} if host.annotations else {}),
        },
        "NetworkSettings": {"Networks": network_settings(intent, state, network_ids)},
        "Mounts": mount_points(intent.mounts),
    }


def _command(argv: list[str]) -> str:
    path, *arguments = argv
    return " ".join([path, *(f"'{argument}'" if " " in argument else argument for argument in arguments)])


def _ports(container: Container) -> list[dict[str, object]]:
    if not container.state.is_running:
        return []
    shown: list[dict[str, object]] = []
    published = set()
    for endpoint in container.state.endpoints:
        for port in endpoint.ports:
            published.add((port.container_port, port.protocol))
            shown.append(
                {
                    "IP": port.host_ip,
                    "PrivatePort": port.container_port,
                    "PublicPort": port.host_port,
                    "Type": port.protocol,
                }
            )
    shown += [
        {"PrivatePort": number, "Type": protocol}
        for number, protocol in exposed_ports(container.intent)
        if (number, protocol) not in published
    ]
    return shown
