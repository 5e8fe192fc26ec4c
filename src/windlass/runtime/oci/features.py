"""`features`: what this runtime supports, as data, from the tables that its code goes by.

It says what the runtime can do on some host; only `seccomp.supportedFlags` is about this host's kernel.

Source: runtime-spec features.md and features-linux.md.
"""

from __future__ import annotations

import json

from windlass import __version__
from windlass.linux import libseccomp
from windlass.linux.capabilities import CAPABILITIES
from windlass.linux.namespaces import NAMESPACE_FLAGS
from windlass.linux.seccomp_flags import knows_flags
from windlass.runtime.mount_options import KNOWN_WORDS
from windlass.seccomp.actions import ACTIONS, FLAGS, OPERATORS
from windlass.spec.runtime import OCI_VERSION, Hooks

# Prefixes of annotations that change what a runtime does: whoever takes configurations of strangers must drop them.
UNSAFE_ANNOTATIONS: tuple[str, ...] = ()


def features() -> dict[str, object]:
    """Return the features document."""
    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": list(Hooks.__struct_encode_fields__),
        "mountOptions": sorted(KNOWN_WORDS),
        "linux": {
            "namespaces": sorted(NAMESPACE_FLAGS),
            "capabilities": list(CAPABILITIES),
            "cgroup": {"v1": True, "v2": True, "systemd": True, "systemdUser": False, "rdma": True},
            "seccomp": _seccomp(),
            "apparmor": {"enabled": True},
            "selinux": {"enabled": True},
            "intelRdt": {"enabled": True},
            "mountExtensions": {"idmap": {"enabled": True}},
            "netDevices": {"enabled": True},
        },
        "annotations": _annotations(),
        "potentiallyUnsafeConfigAnnotations": list(UNSAFE_ANNOTATIONS),
    }


def features_json() -> str:
    """Return the features document as text."""
    return json.dumps(features(), indent=2)


def _seccomp() -> dict[str, object]:
    if not _libseccomp_version():
        return {"enabled": False}
    return {
        "enabled": True,
        "actions": sorted({*ACTIONS, "SCMP_ACT_NOTIFY"}),
        "operators": sorted(OPERATORS),
        "archs": sorted(libseccomp.ARCH_TOKENS),
        "knownFlags": sorted(FLAGS),
        "supportedFlags": sorted(name for name, bit in FLAGS.items() if knows_flags(bit)),
    }


def _annotations() -> dict[str, str]:
    annotations = {"org.windlass.version": __version__}
    if version := _libseccomp_version():
        annotations["io.github.seccomp.libseccomp.version"] = version
    return annotations


def _libseccomp_version() -> str:
    """Return the version of the library, empty where it is not installed."""
    try:
        return ".".join(map(str, libseccomp.version()))
    except OSError:
        return ""
