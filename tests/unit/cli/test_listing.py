"""Rows as tables, JSON and through templates."""

from __future__ import annotations

import json
import time

import pytest

from windlass.cli.errors import CliError
from windlass.cli.listing import listing
from windlass.cli.rows.container import COLUMNS, ContainerRow
from windlass.cli.rows.image import DIGEST_COLUMNS, ImageRow, image_rows
from windlass.cli.rows.image_tree import tree
from windlass.cli.rows.ports import displayed_ports
from windlass.cli.rows.row import natural
from windlass.cli.rows.stats import StatsRow
from windlass.cli.table import aligned

ID = "7c2d4c1beb6ed81dc61129cf8375acf05b64c47f925098ac27cf706c97f95a50"


def container(**changes: object) -> ContainerRow:
    data: dict[str, object] = {
        "Id": ID,
        "Names": ["/x1", "/other/alias"],
        "Image": "busybox",
        "Command": "sh -c 'echo hello; sleep 1'",
        "Created": int(time.time()) - 7200,
        "Status": "Up 2 hours",
        "State": "running",
        "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "IP": "0.0.0.0", "Type": "tcp"}],
        "Labels": {"com.x.a-b": "1", "z": "2"},
        "Mounts": [{"Name": "a" * 20, "Driver": "local"}, {"Source": "/tmp"}],
        "NetworkSettings": {"Networks": {"none": {}}},
    }
    return ContainerRow({**data, **changes})


def test_the_table_of_ps() -> None:
    assert listing([container()], ContainerRow, COLUMNS) == (
        "CONTAINER ID   IMAGE     COMMAND                  CREATED       STATUS       PORTS                  NAMES\n"
        '7c2d4c1beb6e   busybox   "sh -c \'echo hello; …"   2 hours ago   Up 2 hours   0.0.0.0:8080->80/tcp   x1\n'
    )


def test_an_empty_table_has_its_header() -> None:
    assert listing([], ContainerRow, ("ID", "Names")) == "CONTAINER ID   NAMES\n"


def test_ids_alone() -> None:
    assert listing([container()], ContainerRow, COLUMNS, quiet=True) == f"{ID[:12]}\n"


def test_json_rows() -> None:
    row = json.loads(listing([container(Image="a&b")], ContainerRow, COLUMNS, "json"))
    assert list(row) == sorted(row)
    assert row["Mounts"] == "aaaaaaaaaaaaaa…,/tmp" and row["LocalVolumes"] == "1" and row["Platform"] is None
    assert "a\\u0026b" in listing([container(Image="a&b")], ContainerRow, COLUMNS, "json")


def test_a_table_through_a_template() -> None:
    template = r'table {{.Label "com.x.a-b"}}\t{{upper .Names}}\t{{json .ID}}'
    assert listing([container()], ContainerRow, COLUMNS, template) == (
        'a b       NAMES     CONTAINER ID\n1         X1        "7c2d4c1beb6e"\n'
    )


def test_a_template_without_a_table_keeps_its_tabs() -> None:
    assert listing([container()], ContainerRow, COLUMNS, r"{{.Names}}\t{{.Image}}") == "x1\tbusybox\n"


def test_unknown_fields_and_missing_arguments() -> None:
    with pytest.raises(CliError) as caught:
        listing([container()], ContainerRow, COLUMNS, "{{.Foo}}")
    assert caught.value.message == (
        'failed to execute template: template: :1:2: executing "" at <.Foo>: '
        "can't evaluate field Foo in type *formatter.ContainerContext"
    )
    with pytest.raises(CliError, match="template parsing error: template: :1: unclosed action") as malformed:
        listing([container()], ContainerRow, COLUMNS, "{{.Foo")
    assert malformed.value.status == 1


def _port(private: int, public: int = 0, address: str = "", kind: str = "tcp") -> dict[str, object]:
    return {"PrivatePort": private, "PublicPort": public, "IP": address, "Type": kind}


