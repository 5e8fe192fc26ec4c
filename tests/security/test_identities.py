"""Who a process is: groups complete and no more, files of users bounded, numbers never names.

CVE-2022-36109, CVE-2023-25173, CVE-2022-2995: a process without its primary group among the supplementary ones escapes
a negative ACL. CVE-2026-47262, CVE-2024-9676: giant and never-ending files of users. CVE-2024-40635, CVE-2026-46680:
numbers that overflow or are looked up as names.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.entries import ENTRIES, Entry, Refused, make_entry
from tests.support.launching import Bench

from windlass.spec.container import ContainerConfig, HostConfig

pytestmark = pytest.mark.root

_ENGINE = [kind for kind in ENTRIES if kind.startswith("engine")]
_SHOW = ["sh", "-c", "grep -E '^(Uid|Gid|Groups)' /proc/self/status"]


@pytest.fixture(params=_ENGINE)
def engine(request: pytest.FixtureRequest, bench: Bench, tmp_path: Path) -> Entry:
    """The engine's ways in: only they know names of users."""
    return make_entry(request.param, bench, tmp_path)


async def identity(entry: Entry, user: str, **host: Any) -> tuple[str, str, list[str]]:
    """Uid, gid and groups of a process of `user`."""
    config = ContainerConfig(hostname="c", user=user)
    lines = (await entry.output(_SHOW, config=config, host=HostConfig(**host))).splitlines()
    fields = {line.split(":")[0]: line.split()[1:] for line in lines}
    assert len(set(fields["Uid"])) == len(set(fields["Gid"])) == 1
    return fields["Uid"][0], fields["Gid"][0], sorted(fields["Groups"], key=int)


_IDENTITIES = {
    "": ("0", "0", ["0"]),
    "bob": ("1000", "1000", ["10", "1000"]),
    "1000": ("1000", "1000", ["10", "1000"]),
    "bob:wheel": ("1000", "10", ["10"]),
    "1000:1000": ("1000", "1000", ["1000"]),
    "4242": ("4242", "0", ["0"]),
    "4242:4243": ("4242", "4243", ["4243"]),
}


async def test_groups_are_complete_and_no_more(engine: Entry) -> None:
    assert {user: await identity(engine, user) for user in _IDENTITIES} == _IDENTITIES


async def test_added_groups(engine: Entry) -> None:
    assert await identity(engine, "bob", group_add=["wheel", "777"]) == ("1000", "1000", ["10", "777", "1000"])


@pytest.mark.parametrize("kind", [kind for kind in ENTRIES if kind.startswith("oci")])
async def test_groups_of_a_bundle_are_its_own(bench: Bench, tmp_path: Path, kind: str) -> None:
    """The runtime's own groups stay with it; names are not looked up."""
    entry = make_entry(kind, bench, tmp_path)
    (entry.root / "etc/group").write_text("evil:x:0:bob\n")
    user = {"uid": 1000, "gid": 1000, "additionalGids": [5, 6], "username": "root"}
    lines = (await entry.output(_SHOW, oci={"process__user": user})).splitlines()
    fields = {line.split(":")[0]: set(line.split()[1:]) for line in lines}
    assert fields == {"Uid": {"1000"}, "Gid": {"1000"}, "Groups": {"5", "6"}}


async def test_numbers_out_of_range_are_never_names(engine: Entry) -> None:
    for user in ("4294967296", "2147483648", "-1", "99999999999999999999", "0:4294967296", "0:-1", "+4294967296"):
        name, _, group = user.partition(":")
        (engine.root / "etc/passwd").write_text(f"{name}:x:0:0::/:/bin/sh\n")
        (engine.root / "etc/group").write_text(f"{group}:x:0:\n")
        with pytest.raises(Refused, match="uids and gids must be in range 0-2147483647"):
            await identity(engine, user)


async def test_a_number_is_not_the_name_of_another_user(engine: Entry) -> None:
    """A passwd file that names root `1000`: who asks for 1000, to be no root, does not become it."""
    (engine.root / "etc/passwd").write_text("1000:x:0:0::/:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n")
    assert (await identity(engine, "1000"))[0] == "1000"


@pytest.mark.parametrize("name", ["etc/passwd", "etc/group"])
async def test_giant_and_endless_files(engine: Entry, name: str) -> None:
    path = engine.root / name
    path.unlink()
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Refused, match="is larger than"):
        await identity(engine, "bob")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refused, match="is not a regular file"):
        await identity(engine, "bob")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(Refused, match="is not a regular file"):
        await identity(engine, "bob")


@pytest.mark.parametrize(
    ("passwd", "group"),
    [
        ("bob:x:" + "9" * 3_000_000 + ":0::/:\n", ""),
        ("bob:x:1000:1000::/:\n", "g:x:" + "9" * 3_000_000 + ":bob\n"),
        ("bob:x:1000:1000::/:\n", "g:x:5:" + "b," * 1_500_000 + "\n"),
        (":" * 3_000_000, ""),
        ("bob\n" * 700_000, "bob\n" * 700_000),
        ("bob:x:1000:1000::/:\n", "".join(f"{n}:x:{n}:bob\n" for n in range(200_000))),
        ("\0" * 3_000_000, "\0" * 3_000_000),
    ],
)
async def test_files_that_are_hard_to_read(bench: Bench, tmp_path: Path, passwd: str, group: str) -> None:
    """Read in bounded time, and refused or understood; the numbers are never others than those of the file."""
    entry = make_entry("engine run", bench, tmp_path)
    (entry.root / "etc/passwd").write_text(passwd)
    (entry.root / "etc/group").write_text(group)
    begun = time.monotonic()
    try:
        assert (await identity(entry, "bob"))[:2] == ("1000", "1000")
    except Refused:
        pass
    assert time.monotonic() - begun < 10
