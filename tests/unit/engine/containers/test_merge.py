"""A container's configuration over its image's."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.merge import merge_config
from windlass.spec.container import ContainerConfig, HealthConfig


@pytest.mark.parametrize(
    ("own", "image", "argv"),
    [
        (([], []), (["e"], ["c"]), ["e", "c"]),
        (([], ["x"]), (["e"], ["c"]), ["e", "x"]),
        ((["f"], []), (["e"], ["c"]), ["f"]),
        ((["f"], ["x"]), (["e"], ["c"]), ["f", "x"]),
        (([""], ["x"]), (["e"], ["c"]), ["x"]),
        (([], ["x"]), ([], []), ["x"]),
    ],
)
def test_the_command_line(
    own: tuple[list[str], list[str]], image: tuple[list[str], list[str]], argv: list[str]
) -> None:
    config = ContainerConfig(entrypoint=own[0] or None, cmd=own[1] or None)
    assert merge_config(config, ContainerConfig(entrypoint=image[0], cmd=image[1])) == argv


def test_a_command_may_be_one_word() -> None:
    assert merge_config(ContainerConfig(cmd="date"), ContainerConfig()) == ["date"]


@pytest.mark.parametrize("entrypoint", [None, [""]])
def test_no_command(entrypoint: list[str] | None) -> None:
    with pytest.raises(InvalidParameter, match="no command specified"):
        merge_config(ContainerConfig(entrypoint=entrypoint), ContainerConfig())


def test_environment_labels_and_the_rest() -> None:
    config = ContainerConfig(cmd=["x"], env=["A=own", "B"], labels={"l": "own"}, user="me", exposed_ports={"1/tcp": {}})
    image = ContainerConfig(
        env=["A=image", "C=image"],
        labels={"l": "image", "m": "image"},
        user="root",
        working_dir="/w",
        exposed_ports={"2/tcp": {}},
        volumes={"/v": {}},
        stop_signal="SIGQUIT",
        healthcheck=HealthConfig(test=["CMD", "x"], retries=3),
    )
    merge_config(config, image)
    assert config.env == ["A=own", "B", "C=image"]
    assert config.labels == {"l": "own", "m": "image"}
    assert (config.user, config.working_dir, config.stop_signal) == ("me", "/w", "SIGQUIT")
    assert set(config.exposed_ports or ()) == {"1/tcp", "2/tcp"} and config.volumes == {"/v": {}}
    assert config.healthcheck is not None and config.healthcheck.retries == 3


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (ContainerConfig(env=["=x"]), "invalid environment variable: =x"),
        (ContainerConfig(env=[""]), "invalid environment variable: "),
        (ContainerConfig(hostname="-bad-"), "invalid hostname format: -bad-"),
        (ContainerConfig(hostname="x" * 64), "invalid hostname format: x"),
        (ContainerConfig(working_dir="rel"), "the working directory 'rel' is invalid, it needs to be an absolute path"),
        (ContainerConfig(healthcheck=HealthConfig(interval=5)), "Interval in Healthcheck cannot be less than 1ms"),
        (ContainerConfig(healthcheck=HealthConfig(retries=-1)), "Retries in Healthcheck cannot be negative"),
    ],
)
def test_what_is_refused(config: ContainerConfig, text: str) -> None:
    config.cmd = ["x"]
    with pytest.raises(InvalidParameter, match=text):
        merge_config(config, ContainerConfig())
