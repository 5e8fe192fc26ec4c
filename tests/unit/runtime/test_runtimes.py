"""Which runtimes there are, by what names, in dockerd's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.runtime.runtimes import Runtime, Runtimes, check_default, parse_runtime
from windlass.runtime.task import StartFailed


@pytest.mark.parametrize("asked", ["", "runc", "windlass", "io.containerd.runc.v2"])
def test_our_own_runtime_goes_by_the_stock_name(asked: str) -> None:
    runtimes = Runtimes()
    assert runtimes.name_of(asked) == "runc"
    assert runtimes.get("runc") is None
    assert runtimes.shown() == {"runc": {"path": "windlass"}}


def test_a_configured_runc_takes_the_stock_name() -> None:
    real = Runtime("/usr/sbin/runc")
    runtimes = Runtimes({"runc": real})
    assert runtimes.name_of("") == "windlass" and runtimes.get("windlass") is None
    assert runtimes.name_of("runc") == "runc" and runtimes.get("runc") == real
    assert runtimes.shown() == {"windlass": {"path": "windlass"}, "runc": {"path": "/usr/sbin/runc"}}


def test_a_default_is_used_by_those_who_ask_for_none() -> None:
    runtimes = Runtimes({"crun": Runtime("crun", ("--debug",))}, "crun")
    assert runtimes.name_of("") == runtimes.default == "crun"
    assert runtimes.name_of("runc") == "runc"
    assert runtimes.shown()["crun"] == {"path": "crun", "runtimeArgs": ["--debug"]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "unknown or invalid runtime name: nope"),
        ("io.containerd.kata.v2", "unknown or invalid runtime name: io.containerd.kata.v2: containerd's shim"),
    ],
)
def test_unknown_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        Runtimes().name_of(name)
    with pytest.raises(InvalidParameter, match=f"specified default runtime '{name}' does not exist: {message}"):
        check_default(Runtimes({}, name))


@pytest.mark.parametrize(
    ("value", "runtime"),
    [
        ({"path": "crun"}, Runtime("crun")),
        ({"path": "/x", "runtimeArgs": ["--a", "b"]}, Runtime("/x", ("--a", "b"))),
        ({"runtimeType": "io.containerd.runc.v2"}, Runtime("runc")),
        ({"runtimeType": "io.containerd.runc.v2", "options": {"BinaryName": "/y"}}, Runtime("/y")),
        (
            {"runtimeType": "io.containerd.runc.v2", "options": {"SystemdCgroup": True}},
            Runtime("runc", ("--systemd-cgroup",), True),
        ),
    ],
)
def test_entries_of_daemon_json(value: object, runtime: Runtime) -> None:
    assert parse_runtime("x", value) == runtime


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("x", {}, "runtime x: either a runtimeType or a path must be configured"),
        ("x", {"path": "a", "runtimeType": "b"}, "runtime x: cannot configure both path and runtimeType"),
        ("x", {"path": "a", "options": {}}, "runtime x: options cannot be used with a path runtime"),
        (
            "x",
            {"runtimeType": "io.containerd.runc.v2", "runtimeArgs": ["a"]},
            "runtime x: args cannot be used with a runtimeType runtime",
        ),
        ("x", {"runtimeType": "io.containerd.kata.v2"}, "runtime x: containerd's shim io.containerd.kata.v2"),
        ("x", {"runtimeType": "io.containerd.runc.v2", "options": {"Root": "/r"}}, "runtime x: .*Root"),
        ("x", {"pth": "a"}, "runtime x: .*pth"),
        ("x", ["a"], "runtime x: .*"),
        ("../x", {"path": "a"}, "invalid runtime name: ../x"),
        (".", {"path": "a"}, "invalid runtime name"),
        ("", {"path": "a"}, "invalid runtime name"),
    ],
)
def test_malformed_entries_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse_runtime(name, value)


def test_programs_are_found_by_name_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "my-runtime"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Runtime("my-runtime").program() == Runtime(str(program)).program() == str(program)
    program.chmod(0o644)
    with pytest.raises(StartFailed, match=r"executable file not found in \$PATH") as caught:
        Runtime("my-runtime").program()
    assert caught.value.exit_code == 127
