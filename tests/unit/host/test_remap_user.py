"""`--userns-remap`: users and their subordinate ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter, System
from windlass.host import remap_user
from windlass.host.subordinate_ids import next_free_range, ranges_of, read_grants
from windlass.spec.plan import IdRange


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Files of subordinate ids: /etc/subuid and /etc/subgid as the module sees them."""
    uids, gids = tmp_path / "subuid", tmp_path / "subgid"
    monkeypatch.setattr(remap_user, "SUBUID", str(uids))
    monkeypatch.setattr(remap_user, "SUBGID", str(gids))
    return uids, gids


def test_several_ranges_are_laid_end_to_end(files: tuple[Path, Path]) -> None:
    uids, gids = files
    uids.write_text("# a comment\n\ndaemon:100000:1000\nother:1:5\n1:300000:64536\n")
    gids.write_text("daemon:200000:65536\n")
    mappings = remap_user.load_mappings("daemon")
    assert mappings is not None
    assert mappings.uids == (IdRange(0, 100000, 1000), IdRange(1000, 300000, 64536))
    assert mappings.gids == (IdRange(0, 200000, 65536),)
    assert mappings.gid_count == 65536


@pytest.mark.parametrize("setting", ["daemon", "1", "daemon:daemon", "1:1", "daemon:1", "1:daemon", "daemon:nogroup"])
def test_users_and_groups_by_name_and_number(files: tuple[Path, Path], setting: str) -> None:
    for path in files:
        path.write_text("daemon:100000:65536\n")
    mappings = remap_user.load_mappings(setting)
    assert mappings is not None and mappings.uids == mappings.gids == (IdRange(0, 100000, 65536),)


def test_groups_may_have_ranges_of_their_own(files: tuple[Path, Path]) -> None:
    uids, gids = files
    uids.write_text("nobody:100000:65536\n")
    gids.write_text("nogroup:200000:65536\n")
    mappings = remap_user.load_mappings("nobody:nogroup")
    assert mappings is not None and mappings.gids == (IdRange(0, 200000, 65536),)


@pytest.mark.parametrize("setting", ["", "root", "0", "root:root", "0:0"])
def test_nothing_is_remapped_onto_root(files: tuple[Path, Path], setting: str) -> None:
    assert remap_user.load_mappings(setting) is None


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (":", "invalid user/group specification in --userns-remap"),
        ("daemon:", "invalid user/group specification"),
        ("a:b:c", "invalid user/group specification"),
        ("no-such-user", 'Error during uid lookup for "no-such-user": user not found'),
        ("4000000000", "Uid 4000000000 has no entry in /etc/passwd"),
        ("99999999999", "Uid 99999999999 has no entry in /etc/passwd"),
        ("daemon:no-such-group", 'Error during groupname lookup for "no-such-group": group not found'),
        ("daemon:4000000000", "Gid 4000000000 has no entry in /etc/group"),
        ("nobody", 'Error during gid lookup for "nobody": group not found; name its group: --userns-remap=nobody:'),
        ("daemon", 'no subuid ranges found for user "daemon": add a line such as "daemon:100000:65536" to '),
    ],
)
def test_errors_say_what_is_wrong(files: tuple[Path, Path], setting: str, text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        remap_user.load_mappings(setting)
    assert text in refused.value.message


def test_missing_groups_are_told_apart_from_missing_users(files: tuple[Path, Path]) -> None:
    files[0].write_text("daemon:100000:65536\n")
    with pytest.raises(InvalidParameter, match="no subgid ranges found"):
        remap_user.load_mappings("daemon")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("daemon", "line 1 is not NAME:FIRST:COUNT"),
        ("daemon:1", "is not NAME:FIRST:COUNT"),
        ("daemon:1:2:3", "is not NAME:FIRST:COUNT"),
        ("daemon:-1:5", "is not NAME:FIRST:COUNT"),
        ("daemon:1000:0x10", "is not NAME:FIRST:COUNT"),
        ("daemon:1000:٣", "is not NAME:FIRST:COUNT"),
        ("daemon:1000:0", "has ids that do not exist"),
        ("daemon:4294967295:1", "has ids that do not exist"),
        ("daemon:0:65536", "contains the host's root"),
        ("daemon:1000:10\ndaemon:1009:1", "overlaps another one"),
        ("daemon:1000:10\ndaemon:1000:10", "overlaps another one"),
        ("\n".join(f"daemon:{10 * i}:5" for i in range(1, 342)), "341 ranges"),
    ],
)
def test_hostile_files(tmp_path: Path, line: str, text: str) -> None:
    path = tmp_path / "subuid"
    path.write_text(f"{line}\n")
    with pytest.raises(InvalidParameter, match=text):
        ranges_of(str(path), ("daemon", "1"))


def test_files_are_read_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "subuid"
    path.write_bytes(b"daemon:100000:65536\n" * 60_000)
    with pytest.raises(System, match="is larger than"):
        read_grants(str(path))
    with pytest.raises(System, match="is a directory"):
        read_grants(str(tmp_path))


def test_new_ranges_go_behind_all_others(tmp_path: Path) -> None:
    path = tmp_path / "subuid"
    assert next_free_range(str(path)) == (100000, 165535)
    path.write_text("a:500000:65536\nb:100000:65536\n")
    assert next_free_range(str(path)) == (565536, 631071)
    path.write_text("a:4294900000:65536\n")
    with pytest.raises(InvalidParameter, match="has no room"):
        next_free_range(str(path))
