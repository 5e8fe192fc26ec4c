"""What another OCI runtime is told."""

from __future__ import annotations

import msgspec
import pytest

from windlass.linux import mount as m
from windlass.runtime.foreign import foreign_plan, foreign_process, systemd_cgroup
from windlass.spec.plan import BindRoot, OverlayRoot, Propagation
from windlass.spec.runtime import Linux, Mount, Process, Root, RuntimeSpec, User
from windlass.spec.task import ForeignRuntime, ForeignUser

RUNTIME = ForeignRuntime("debian", "/usr/sbin/runc", ["--debug"], "/run/w/runtimes/debian")
OVERLAY = OverlayRoot("/data/c/rootfs", "/data/layers", ["a/d"], "/data/c/upper", "/data/c/work")


def _spec(user: User, propagation: str = "") -> RuntimeSpec:
    return RuntimeSpec(
        "1.2.0",
        process=Process("/", ["true"], user=user),
        root=Root("/elsewhere", readonly=True),
        linux=Linux(rootfs_propagation=propagation),
    )


def test_the_configuration_has_no_words_of_ours() -> None:
    user = User(username="bob:staff", additional_groups=["audio"])
    plan = foreign_plan(_spec(user), RUNTIME, OVERLAY, "/run/w/c/bundle")
    config = msgspec.json.decode(plan.spec)
    assert config["process"] == {"cwd": "/", "args": ["true"], "user": {}}
    assert config["root"] == {"path": "/data/c/rootfs", "readonly": True}
    # What the oldest runtime of this generation takes; crun 1.8 refuses others.
    assert config["ociVersion"] == "1.0.2"
    assert plan.user == ForeignUser("bob:staff", ["audio"])


def test_read_only_is_said_in_words_that_every_runtime_knows() -> None:
    spec = msgspec.structs.replace(_spec(User()), mounts=[Mount("/a", "bind", "/a", ["rbind", "rro"])])
    config = msgspec.json.decode(foreign_plan(spec, RUNTIME, OVERLAY, "/b").spec)
    assert config["mounts"][0]["options"] == ["ro", "rbind", "rro"]


def test_numbers_stay_numbers() -> None:
    process = foreign_process(Process("/", ["id"], user=User(uid=7, gid=8, additional_gids=[9])))
    assert process.user == ForeignUser("7:8", ["9"])
    assert msgspec.json.decode(process.process)["user"] == {}


@pytest.mark.parametrize(
    ("word", "steps"),
    [
        ("", [Propagation(m.MS_SLAVE | m.MS_REC)]),
        ("rslave", [Propagation(m.MS_SLAVE | m.MS_REC)]),
        ("shared", [Propagation(m.MS_SHARED | m.MS_REC), Propagation(m.MS_PRIVATE, holder_of="/data/c/rootfs")]),
    ],
)
def test_the_root_is_never_mounted_on_the_host(word: str, steps: list[Propagation]) -> None:
    assert foreign_plan(_spec(User(), word), RUNTIME, OVERLAY, "/b").root == [*steps, OVERLAY]


def test_an_image_without_layers_has_its_directory_as_root() -> None:
    plan = foreign_plan(_spec(User()), RUNTIME, BindRoot("/data/c/upper"), "/b")
    assert msgspec.json.decode(plan.spec)["root"]["path"] == "/data/c/upper"


@pytest.mark.parametrize(
    ("parent", "name", "place"),
    [
        ("windlass", "system.slice:windlass:c1", "system.slice/windlass-c1.scope"),
        ("apps.slice", "apps.slice:windlass:c1", "apps.slice/windlass-c1.scope"),
        ("a-b-c.slice", "a-b-c.slice:windlass:c1", "a.slice/a-b.slice/a-b-c.slice/windlass-c1.scope"),
    ],
)
def test_names_of_systemd_s_groups(parent: str, name: str, place: str) -> None:
    assert systemd_cgroup(parent, "c1") == (name, place)
