"""The recipes' own decisions: which tool, which links, what is taken out and put in, what errors say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from windlass.images.bootstrap import busybox, debian, packages, recipe_for
from windlass.images.bootstrap.recipe import RecipeError


@pytest.mark.parametrize(
    ("reference", "recipe"),
    [
        ("windlass/busybox", "windlass/busybox"),
        ("windlass/busybox:latest", "windlass/busybox"),
        ("windlass/busybox:1.35", None),
        ("windlass/debian", "windlass/debian"),
        ("windlass/debian:bookworm", "windlass/debian"),
        ("debian:bookworm", None),
    ],
)
def test_recipe_of_a_reference(reference: str, recipe: str | None) -> None:
    assert recipe_for(reference) == recipe


@pytest.mark.parametrize(
    ("applet", "target"),
    [("bin/sh", "busybox"), ("sbin/ip", "../bin/busybox"), ("usr/bin/env", "../../bin/busybox")],
)
def test_links_of_applets_are_relative(applet: str, target: str) -> None:
    assert busybox.link_target(applet) == target


def test_applets_are_what_busybox_says() -> None:
    program = b"#!/bin/sh\necho usr/bin/env; echo bin/sh; echo linuxrc; echo bin/busybox; echo bin/sh\n"
    assert busybox.list_applets(program) == ["bin/sh", "usr/bin/env"]


def test_an_applet_outside_of_the_image_is_refused() -> None:
    with pytest.raises(RecipeError, match="no directory"):
        busybox.list_applets(b"#!/bin/sh\necho ../etc/passwd\n")


def test_a_busybox_that_fails_is_an_error() -> None:
    with pytest.raises(RecipeError, match="status 3"):
        busybox.list_applets(b"#!/bin/sh\nexit 3\n")


def test_without_apt_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_program", lambda _: None)
    with (
        pytest.raises(RecipeError, match=r"no apt-get; pull an image .* or import"),
        packages.downloaded("busybox-static"),
    ):
        pass


def _host_with(monkeypatch: pytest.MonkeyPatch, *tools: str, keys: bool = True) -> None:
    monkeypatch.setattr(debian, "find_program", lambda name: f"/usr/sbin/{name}" if name in tools else None)
    monkeypatch.setattr(debian, "KEYRING", "/" if keys else "/no/such/keyring")


def test_debootstrap_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _host_with(monkeypatch, "mmdebstrap", "debootstrap")
    command = debian.bootstrap_command("/root-to-be", "http://mirror")
    assert command[0] == "/usr/sbin/debootstrap"
    assert "--force-check-gpg" in command
    assert command[-3:] == ["bookworm", "/root-to-be", "http://mirror"]


def test_mmdebstrap_names_its_keys_for_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    _host_with(monkeypatch, "mmdebstrap")
    sources = [word for word in debian.bootstrap_command("/r", "http://mirror") if word.startswith("deb ")]
    assert len(sources) == 2
    assert all("[signed-by=/]" in source for source in sources)


def test_without_either_tool_the_error_names_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    _host_with(monkeypatch)
    with pytest.raises(RecipeError, match="apt-get install debootstrap debian-archive-keyring"):
        debian.bootstrap_command("/r", "http://mirror")


def test_without_keys_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    _host_with(monkeypatch, "debootstrap", keys=False)
    with pytest.raises(RecipeError, match="apt-get install debian-archive-keyring"):
        debian.bootstrap_command("/r", "http://mirror")


def test_clean_takes_out_this_installation_and_configures_apt(tmp_path: Path) -> None:
    logs = ["var/log/dpkg.log", "var/log/apt/term.log"]
    caches = ["var/lib/apt/lists/x_Packages", "var/cache/apt/pkgcache.bin", "var/lib/dpkg/status-old", "tmp/left"]
    settings = ["etc/resolv.conf", "etc/machine-id", "etc/apt/sources.list"]
    traces = [*logs, *caches, *settings]
    for name in [*traces, "var/lib/dpkg/status", "usr/sbin/keep"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("trace")
    debian.clean(str(tmp_path), "http://mirror/debian")
    holding = {
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size
    }
    assert holding == {"var/lib/dpkg/status", "usr/sbin/keep", *debian.configuration("http://mirror/debian")}
    assert (tmp_path / "etc/resolv.conf").exists()
    assert (tmp_path / "usr/sbin/policy-rc.d").stat().st_mode & 0o111


def test_newest_package_is_found_by_changelogs(tmp_path: Path) -> None:
    for name, mtime in (("a", 1000), ("b", 3000), ("c", 2000)):
        document = tmp_path / "usr/share/doc" / name / "changelog.Debian.gz"
        document.parent.mkdir(parents=True)
        document.touch()
        os.utime(document, (mtime, mtime))
    assert debian.newest_package_s(str(tmp_path)) == 3000


def test_the_mirror_is_the_one_that_the_root_came_from(tmp_path: Path) -> None:
    apt = tmp_path / "etc/apt"
    (apt / "sources.list.d").mkdir(parents=True)
    with pytest.raises(RecipeError, match="where its packages came from"):
        debian.mirror_of(str(tmp_path))
    (apt / "sources.list.d/debian.sources").write_text("Types: deb\nURIs: http://two/debian/\nSuites: x\n")
    assert debian.mirror_of(str(tmp_path)) == "http://two/debian"
    (apt / "sources.list").write_text("# comment\ndeb [signed-by=/k] http://one/debian bookworm main\n")
    assert debian.mirror_of(str(tmp_path)) == "http://one/debian"
    assert "URIs: http://one/debian-security\n" in "".join(debian.configuration("http://one/debian").values())


def test_without_a_mirror_the_tool_uses_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "find_program", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(os.path, "exists", lambda _path: True)
    assert debian.bootstrap_command("/r", "")[-1] == "/r"
