"""`--link`, by the stock client."""

from __future__ import annotations

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root


def test_a_linked_container_is_reached_by_its_alias(engine: PrivateDaemon) -> None:
    serve = "while :; do echo answered | nc -l -p 7000; done"
    engine.docker("run", "-d", "--name", "backend", "--expose", "7000", "busybox", "sh", "-c", serve)
    try:
        ask = "until nc my-back 7000 </dev/null; do sleep 0.05; done; echo $MY_BACK_PORT_7000_TCP_PORT"
        told = engine.docker("run", "--rm", "--link", "backend:my-back", "busybox", "sh", "-c", ask)
        assert told.stdout == "answered\n7000\n"
        engine.docker("create", "--name", "front", "--link", "backend:my-back", "busybox", "true")
        assert engine.docker("inspect", "-f", "{{.HostConfig.Links}}", "front").stdout == "[/backend:/front/my-back]\n"
        engine.docker("rm", "--link", "front/my-back")
        assert engine.docker("inspect", "-f", "{{.HostConfig.Links}}", "front").stdout == "[]\n"
        missing = engine.docker("create", "--link", "nobody", "busybox", "true", check=False)
        assert "could not get container for nobody: No such container: nobody" in missing.stderr
    finally:
        engine.docker("rm", "-f", "backend", "front")
