"""The header that tells what is at a path of a container."""

from __future__ import annotations

import base64
import json
import stat

import pytest

from windlass.api.routes.files import go_mode, path_stat_header
from windlass.files.model import PathStat


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (stat.S_IFREG | 0o644, 0o644),
        (stat.S_IFREG | 0o4755, 1 << 23 | 0o755),
        (stat.S_IFREG | 0o2755, 1 << 22 | 0o755),
        (stat.S_IFDIR | 0o1777, 1 << 31 | 1 << 20 | 0o777),
        (stat.S_IFLNK | 0o777, 1 << 27 | 0o777),
        (stat.S_IFCHR | 0o600, 1 << 26 | 1 << 21 | 0o600),
        (stat.S_IFBLK | 0o600, 1 << 26 | 0o600),
        (stat.S_IFIFO | 0o600, 1 << 25 | 0o600),
        (stat.S_IFSOCK | 0o600, 1 << 24 | 0o600),
    ],
)
def test_modes_are_go_s(mode: int, expected: int) -> None:
    assert go_mode(mode) == expected


def test_the_header_is_json_in_base64() -> None:
    value = path_stat_header(PathStat("n", 3, stat.S_IFLNK | 0o777, 1_500_000_000, "/t"))
    assert json.loads(base64.b64decode(value)) == {
        "name": "n",
        "size": 3,
        "mode": 1 << 27 | 0o777,
        "mtime": "1970-01-01T00:00:01.500000000Z",
        "linkTarget": "/t",
    }
