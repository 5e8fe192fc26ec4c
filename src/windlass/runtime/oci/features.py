"""`features`: what this runtime supports, as data.

Source: runtime-spec features.md and features-linux.md.
"""

from __future__ import annotations

import msgspec

from windlass import __version__
from windlass.linux.capabilities import CAPABILITIES
from windlass.linux.namespaces import NAMESPACE_FLAGS
from windlass.runtime.mount_options import OPTION_WORDS
from windlass.spec.runtime import OCI_VERSION

# `user` and `time` are known words of the specification that init does not make.
_NAMESPACES = sorted(set(NAMESPACE_FLAGS) - {"user", "time"})


def features_json() -> str:
    """Return the features document."""
    document = {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": [],
        "mountOptions": sorted(OPTION_WORDS),
        "linux": {
            "namespaces": _NAMESPACES,
            "capabilities": list(CAPABILITIES),
            "cgroup": {"v1": True, "v2": True, "systemd": False, "systemdUser": False, "rdma": False},
            "seccomp": {"enabled": True},
            "apparmor": {"enabled": False},
            "selinux": {"enabled": False},
            "intelRdt": {"enabled": False},
        },
        "annotations": {"org.windlass.version": __version__},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
