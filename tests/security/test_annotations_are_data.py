"""CVE-2026-53492, CVE-2025-24965: annotations and labels that other runtimes obey are words of strangers to us.

They smuggle devices of a container device interface, choose a handler that runs beside the container, or set properties
of its unit.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.entries import make_entry
from tests.support.launching import Bench
from tests.support.lowered import lowered

from windlass.runtime.oci.features import features
from windlass.spec.container import ContainerConfig

pytestmark = pytest.mark.root

_WORDS = {
    "cdi.k8s.io/evil": "vendor.com/device=all",
    "run.oci.handler": "krun",
    "run.oci.hooks.stdout": "/evil",
    "run.oci.hooks.stderr": "/evil",
    "run.oci.mount_context_type": "rootcontext",
    "run.oci.pidfd_receiver": "/evil",
    "org.criu.config": "/evil",
    "io.kubernetes.cri-o.Devices": "/dev/mem:/dev/mem:rwm",
    "io.katacontainers.config.hypervisor.path": "/evil",
    "com.nvidia.volumes": "all",
    "bundle": "/evil",
}
_SHOW = ["sh", "-c", "ls /dev; cat /proc/mounts; grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/self/status; ls /"]


@pytest.mark.parametrize("kind", ["oci run", "oci exec"])
async def test_they_change_nothing(bench: Bench, tmp_path: Path, kind: str) -> None:
    entry = make_entry(kind, bench, tmp_path)
    (entry.root / ".krun_config.json").symlink_to(tmp_path / "outside")
    plain = await entry.output(_SHOW)
    assert await entry.output(_SHOW, oci={"annotations": _WORDS}) == plain
    assert not (tmp_path / "outside").exists()


async def test_labels_of_an_image_change_nothing(bench: Bench) -> None:
    specs = []
    for labels in ({}, _WORDS):
        async with lowered(bench, ["true"], config=ContainerConfig(hostname="c", labels=labels)) as container:
            specs.append(container.spec)
    plain, labelled = specs
    assert (labelled.linux, labelled.mounts, labelled.process, labelled.hooks) == (
        plain.linux,
        plain.mounts,
        plain.process,
        plain.hooks,
    )


def test_what_is_obeyed_is_said() -> None:
    """A caller that takes configurations of strangers learns from `features` what to drop."""
    unsafe = features()["potentiallyUnsafeConfigAnnotations"]
    assert isinstance(unsafe, list)
    assert not any(name.startswith(prefix) for name in _WORDS for prefix in unsafe), json.dumps(unsafe)
