"""Who is the first process of a container with `--init`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.support.plan_cases import make_intent

from windlass.runtime.init_program import keeps_launcher
from windlass.runtime.intent import ContainerIntent, DaemonDefaults
from windlass.runtime.lower_spec import lower_container
from windlass.spec.runtime import Mount


def _intent(host: dict[str, Any], **defaults: Any) -> ContainerIntent:
    return msgspec.structs.replace(make_intent({"HostConfig": host}), defaults=DaemonDefaults(**defaults))


@pytest.mark.parametrize(
    ("host", "daemon", "expected"),
    [
        ({}, False, False),
        ({"Init": True}, False, True),
        ({}, True, True),
        ({"Init": False}, True, False),
        ({"Init": True, "PidMode": "host"}, False, False),
        ({"PidMode": "container:x"}, True, False),
    ],
)
def test_the_launcher_stays_where_it_is_asked_to_and_is_first(
    host: dict[str, Any], daemon: bool, expected: bool
) -> None:
    intent = _intent(host, init=daemon)
    assert keeps_launcher(intent) is expected
    spec = lower_container(intent)
    assert spec.process is not None and spec.process.args == ["true"]


def test_a_program_of_the_host_is_bound_and_runs_the_user_s() -> None:
    intent = _intent({"Init": True}, init_path="/opt/tini")
    assert not keeps_launcher(intent)
    spec = lower_container(intent)
    assert spec.process is not None and spec.process.args == ["/sbin/docker-init", "--", "true"]
    assert spec.mounts[-1] == Mount("/sbin/docker-init", "bind", "/opt/tini", ["bind", "ro"])


def test_the_program_is_nowhere_when_nobody_asks() -> None:
    spec = lower_container(_intent({}, init_path="/opt/tini"))
    assert all(mount.destination != "/sbin/docker-init" for mount in spec.mounts)
