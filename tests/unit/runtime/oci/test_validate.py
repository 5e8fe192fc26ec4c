"""Every invalid member of a configuration gives one error that names it by JSON pointer, and the clause."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.config_cases import BIND, CONFIG, INVALID, NS, TIME, UNSUPPORTED, VALID, changed

from windlass.base.errors import InvalidParameter, NotFound, NotSupported, WindlassError
from windlass.runtime.oci.bundle import read_spec, write_default
from windlass.runtime.oci.validate import parse_config, parse_process, parse_resources


def read(config: Any, warnings: list[str] | None = None) -> Any:
    return parse_config(json.dumps(config).encode(), [].append if warnings is None else warnings.append)


@pytest.mark.parametrize("name", VALID)
def test_valid(name: str) -> None:
    assert read(changed(*VALID[name])).oci_version.startswith("1.")


@pytest.mark.parametrize(("pointer", "words", "changes"), INVALID, ids=[case[0] for case in INVALID])
def test_invalid(pointer: str, words: str, changes: list[tuple[str, Any]]) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read(changed(*changes))
    message = caught.value.message
    assert message.startswith(f"config.json: {pointer}: ")
    assert words in message
    assert "(runtime-spec config" in message and message.endswith(")") and "\n" not in message


@pytest.mark.parametrize(("pointer", "changes"), UNSUPPORTED)
def test_valid_and_not_supported(pointer: str, changes: list[tuple[str, Any]]) -> None:
    with pytest.raises(NotSupported) as caught:
        read(changed(*changes))
    assert caught.value.message.startswith(f"config.json: {pointer}: ")


@pytest.mark.parametrize(
    ("has", "pointer", "value"),
    [
        ("has_apparmor", "/process/apparmorProfile", "p"),
        ("has_selinux", "/process/selinuxLabel", "l"),
        ("has_selinux", "/linux/mountLabel", "l"),
        ("has_resctrl", "/linux/intelRdt", {"closID": "x"}),
    ],
)
def test_what_a_host_may_lack(monkeypatch: pytest.MonkeyPatch, has: str, pointer: str, value: Any) -> None:
    monkeypatch.setattr(f"windlass.runtime.oci.validate_host.{has}", lambda: False)
    with pytest.raises(NotSupported, match=pointer):
        read(changed((pointer, value)))
    monkeypatch.setattr(f"windlass.runtime.oci.validate_host.{has}", lambda: True)
    read(changed((pointer, value)))


def test_a_kernel_without_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass.runtime.oci.validate_host.has_namespace", lambda kind: kind != "time")
    with pytest.raises(NotSupported, match="/linux/namespaces/5/type: this kernel has no time namespaces"):
        read(changed(TIME))


def test_the_example_of_a_whole_error() -> None:
    with pytest.raises(InvalidParameter) as caught:
        read(changed((f"{NS}/2", {"type": "foo"})))
    assert caught.value.message == (
        'config.json: /linux/namespaces/2/type: unknown namespace "foo" (runtime-spec config-linux.md, Namespaces)'
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff{}", "is not JSON"),
        (b'{"ociVersion": "1.0.0"} x', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"ociVersion": 1' + b"0" * 5000 + b"}", "is not JSON"),
        (b"[]", "config.json: expected object, got array"),
        (b"null", "config.json: expected object, got null"),
        (b'{"ociVersion": NaN}', "is not JSON"),
    ],
)
def test_documents_that_are_none(data: bytes, words: str) -> None:
    with pytest.raises(InvalidParameter, match=r"config\.json") as caught:
        parse_config(data)
    assert words in caught.value.message


def test_nested_deeply_where_nobody_looks() -> None:
    document = json.dumps(CONFIG)[:-1] + ', "x": ' + "[" * 900 + "]" * 900 + "}"
    try:
        parse_config(document.encode())
    except InvalidParameter as error:
        assert "nested too deeply" in error.message


def test_a_stranger_s_words_stay_on_one_line_and_short() -> None:
    for value in ("\n" * 10, "\x1b[31m", "x" * 10**6):
        with pytest.raises(InvalidParameter) as caught:
            read(changed(("/linux/rootfsPropagation", value), ("/linux/sysctl", {})))
        assert caught.value.message.isprintable() and len(caught.value.message) < 300
    with pytest.raises(InvalidParameter) as caught:
        read(changed(("/linux/sysctl", {"a\nb": "1"})))
    assert caught.value.message.isprintable()


def test_warnings() -> None:
    warnings: list[str] = []
    read(
        changed(
            ("/windows", {"layerFolders": []}),
            ("/vm", {}),
            ("/process/capabilities", {"bounding": ["CAP_CHOWN", "CAP_FUTURE"], "ambient": ["chown"]}),
        ),
        warnings,
    )
    assert [warning.split(":")[0] for warning in warnings] == [
        "/process/capabilities/bounding/1",
        "/process/capabilities/ambient/0",
        "config.json",
        "config.json",
    ]


def test_names_of_users_are_for_other_systems() -> None:
    spec = read(changed(("/process/user", {"uid": 5, "gid": 6, "username": "root", "additionalGroups": ["wheel"]})))
    assert spec.process is not None
    assert (spec.process.user.uid, spec.process.user.username, spec.process.user.additional_groups) == (5, "", [])


def test_processes_and_limits_by_themselves() -> None:
    assert parse_process(b'{"cwd": "/", "args": ["x"], "user": {"username": "y"}}').user.username == ""
    for data, message in (
        (
            b'{"cwd": "x", "args": ["x"]}',
            'process.json: /cwd: "x" is not an absolute path (runtime-spec config.md, Process)',
        ),
        (b'{"cwd": "/"}', "process.json: /args: must not be empty (runtime-spec config.md, Process)"),
    ):
        with pytest.raises(InvalidParameter) as caught:
            parse_process(data)
        assert caught.value.message == message
    assert parse_resources(b'{"pids": {"limit": 5}}').pids.limit == 5  # type: ignore[union-attr]
    with pytest.raises(InvalidParameter) as caught:
        parse_resources(b'{"memory": {"limit": "1g"}}')
    assert caught.value.message == (
        "resources: /memory/limit: expected integer, got string (runtime-spec config-linux.md, Memory)"
    )


# --- bundles ------------------------------------------------------------------------------------------


def test_the_default_is_valid_and_stays(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    write_default(str(tmp_path))
    spec = read_spec(str(tmp_path))
    assert spec.root is not None and spec.root.path == str(tmp_path / "rootfs")
    with pytest.raises(WindlassError, match="exists; remove it first"):
        write_default(str(tmp_path))


def test_the_default_of_an_ordinary_user(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    write_default(str(tmp_path), rootless=True)
    linux = read_spec(str(tmp_path)).linux
    assert {namespace.type for namespace in linux.namespaces} == {"pid", "ipc", "uts", "mount", "cgroup", "user"}
    assert [(m.container_id, m.host_id, m.size) for m in linux.uid_mappings] == [(0, os.geteuid(), 1)]
    assert "gid=" not in (tmp_path / "config.json").read_text()


def test_bundles_that_are_none(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    with pytest.raises(NotFound):
        read_spec(str(tmp_path))
    config.mkdir()
    with pytest.raises((InvalidParameter, OSError)):
        read_spec(str(tmp_path))
    config.rmdir()
    os.mkfifo(config)
    with pytest.raises(InvalidParameter, match="is not a regular file"):
        read_spec(str(tmp_path))
    config.unlink()
    config.write_text(json.dumps(CONFIG))
    with pytest.raises(InvalidParameter, match=r"/root/path: .* is not a directory"):
        read_spec(str(tmp_path))
    with open(config, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InvalidParameter, match="is larger than"):
        read_spec(str(tmp_path))


def test_sources_of_binds_are_relative_to_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "config.json").write_text(json.dumps(changed(("/mounts/1", {**BIND, "source": "data"}))))
    assert [mount.source for mount in read_spec(str(tmp_path)).mounts] == ["proc", str(tmp_path / "data")]
