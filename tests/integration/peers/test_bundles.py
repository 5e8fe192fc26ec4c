"""Bundles that others generate run unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.oci_runtime import OciRuntime
from tests.support.peers import require
from tests.support.rootfs import make_busybox_root

pytestmark = pytest.mark.root


def _without_terminal(bundle: Path, args: list[str]) -> None:
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    config["process"].update(terminal=False, args=args)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("program", ["runc", "crun"])
def test_the_default_of_another_runtime(program: str, tmp_path: Path) -> None:
    require(program, program)
    make_busybox_root(tmp_path / "rootfs")
    subprocess.run([program, "spec"], cwd=tmp_path, check=True, timeout=30)
    _without_terminal(tmp_path, ["sh", "-c", "echo $$; hostname; grep NoNewPrivs /proc/self/status"])
    done = OciRuntime(tmp_path).run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["1", program, "NoNewPrivs:", "1"]


def test_an_image_that_umoci_unpacks(tmp_path: Path) -> None:
    require("umoci", "umoci")

    def umoci(*argv: str) -> None:
        subprocess.run(["umoci", *argv], check=True, capture_output=True, timeout=60)

    image, bundle = tmp_path / "image", tmp_path / "bundle"
    umoci("init", "--layout", str(image))
    umoci("new", "--image", f"{image}:1")
    make_busybox_root(tmp_path / "root")
    umoci("insert", "--image", f"{image}:1", str(tmp_path / "root"), "/")
    umoci("unpack", "--image", f"{image}:1", str(bundle))
    _without_terminal(bundle, ["/bin/sh", "-c", "echo from an image"])
    done = OciRuntime(tmp_path).run(bundle)
    assert (done.returncode, done.stdout, done.stderr) == (0, "from an image\n", "")
