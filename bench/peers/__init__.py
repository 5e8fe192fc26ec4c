"""The engines that are compared, each behind one interface: start it, and get the command line that drives it."""

from bench.peers.dockerd import Dockerd
from bench.peers.oci import OciRuntime
from bench.peers.peer import Peer, PeerError
from bench.peers.podman import Podman
from bench.peers.windlass import OwnClient, Windlass

__all__ = ["Dockerd", "OciRuntime", "OwnClient", "Peer", "PeerError", "Podman", "Windlass"]
