"""The user's config.json: formats, proxies, credentials."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.support.engine_recorder import recording

from windlass.cli.config import Config, read_config
from windlass.cli.credentials import registry_auth
from windlass.cli.errors import CliError
from windlass.cli.main import run


def decoded(header: str) -> object:
    return json.loads(base64.urlsafe_b64decode(header))


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    config = read_config(str(tmp_path))
    assert config.text("psFormat") == "" and config.table("auths") == {}
    assert decoded(registry_auth(config, "docker.io")) == {}


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CliError, match=f"Error loading config file: {tmp_path}/config.json"):
        read_config(str(tmp_path))


def test_proxies_of_one_host_come_before_the_default() -> None:
    config = Config({"proxies": {"default": {"httpProxy": "a"}, "tcp://h:1": {"httpProxy": "b", "noProxy": "c"}}})
    assert config.proxy_variables("unix:///x") == {"HTTP_PROXY": "a", "http_proxy": "a"}
    assert config.proxy_variables("tcp://h:1")["no_proxy"] == "c"


def test_credentials_by_registry() -> None:
    packed = base64.b64encode(b"me:se:cret").decode()
    config = Config({"auths": {"https://index.docker.io/v1/": {"auth": packed}, "reg.io": {"identitytoken": "t"}}})
    hub = {"username": "me", "password": "se:cret", "serveraddress": "https://index.docker.io/v1/"}
    assert decoded(registry_auth(config, "docker.io")) == hub
    assert decoded(registry_auth(config, "reg.io")) == {"identitytoken": "t", "serveraddress": "reg.io"}
    assert decoded(registry_auth(config, "other.io")) == {}


def test_credentials_from_a_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text('#!/bin/sh\nread server\necho "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$server\\"}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = Config({"credHelpers": {"reg.io": "test"}})
    assert decoded(registry_auth(config, "reg.io")) == {
        "username": "u",
        "password": "reg.io",
        "serveraddress": "reg.io",
    }


def test_prune_filters_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"pruneFilters": ["label!=keep", "until=24h", "label=a"]}')
    path = str(tmp_path / "e.sock")
    words = ["--config", str(tmp_path), "-H", f"unix://{path}", "container", "prune", "-f", "--filter", "label!=a"]
    with recording(path) as requests:
        assert run(words) == 0
    (sent,) = (request for request in requests if request.method == "POST")
    query = parse_qs(sent.target.partition("?")[2])
    assert json.loads(query["filters"][0]) == {"label!": {"a": True, "keep": True}, "until": {"24h": True}}