@pytest.mark.parametrize(
    ("ports", "shown"),
    [
        ([], ""),
        ([_port(81), _port(80), _port(90)], "80-81/tcp, 90/tcp"),
        ([_port(80, 80, "0.0.0.0"), _port(81, 81, "0.0.0.0")], "0.0.0.0:80-81->80-81/tcp"),
        ([_port(80, 8080, "::"), _port(80, 8080, "0.0.0.0")], "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"),
        ([_port(53, kind="udp"), _port(53)], "53/tcp, 53/udp"),
    ],
)
def test_ports(ports: list[dict[str, object]], shown: str) -> None:
    assert displayed_ports(ports) == shown


def test_images_have_a_row_for_each_name() -> None:
    image = {"Id": "sha256:" + "1" * 64, "Created": 0, "Size": 1984287, "RepoTags": ["a:1", "a:2", "r:5000/b:1"]}
    image["RepoDigests"] = ["a@sha256:" + "2" * 64]
    rows = image_rows([image, {**image, "RepoTags": None, "RepoDigests": ["<none>@<none>"]}], trunc=True, digests=False)
    assert [(row.repository, row.tag) for row in rows] == [
        ("a", "1"),
        ("a", "2"),
        ("r:5000/b", "1"),
        ("<none>", "<none>"),
    ]
    assert rows[0].text("Size") == "1.98MB" and rows[0].text("VirtualSize") == "1.984MB"
    shown = listing(image_rows([image], trunc=True, digests=True), ImageRow, DIGEST_COLUMNS)
    assert shown.splitlines()[0].split() == ["REPOSITORY", "TAG", "DIGEST", "IMAGE", "ID", "CREATED", "SIZE"]


def test_columns_of_neighbouring_lines_line_up() -> None:
    assert aligned("a\tb\nlonger text\tc") == "a             b\nlonger text   c"
    assert aligned("a\tb\nplain\nx\ty") == "a         b\nplain\nx         y"


def test_numbers_in_names_sort_as_numbers() -> None:
    assert sorted(["net10", "net9", "a"], key=natural) == ["a", "net9", "net10"]


def test_the_numbers_of_stats() -> None:
    sample: dict[str, object] = {
        "id": ID,
        "name": "/x1",
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 1 << 20, "limit": 4 << 20, "stats": {"inactive_file": 1 << 19}},
        "networks": {"eth0": {"rx_bytes": 1000, "tx_bytes": 2000}, "eth1": {"rx_bytes": 500, "tx_bytes": 0}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "write", "value": 7}]},
        "pids_stats": {"current": 3},
    }
    row = StatsRow(sample, "x1")
    assert [row.text(name) for name in ("CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")] == [
        "40.00%",
        "512KiB / 4MiB",
        "12.50%",
        "1.5kB / 2kB",
        "5B / 7B",
        "3",
    ]
    assert StatsRow({}, "x1").text("MemUsage") == "-- / --"


def test_images_as_a_tree() -> None:
    def manifest(number: int, platform: dict[str, str], content: int, containers: list[str]) -> dict[str, object]:
        return {
            "ID": f"sha256:{str(number) * 64}",
            "Kind": "image",
            "Size": {"Content": content, "Total": content * 3},
            "ImageData": {"Platform": platform, "Containers": containers},
        }

    image: dict[str, object] = {
        "Id": "sha256:" + "1" * 64,
        "RepoTags": ["b:1", "a:2"],
        "Size": 5000000,
        "Manifests": [
            manifest(2, {"os": "linux", "architecture": "amd64"}, 1000000, ["x"]),
            manifest(3, {"os": "linux", "architecture": "arm64", "variant": "v8"}, 0, []),
        ],
    }
    assert [line.rstrip() for line in tree([image]).splitlines()[2:]] == [
        "IMAGE                   ID             DISK USAGE   CONTENT SIZE   EXTRA",
        "b:1",
        "a:2                     111111111111          5MB            1MB   U",
        "├─ linux/amd64          222222222222          3MB            1MB   U",
        "└─ linux/arm64/v8       333333333333           0B             0B",
        "",
    ]
