"""Challenges, credentials, endpoints, refusals: read and worded without a network."""

from __future__ import annotations

import base64
import json

import pytest
from yarl import URL

from windlass.base.errors import InvalidParameter, NotFound, Unauthorized
from windlass.distribution.challenge import Challenge, parse_challenges
from windlass.distribution.credentials import ANONYMOUS, Credentials, InvalidAuthHeader, parse_auth_header
from windlass.distribution.endpoints import RegistrySettings, check_settings, endpoints
from windlass.distribution.errors import RegistryRefused, explain_pull, parse_refusal
from windlass.spec.reference import parse_reference


def test_challenges_are_read() -> None:
    header = 'Bearer realm="https://auth.example/token",service="r.example, inc", scope="repository:a:pull,push"'
    assert parse_challenges([header]) == Challenge(
        "bearer", "https://auth.example/token", "r.example, inc", "repository:a:pull,push"
    )
    assert parse_challenges(["Negotiate x", 'basic realm="a \\"b\\""']) == Challenge("basic", 'a "b"')
    assert parse_challenges(["Digest realm=x", ""]) is None
    assert parse_challenges(["Bearer " + "a=" * 100_000]) is not None


def _header(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_auth_headers_are_read() -> None:
    assert parse_auth_header("") == ANONYMOUS
    assert parse_auth_header(_header({})) == ANONYMOUS
    assert parse_auth_header(_header(None)) == ANONYMOUS
    assert parse_auth_header(_header({"username": "u", "password": "p?>"})) == Credentials("u", "p?>")
    assert parse_auth_header(_header({"identitytoken": "t"})) == Credentials(identity_token="t")
    pair = base64.b64encode(b"u:p:q").decode()
    assert parse_auth_header(_header({"auth": pair})) == Credentials("u", "p:q")


@pytest.mark.parametrize("header", ["!", "e30=x", _header([]), _header({"username": 1}), "A" * 100_000])
def test_bad_auth_headers_are_refused_without_showing_them(header: str) -> None:
    with pytest.raises(InvalidAuthHeader) as raised:
        parse_auth_header(header)
    assert raised.value.message == "invalid X-Registry-Auth header"
    assert raised.value.__cause__ is None


def test_credentials_never_show_themselves() -> None:
    assert "secret" not in repr(Credentials("u", "secret", "secret"))
    assert "secret" not in f"{Credentials('u', 'secret')}"


def test_docker_io_has_mirrors_before_itself() -> None:
    settings = RegistrySettings(mirrors=("https://m1.example/", "http://m2.example:5000"))
    found = endpoints("docker.io", settings)
    assert [str(endpoint.url) for endpoint in found] == [
        "https://m1.example",
        "http://m2.example:5000",
        "https://registry-1.docker.io",
    ]
    assert [endpoint.mirror for endpoint in found] == [True, True, False]
    assert len(endpoints("r.example", settings)) == 1


@pytest.mark.parametrize(
    ("domain", "insecure"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("[::1]:5000", True),
        ("r.example", False),
        ("localhost.example", False),
        ("i.example:5000", True),
        ("i.example", False),
        ("10.1.2.3:80", True),
        ("11.1.2.3", False),
    ],
)
def test_insecure_registries(domain: str, insecure: bool) -> None:
    settings = RegistrySettings(insecure=("i.example:5000", "10.0.0.0/8"))
    (endpoint,) = endpoints(domain, settings)
    assert endpoint.insecure is insecure
    assert endpoint.try_http is insecure
    assert endpoint.url.scheme == "https"


@pytest.mark.parametrize(
    "settings",
    [
        RegistrySettings(mirrors=("ftp://m.example",)),
        RegistrySettings(mirrors=("m.example",)),
        RegistrySettings(mirrors=("https://u:p@m.example",)),
        RegistrySettings(mirrors=("https://m.example?x",)),
        RegistrySettings(insecure=("https://m.example",)),
    ],
)
def test_bad_settings(settings: RegistrySettings) -> None:
    with pytest.raises(InvalidParameter) as raised:
        check_settings(settings)
    assert "u:p" not in raised.value.message


def _refused(status: int, code: str, message: str) -> RegistryRefused:
    return parse_refusal(status, "", json.dumps({"errors": [{"code": code, "message": message}]}).encode())


@pytest.mark.parametrize(
    ("refused", "kind", "text"),
    [
        (
            _refused(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            NotFound,
            "manifest for a:b not found: manifest unknown: manifest unknown",
        ),
        (
            _refused(404, "NAME_UNKNOWN", "repository name not known to registry"),
            NotFound,
            "repository a not found: name unknown: repository name not known to registry",
        ),
        (
            _refused(403, "DENIED", "requested access to the resource is denied"),
            NotFound,
            "pull access denied for a, repository does not exist or may require 'docker login': "
            "denied: requested access to the resource is denied",
        ),
        (
            _refused(401, "UNAUTHORIZED", "authentication required"),
            Unauthorized,
            "unauthorized: authentication required",
        ),
        (
            parse_refusal(404, "Not Found", b"<html>"),
            NotFound,
            "manifest for a:b not found: manifest unknown: received unexpected HTTP status: 404 Not Found",
        ),
        (parse_refusal(503, "Gone Fishing", b""), RegistryRefused, "received unexpected HTTP status: 503 Gone Fishing"),
        (_refused(429, "TOOMANYREQUESTS", "slow down"), RegistryRefused, "toomanyrequests: slow down"),
    ],
)
def test_refusals_in_dockers_words(refused: RegistryRefused, kind: type[Exception], text: str) -> None:
    explained = explain_pull(refused, parse_reference("a:b"))
    assert isinstance(explained, kind)
    assert explained.message == text


def test_a_refusal_with_a_bomb_for_a_body_is_still_a_refusal() -> None:
    assert parse_refusal(500, "x", b"[" * 100_000).status == 500
    assert len(parse_refusal(500, "x", json.dumps({"errors": [{"message": "y" * 10**6}]}).encode()).message) < 5000


def test_an_endpoints_url_keeps_its_path() -> None:
    (mirror, _) = endpoints("docker.io", RegistrySettings(mirrors=("https://m.example/proxy/hub/",)))
    assert mirror.url == URL("https://m.example/proxy/hub")
