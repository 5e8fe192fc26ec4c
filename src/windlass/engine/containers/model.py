"""What is kept of a container: its intent, fixed but for `rename` and `update`, and its state.

Both are documents in the store. Whatever can be computed from them is computed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from windlass.engine.health.model import Health
from windlass.runtime.intent import MountPoint
from windlass.spec.container import ContainerConfig, EndpointSettings, HostConfig

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]

# Where signal numbers and death by them meet in exit codes.
SIGNALLED = 128


class Intent(msgspec.Struct, frozen=True):
    """A container as it was created: the image's defaults merged in, names resolved."""

    id: str
    name: str
    created_ns: int
    image_id: str
    config: ContainerConfig
    host_config: HostConfig
    networks: dict[str, EndpointSettings]
    mounts: list[MountPoint]
    argv: list[str]


class PublishedPort(msgspec.Struct, frozen=True):
    """A published port as it was given."""

    container_port: int
    protocol: str
    host_ip: str
    host_port: int


class EndpointState(msgspec.Struct, frozen=True):
    """A running container's place on one network."""

    id: str
    network_id: str
    network_name: str
    ip4: str
    prefix_len: int
    gateway: str
    mac: str
    host_ifname: str
    ifname: str = "eth0"
    ports: list[PublishedPort] = []


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a container is. Times in nanoseconds since the epoch, 0 for never.

    `stopped_by_user` tells a stop from an end, for restart policies. `health` is None without a check.
    """

    status: Status = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at_ns: int = 0
    finished_at_ns: int = 0
    restart_count: int = 0
    stopped_by_user: bool = False
    endpoints: list[EndpointState] = []
    health: Health | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a process (a paused one is one)."""
        return self.status in ("running", "paused")

    @property
    def is_active(self) -> bool:
        """Whether there is a process or there will be one without anybody's asking."""
        return self.status in ("running", "paused", "restarting")


_intent_decoder = msgspec.json.Decoder(Intent)
_state_decoder = msgspec.json.Decoder(State)
_encoder = msgspec.json.Encoder()


def encode(document: Intent | State) -> bytes:
    """Return the document that the store keeps."""
    return _encoder.encode(document)


def decode_intent(document: bytes) -> Intent:
    """Return the intent in a stored document."""
    return _intent_decoder.decode(document)


def decode_state(document: bytes) -> State:
    """Return the state in a stored document."""
    return _state_decoder.decode(document)
