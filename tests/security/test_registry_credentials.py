"""CVE-2020-15157, CVE-2026-33540, CVE-2026-48978, CVE-2026-50151: credentials stay with the registry they are for,
and a registry cannot make the daemon ask around in its own network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from tests.support.fake_registry import FakeRegistry, Fault, Handler, fake_registry, refusal, serving
from tests.support.image_files import small_image
from yarl import URL

from windlass.base.errors import Unauthorized
from windlass.content.blobs import BlobStore
from windlass.distribution.credentials import Credentials
from windlass.distribution.endpoints import Endpoint, RegistrySettings
from windlass.distribution.errors import CrossOriginRefused
from windlass.distribution.origin import (
    Reach,
    check_address,
    check_hop,
    reach,
    realm_may_have_credentials,
)
from windlass.distribution.source import Retry, Source, open_source
from windlass.distribution.transport import Transport
from windlass.spec.digest import digest_bytes
from windlass.spec.image import Descriptor
from windlass.spec.reference import ImageRef

IMAGE = small_image({"a": b"1"})
SECRET = Credentials("user", "secret")
RETRY = Retry(attempts=2, first_pause_s=0.001)
BLOB = b"blob"
DESCRIPTOR = Descriptor("application/octet-stream", digest_bytes(BLOB), len(BLOB))


class Captured:
    """A host that must not see credentials: it remembers the headers that it was sent."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.queries: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        self.queries.append(request.query_string)
        if request.path == "/challenge":
            realm = f'Basic realm="http://{request.host}/token"'
            return web.Response(status=401, headers={"WWW-Authenticate": realm})
        return web.json_response({"token": "t"}) if request.path == "/token" else web.Response(body=BLOB)

    def saw_credentials(self) -> bool:
        return any("Authorization" in headers for headers in self.headers) or any("user" in q for q in self.queries)


@pytest_asyncio.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as registry:
        registry.add(IMAGE, "1")
        yield registry


@pytest_asyncio.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.close()


def _source(transport: Transport, registry: FakeRegistry, credentials: Credentials = SECRET) -> Source:
    return open_source(transport, ImageRef(registry.host, "a/b"), RegistrySettings(), credentials, RETRY)


def _asks_for(challenge: str, accepted: str) -> Fault:
    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/token" or request.headers.get("Authorization") == accepted:
            return None
        return refusal(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=challenge)

    return fault


async def test_basic_credentials_go_to_the_registry_that_asks(registry: FakeRegistry, transport: Transport) -> None:
    registry.fault = _asks_for('Basic realm="r"', SECRET.basic)
    assert (await _source(transport, registry).manifest("1")).raw == IMAGE.manifest
    with pytest.raises(Unauthorized, match="no basic auth credentials"):
        await _source(transport, registry, Credentials()).manifest("1")


async def test_a_token_service_at_the_registry_gets_them(registry: FakeRegistry, transport: Transport) -> None:
    realm = f'Bearer realm="http://{registry.host}/token",service="s"'
    inner = _asks_for(realm, "Bearer t")

    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/token":
            assert request.headers["Authorization"] == SECRET.basic
            assert request.query["scope"] == "repository:a/b:pull"
            return web.json_response({"access_token": "t", "expires_in": 300})
        return await inner(request)

    registry.fault = fault
    source = _source(transport, registry)
    await source.manifest("1")
    await source.manifest("1")
    assert len(registry.asked("/token")) == 1


async def test_a_realm_elsewhere_gets_none(registry: FakeRegistry, transport: Transport) -> None:
    captured = Captured()
    async with serving(captured.handle) as port:
        # By its name the host is another one than the registry, which goes by its address.
        registry.fault = _asks_for(f'Bearer realm="http://localhost:{port}/token"', "Bearer t")
        await _source(transport, registry).manifest("1")
    assert captured.headers
    assert not captured.saw_credentials()


async def test_a_redirect_elsewhere_gets_none(registry: FakeRegistry, transport: Transport, tmp_path: Path) -> None:
    captured = Captured()
    blobs = BlobStore(str(tmp_path))
    async with serving(captured.handle) as port:
        inner = _asks_for('Basic realm="r"', SECRET.basic)

        async def fault(request: web.Request) -> web.StreamResponse | None:
            if "/blobs/" in request.path and "Authorization" in request.headers:
                raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{port}/blob")
            return await inner(request)

        registry.fault = fault
        await _source(transport, registry).fetch(DESCRIPTOR, blobs)
    assert captured.headers
    assert not captured.saw_credentials()


async def test_a_challenge_from_where_a_redirect_led_is_not_met(
    registry: FakeRegistry, transport: Transport, tmp_path: Path
) -> None:
    captured = Captured()
    async with serving(captured.handle) as port:

        async def fault(request: web.Request) -> web.StreamResponse | None:
            if "/blobs/" in request.path:
                raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{port}/challenge")
            return None

        registry.fault = fault
        with pytest.raises(Exception, match="401"):
            await _source(transport, registry).fetch(DESCRIPTOR, BlobStore(str(tmp_path)))
    assert captured.headers
    assert not captured.saw_credentials()


