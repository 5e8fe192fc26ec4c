"""Flags and daemon.json, in dockerd's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.daemon.configuration import load, parse_flags, parse_size
from windlass.daemon.main import run
from windlass.daemon.options import OPTIONS, usage


def _file(tmp_path: Path, content: object) -> list[str]:
    path = tmp_path / "daemon.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return ["--config-file", str(path)]


def test_defaults(tmp_path: Path) -> None:
    configuration = load(_file(tmp_path, {}))
    assert configuration.hosts == ("unix:///run/windlass/windlass.sock",)
    assert configuration.pidfile == "/run/windlass/windlassd.pid"
    assert configuration.shm_size_bytes == 64 << 20
    assert configuration.switch("icc") and not configuration.switch("debug")


def test_flags_in_every_spelling() -> None:
    values = parse_flags(
        ["-Dl", "warn", "-H", "unix:///a", "--host=tcp://127.0.0.1:1", "-p/x", "--icc=false", "--mtu=1400"]
    )
    assert values == {
        "debug": True,
        "log-level": "warn",
        "host": ["unix:///a", "tcp://127.0.0.1:1"],
        "pidfile": "/x",
        "icc": False,
        "mtu": 1400,
    }


def test_file_keys_are_dockerd_s(tmp_path: Path) -> None:
    content = {
        "hosts": ["unix:///a"],
        "registry-mirrors": ["https://m"],
        "log-opts": {"max-size": "1m"},
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 10, "Hard": 20}},
        "debug": True,
        "mtu": 1400,
    }
    configuration = load(_file(tmp_path, content))
    assert configuration.hosts == ("unix:///a",)
    assert configuration.mapping("log-opt") == {"max-size": "1m"}
    assert [(u.name, u.soft, u.hard) for u in configuration.ulimits] == [("nofile", 10, 20)]
    assert configuration.log_level == "debug"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (["--mtu"], "flag needs an argument: --mtu"),
        (["--mtu", "x"], 'invalid argument "x" for "--mtu" flag'),
        (["--debug=maybe"], 'invalid argument "maybe" for "--debug" flag'),
        (["word"], "accepts no arguments"),
        (["--default-ulimit", "nofile"], "invalid ulimit argument: nofile"),
        (["--log-opt", "x"], "must be formatted as key=value"),
    ],
)
def test_bad_flags(argv: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse_flags(argv)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "unable to configure the Docker daemon with file"),
        ("[]", "not a JSON object"),
        ({"nope": 1, "also": 2}, "the following directives don't match any configuration option: also, nope"),
        ({"config-file": "/x"}, "the following directives don't match any configuration option: config-file"),
        ({"mtu": "x"}, "directive mtu wants a int"),
        ({"log-level": "loud"}, "unable to parse logging level: loud"),
        ({"storage-driver": "zfs"}, "driver not supported: zfs"),
        ({"data-root": "relative"}, "data-root must be an absolute path"),
        ({"labels": ["x"]}, "bad attribute format: x"),
        ({"dns": ["x"]}, "x is not an ip address"),
        ({"registry-mirrors": ["ftp://x"]}, "invalid mirror: unsupported scheme"),
        ({"insecure-registries": ["http://x"]}, "insecure registry http://x should not contain '://'"),
        ({"metrics-addr": "x:1"}, "invalid metrics-addr: x:1"),
        ({"audit-log-max-size": "0"}, "must be at least 1"),
    ],
)
def test_bad_files(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        load(_file(tmp_path, content))


def test_options_given_twice_are_refused_in_dockerd_s_words(tmp_path: Path) -> None:
    content = {"labels": ["b=2", "c=3"], "debug": False, "log-opts": {"max-size": "1m"}, "mtu": 1400}
    argv = ["--label", "a=1", "--debug", "--log-opt", "max-file=2", "--mtu=1500"]
    with pytest.raises(InvalidParameter) as raised:
        load([*_file(tmp_path, content), *argv])
    assert raised.value.message.endswith(
        "daemon.json: the following directives are specified both as a flag and in the configuration file: "
        "debug: (from flag: true, from file: false), labels: (from flag: [a=1], from file: [b=2 c=3]), "
        "log-opts: (from flag: map[max-file:2], from file: map[max-size:1m]), mtu: (from flag: 1500, from file: 1400)"
    )


def test_a_named_file_must_exist_a_default_need_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="no such file or directory"):
        load(["--config-file", str(tmp_path / "none")])


@pytest.mark.parametrize(("text", "size"), [("64m", 64 << 20), ("64MiB", 64 << 20), ("1024", 1024), ("1 GB", 1 << 30)])
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_help_names_every_option() -> None:
    text = usage()
    assert all(f"--{option.flag}" in text for option in OPTIONS)


def test_runtimes_of_file_and_flags_are_merged(tmp_path: Path) -> None:
    content = {"runtimes": {"a": {"path": "/a"}, "b": {"path": "/b", "runtimeArgs": ["-x"]}}, "default-runtime": "a"}
    configuration = load([*_file(tmp_path, content), "--add-runtime", "c=/c", "--add-runtime", "b = /other"])
    runtimes = configuration.runtimes
    assert {name: runtime.path for name, runtime in runtimes.configured.items()} == {
        "a": "/a",
        "b": "/other",
        "c": "/c",
    }
    assert runtimes.default == "a"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--add-runtime", "x"], 'invalid argument "x" for "--add-runtime" flag: invalid runtime argument: x'),
        (["--add-runtime", "x=/a", "--add-runtime", "x=/b"], "runtime 'x' was already defined"),
        (["--default-runtime", "x"], "specified default runtime 'x' does not exist"),
    ],
)
def test_malformed_runtimes_are_refused(tmp_path: Path, argv: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        load([*_file(tmp_path, {}), *argv])


def test_runtimes_in_the_file_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="runtime x: either a runtimeType or a path must be configured"):
        load(_file(tmp_path, {"runtimes": {"x": {}}}))
    with pytest.raises(InvalidParameter, match="directive runtimes wants a runtime"):
        load(_file(tmp_path, {"runtimes": ["x"]}))


def test_who_makes_control_groups(tmp_path: Path) -> None:
    assert not load(_file(tmp_path, {})).systemd_cgroups
    assert load(_file(tmp_path, {"exec-opts": ["native.cgroupdriver=systemd"]})).systemd_cgroups
    assert not load([*_file(tmp_path, {}), "--exec-opt", "native.cgroupdriver=cgroupfs"]).systemd_cgroups


@pytest.mark.parametrize("option", ["native.cgroupdriver=none", "native.cgroupdriver", "isolation=process"])
def test_bad_exec_options(tmp_path: Path, option: str) -> None:
    with pytest.raises(InvalidParameter):
        load([*_file(tmp_path, {}), "--exec-opt", option])


def test_validate_says_what_a_start_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--validate", *_file(tmp_path, {"labels": ["a=1"]})]) == 0
    assert capsys.readouterr().out == "configuration OK\n"
    assert run(["--validate", *_file(tmp_path, {"nope": 1})]) == 1
    assert capsys.readouterr().err == (
        f"unable to configure the Docker daemon with file {tmp_path}/daemon.json: "
        "the following directives don't match any configuration option: nope\n"
    )
    assert run(["--validate", *_file(tmp_path, {"tlsverify": True, "tlscert": "/none", "tlskey": "/none"})]) == 1
    assert "Could not load X509 key pair" in capsys.readouterr().err
