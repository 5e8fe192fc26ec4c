"""`-v`, `--mount`, `--tmpfs` and image volumes, with Docker's errors."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import MountPoint
from windlass.runtime.mount_requests import check_bind_sources, clean, parse_bind, parse_mounts, parse_request
from windlass.runtime.tmpfs import merge_options
from windlass.spec.container import ContainerConfig, HostConfig, MountRequest


def _request(**members: Any) -> MountRequest:
    return msgspec.convert(members, MountRequest)


def _error(**members: Any) -> str:
    with pytest.raises(InvalidParameter) as caught:
        parse_request(_request(**members))
    return caught.value.message


def test_bind() -> None:
    assert parse_bind("/src/../a:/b/") == MountPoint("bind", "/b", "/a", propagation="rprivate", create_source=True)


def test_bind_modes() -> None:
    point = parse_bind("/a:/b:ro,z,rslave")
    assert (point.read_only, point.propagation, point.mode) == (True, "rslave", "ro,z,rslave")


def test_named_volume() -> None:
    point = parse_bind("data:/b:nocopy,ro", "local")
    assert point == MountPoint(
        "volume", "/b", name="data", driver="local", read_only=True, mode="nocopy,ro", copy_data=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":", "invalid volume specification: ':'"),
        ("/a", "invalid volume specification: '/a'"),
        ("/a:ro", "invalid volume specification: '/a:ro'"),
        ("/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'"),
        (":/b", "invalid volume specification: ':/b'"),
        ("/a:/b:rx", "invalid mode: rx"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        (
            "/a:b",
            "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' "
            "mount path must be absolute",
        ),
        (
            "/a:/",
            "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: "
            "destination can't be '/'",
        ),
        (
            "data:/b:shared",
            "invalid volume specification: 'data:/b:shared': invalid mount config for type \"volume\": "
            "field BindOptions must not be specified",
        ),
    ],
)
def test_bind_errors(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_bind(text)
    assert caught.value.message == message


def test_request_errors() -> None:
    prefix = 'invalid mount config for type "bind": '
    assert _error(Type="bind", Source="/a") == prefix + "field Target must not be empty"
    assert _error(Type="bind", Target="/b") == prefix + "field Source must not be empty"
    assert _error(Type="bind", Source="a", Target="/b") == (
        prefix + "invalid mount path: 'a' mount path must be absolute"
    )
    assert _error(Type="bind", Source="/a", Target="b") == (
        prefix + "invalid mount path: 'b' mount path must be absolute"
    )
    assert _error(Type="bind", Source="/a", Target="/b", BindOptions={"Propagation": "odd"}) == (
        prefix + "invalid propagation mode: odd"
    )
    assert _error(Type="bind", Source="/a", Target="/b", VolumeOptions={}) == (
        prefix + "field VolumeOptions must not be specified"
    )
    assert _error(Type="nfs", Source="/a", Target="/b") == ('invalid mount config for type "nfs": mount type unknown')
    assert _error(Type="tmpfs", Source="/a", Target="/b") == (
        'invalid mount config for type "tmpfs": field Source must not be specified'
    )
    assert _error(Type="tmpfs", Target="/b", TmpfsOptions={"Options": [["uid", "1"]]}) == (
        'invalid mount config for type "tmpfs": invalid option: uid'
    )
    assert _error(Type="volume", Target="/b", ReadOnly=True) == (
        'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes'
    )
    assert "subpath must be a relative path" in _error(
        Type="volume", Source="v", Target="/b", VolumeOptions={"Subpath": "../x"}
    )


def test_bind_source_must_exist() -> None:
    request = MountRequest(target="/b", source="/does/not/exist", type="bind")
    with pytest.raises(InvalidParameter) as caught:
        check_bind_sources(HostConfig(mounts=[request]))
    assert caught.value.message == (
        'invalid mount config for type "bind": bind source path does not exist: /does/not/exist'
    )


def test_duplicates() -> None:
    with pytest.raises(InvalidParameter, match=r"^Duplicate mount point: /b$"):
        parse_mounts(ContainerConfig(), HostConfig(binds=["/a:/b", "/c:/b/"]))


def test_image_volumes_give_way() -> None:
    config = ContainerConfig(volumes={"/b": {}, "/d": {}})
    points = parse_mounts(config, HostConfig(binds=["/a:/b"]))
    assert [(point.type, point.destination) for point in points] == [("bind", "/b"), ("volume", "/d")]


def test_outer_mounts_come_first() -> None:
    host = HostConfig(binds=["/x:/a/b/c", "/y:/a"], tmpfs={"/a/b": ""})
    assert [point.destination for point in parse_mounts(ContainerConfig(), host)] == ["/a", "/a/b", "/a/b/c"]


@pytest.mark.parametrize("destination", ["/", "//", "/./", "/a/.."])
def test_nothing_covers_the_root(destination: str) -> None:
    with pytest.raises(InvalidParameter, match="destination can't be '/'"):
        parse_mounts(ContainerConfig(), HostConfig(tmpfs={destination: ""}))


@given(st.text(alphabet="abc/.:,ro ", max_size=20))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        point = parse_bind(text)
    except InvalidParameter:
        return
    assert point.destination.startswith("/") and point.destination != "/"
    assert ".." not in point.destination.split("/")


def test_clean() -> None:
    assert [clean(path) for path in ("//a//b/../c/", "/..", "a/./b")] == ["/a/c", "/", "a/b"]


def test_tmpfs_options_override() -> None:
    words = ["noexec", "nosuid", "size=1m", "exec", "size=2m", "defaults"]
    assert merge_options(words) == ["nosuid", "exec", "size=2m"]


@pytest.mark.parametrize("word", ["bogus", "sizes=1", "size"])
def test_tmpfs_has_no_such_option(word: str) -> None:
    with pytest.raises(InvalidParameter, match=f'^Invalid tmpfs option "{word}"$'):
        merge_options([word])