async def test_a_redirect_that_comes_back_gets_none(registry: FakeRegistry, transport: Transport) -> None:
    """Once a request has left the registry, whoever sends it back is not trusted with what it carried."""
    async with serving(_back_to(registry)) as port:
        inner = _asks_for('Basic realm="r"', SECRET.basic)

        async def fault(request: web.Request) -> web.StreamResponse | None:
            if request.path == "/victim":
                return web.Response(body=b"{}")
            if request.path.endswith("/manifests/1") and "Authorization" in request.headers:
                raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{port}/")
            return await inner(request)

        registry.fault = fault
        await _source(transport, registry).manifest("1")
    (victim,) = registry.asked("/victim")
    assert "Authorization" not in victim.headers


def _back_to(registry: FakeRegistry) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(f"http://{registry.host}/victim")

    return handle


async def test_an_identity_token_is_not_sent_on(registry: FakeRegistry, transport: Transport) -> None:
    captured = Captured()
    async with serving(captured.handle) as port:
        inner = _asks_for(f'Bearer realm="http://{registry.host}/token"', "Bearer t")

        async def fault(request: web.Request) -> web.StreamResponse | None:
            if request.path == "/token":
                assert (await request.post())["refresh_token"] == "refresh"
                raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{port}/token")
            return await inner(request)

        registry.fault = fault
        with pytest.raises(CrossOriginRefused):
            await _source(transport, registry, Credentials(identity_token="refresh")).manifest("1")
    assert not captured.headers


async def test_mirrors_get_none(transport: Transport) -> None:
    async with fake_registry() as mirror:
        mirror.add(IMAGE, "1")
        mirror.fault = _asks_for('Basic realm="r"', SECRET.basic)
        settings = RegistrySettings(mirrors=(f"http://{mirror.host}",))
        source = open_source(transport, ImageRef("docker.io", "library/a"), settings, SECRET, RETRY)
        with pytest.raises(Exception, match=r"registry-1\.docker\.io"):
            await source.manifest("1")
    assert mirror.requests
    assert all("Authorization" not in request.headers for request in mirror.requests)


async def test_redirects_come_to_an_end(registry: FakeRegistry, transport: Transport) -> None:
    async def round_and_round(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/v2/":
            return None
        raise web.HTTPFound(request.path)

    registry.fault = round_and_round
    with pytest.raises(Exception, match="stopped after 10 redirects"):
        await _source(transport, registry).manifest("1")


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "http://user:pass@127.0.0.1/",
    ],
)
async def test_no_redirect_leads_to_metadata_services_or_files(
    registry: FakeRegistry, transport: Transport, location: str
) -> None:
    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/v2/":
            return None
        return web.Response(status=307, headers={"Location": location})

    registry.fault = fault
    with pytest.raises(CrossOriginRefused):
        await _source(transport, registry).manifest("1")


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "http://localhost:1/", "http://10.0.0.1/"])
async def test_a_public_registry_leads_to_no_private_address(transport: Transport, target: str) -> None:
    """The check is made where the connection is: `localhost` by name is found out as well."""
    with pytest.raises(CrossOriginRefused):
        async with transport.request(Endpoint(URL("https://8.8.8.8"), insecure=True), URL(target)):
            pass


def test_tls_is_not_given_up() -> None:
    https, http = URL("https://r.example/"), URL("http://r.example/")
    with pytest.raises(CrossOriginRefused, match="plain HTTP where HTTPS was meant"):
        check_hop(https, http, insecure=False)
    check_hop(http, https, insecure=False)
    check_hop(https, http, insecure=True)
    assert not realm_may_have_credentials(https, http)


@pytest.mark.parametrize(
    ("registry", "realm", "allowed"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
        ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("https://ghcr.io", "https://ghcr.io/token", True),
        ("https://r.example:5000", "https://r.example:5001/token", True),
        ("https://ghcr.io", "https://evil.io/token", False),
        ("https://registry.example.com", "https://evil.com/token", False),
        ("https://registry.example.com", "https://evilexample.com/token", False),
        ("https://registry.example.com", "http://registry.example.com/token", False),
        ("https://192.0.2.1", "https://192.0.2.2/token", False),
    ],
)
def test_which_realms_belong_to_a_registry(registry: str, realm: str, allowed: bool) -> None:
    assert realm_may_have_credentials(URL(registry), URL(realm)) is allowed


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("10.1.2.3", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("fe80::1%eth0", Reach.LINK_LOCAL),
        ("224.0.0.1", Reach.LINK_LOCAL),
        ("0.0.0.0", Reach.LINK_LOCAL),
    ],
)
def test_how_deep_an_address_lies(address: str, expected: Reach) -> None:
    assert reach(address) is expected


def test_deeper_than_the_registry_is_refused() -> None:
    url = URL("http://x/")
    check_address(url, "10.0.0.1", Reach.PRIVATE)
    for address, limit in (("10.0.0.1", Reach.PUBLIC), ("127.0.0.1", Reach.PRIVATE)):
        with pytest.raises(CrossOriginRefused):
            check_address(url, address, limit)
