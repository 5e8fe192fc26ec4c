"""Contexts on disk, in the form that Docker's command line reads and writes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from windlass.cli.contexts.bundle import packed, unpacked
from windlass.cli.contexts.store import Store, new_meta
from windlass.cli.errors import CliError
from windlass.cli.flags import parse_flags
from windlass.cli.host import choose_host
from windlass.cli.main import GLOBAL_FLAGS, run

# What the stock client made of `context create aa --docker host=tcp://h:2376,skip-tls-verify=true --description 'd e'`.
STOCK_ID = "961b6dd3ede3cb8ecbaacbd68de040cd78eb2ed5889130cceb4c49268ea4d506"
STOCK_META = (
    '{"Name":"aa","Metadata":{"Description":"d e"},"Endpoints":{"docker":{"Host":"tcp://h:2376","SkipTLSVerify":true}}}'
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of configuration, and no variable that would lead elsewhere."""
    for name in ("WINDLASS_HOST", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_a_context_is_kept_as_docker_keeps_it(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pem = home / "x.pem"
    pem.write_text("PEM")
    docker = f"host=tcp://h:2376,skip-tls-verify=true,ca={pem},cert={pem},key={pem}"
    assert run(["context", "create", "aa", "--description", "d e", "--docker", docker]) == 0
    assert capfd.readouterr() == ("aa\n", 'Successfully created context "aa"\n')
    assert (home / "contexts/meta" / STOCK_ID / "meta.json").read_text() == STOCK_META
    key = home / "contexts/tls" / STOCK_ID / "docker" / "key.pem"
    assert (key.read_text(), key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == ("PEM", 0o600, 0o700)


def test_the_life_of_a_context(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "config.json").write_text('{"auths": {}, "psFormat": "x"}')
    assert run(["context", "create", "aa", "--docker", "host=tcp://h:1"]) == 0
    assert run(["context", "use", "aa"]) == 0
    assert json.loads((home / "config.json").read_text()) == {"auths": {}, "psFormat": "x", "currentContext": "aa"}
    capfd.readouterr()
    assert run(["context", "ls"]) == 0
    head, first, second = capfd.readouterr().out.splitlines()
    assert head.split() == ["NAME", "DESCRIPTION", "DOCKER", "ENDPOINT", "ERROR"]
    assert first.split() == ["aa", "*", "tcp://h:1"] and second.startswith("default   Current DOCKER_HOST based")
    assert run(["context", "rm", "aa"]) == 1
    assert capfd.readouterr().err == 'context "aa" is in use, set -f flag to force remove\n'
    assert run(["context", "rm", "-f", "aa"]) == 0
    assert json.loads((home / "config.json").read_text()) == {"auths": {}, "psFormat": "x"}
    assert not list((home / "contexts/meta").iterdir())


def test_which_context_is_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(home))
    store.put(new_meta("aa", "", "unix:///a", False), {})
    store.put(new_meta("bb", "", "tcp://b:1", True), {})
    (home / "config.json").write_text('{"currentContext": "aa"}')

    def chosen(words: list[str], environ: dict[str, str]) -> tuple[str, str, bool]:
        choice = choose_host(parse_flags(GLOBAL_FLAGS, words)[0], environ, str(home))
        return choice.context_name, choice.endpoint.text, choice.endpoint.tls is not None

    assert chosen([], {}) == ("aa", "unix:///a", False)
    assert chosen([], {"DOCKER_CONTEXT": "bb"}) == ("bb", "tcp://b:1", True)
    assert chosen([], {"DOCKER_CONTEXT": "bb", "DOCKER_HOST": "unix:///h"}) == ("default", "unix:///h", False)
    assert chosen(["-c", "bb"], {"DOCKER_HOST": "unix:///h"})[:2] == ("bb", "tcp://b:1")
    assert chosen(["-H", "unix:///x"], {"DOCKER_CONTEXT": "bb"})[:2] == ("default", "unix:///x")
    with pytest.raises(CliError, match="conflicting options: cannot specify both --host and --context"):
        chosen(["-H", "unix:///x", "-c", "bb"], {})
    assert run(["-c", "default", "context", "show"]) == 0
    monkeypatch.setenv("DOCKER_CONTEXT", "lost")
    assert run(["context", "ls"]) == 0  # also when the one in use is gone


def test_a_bundle_holds_everything(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put(new_meta("aa", "d", "tcp://h:1", False), {"ca.pem": b"C", "key.pem": b"K"})
    raw = packed(store.get("aa"))
    assert unpacked(raw) == (store.get("aa").meta, {"ca.pem": b"C", "key.pem": b"K"})
    as_zip = io.BytesIO()
    with zipfile.ZipFile(as_zip, "w") as archive:
        archive.writestr("meta.json", STOCK_META)
    assert unpacked(as_zip.getvalue()) == (json.loads(STOCK_META), {})
