"""Versions, errors and bodies: what clients send, and the texts that they match on."""

from __future__ import annotations

import json

import pytest
from tests.unit.api.conftest import Api, read_answer


async def test_ping_tells_versions_without_one(api: Api) -> None:
    for method in ("GET", "HEAD"):
        answer = await api.call(method, "/_ping")
        assert answer.status == 200
        assert {
            "api-version": "1.50",
            "docker-experimental": "false",
            "ostype": "linux",
            "builder-version": "1",
            "swarm": "inactive",
            "server": "Docker/0.0 (linux)",
        }.items() <= answer.headers.items()
        assert answer.body == (b"OK" if method == "GET" else b"")


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.51", "client version 1.51 is too new. Maximum supported API version is 1.50"),
        ("9.0", "client version 9.0 is too new. Maximum supported API version is 1.50"),
        (
            "1.23",
            "client version 1.23 is too old. Minimum supported API version is 1.24, "
            "please upgrade your client to a newer version",
        ),
    ],
)
async def test_versions_out_of_range(api: Api, version: str, text: str) -> None:
    answer = await api.call("GET", f"/v{version}/version")
    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.50"])
async def test_paths_with_and_without_a_version(api: Api, prefix: str) -> None:
    assert (await api.call("GET", f"{prefix}/version")).json["ApiVersion"] == "1.50"


@pytest.mark.parametrize("target", ["/nope", "/v1.50/nope", "/containers", "/v1.50/containers/x/y/z", "/"])
async def test_unknown_paths(api: Api, target: str) -> None:
    answer = await api.call("GET", target)
    assert (answer.status, answer.json) == (404, {"message": "page not found"})


async def test_a_known_path_by_another_method_is_unknown(api: Api) -> None:
    assert (await api.call("PATCH", "/version")).message == "page not found"


@pytest.mark.parametrize(
    ("method", "target", "status", "text"),
    [
        ("GET", "/containers/nope/json", 404, "No such container: nope"),
        ("POST", "/containers/nope/start", 404, "No such container: nope"),
        ("DELETE", "/containers/nope", 404, "No such container: nope"),
        ("GET", "/exec/nope/json", 404, "No such exec instance: nope"),
        ("GET", "/networks/nope", 404, "network nope not found"),
        ("GET", "/volumes/nope", 404, "get nope: no such volume"),
        ("DELETE", "/networks/host", 403, "host is a pre-defined network and cannot be removed"),
        ("GET", '/containers/json?filters={"what":["x"]}', 400, "invalid filter 'what'"),
        ("GET", "/containers/json?filters=[1", 400, "invalid filter"),
        ("GET", '/containers/json?filters={"status":["odd"]}', 400, "invalid filter 'status=[odd]'"),
        ("GET", '/networks?filters={"dangling":["perhaps"]}', 400, "invalid filter 'dangling=[perhaps]'"),
        ("GET", "/containers/json?limit=many", 400, 'strconv.Atoi: parsing "many": invalid syntax'),
        ("POST", "/build", 501, "building images is not supported by this engine yet"),
        ("GET", "/nodes", 503, "This node is not a swarm manager."),
    ],
)
async def test_errors(api: Api, method: str, target: str, status: int, text: str) -> None:
    answer = await api.call(method, target)
    assert answer.status == status
    assert text in answer.message
    assert answer.headers["api-version"] == "1.50"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "invalid JSON: got EOF while reading request body"),
        (b"{", "invalid JSON: unexpected EOF"),
        (b"{]", "invalid JSON: "),
        (b"[]", "invalid JSON: expected an object"),
        (b"[" * 100_000, "invalid JSON: "),
        (b"{}", "config cannot be empty in order to create a container"),
        (b'{"HostConfig":{}}', "config cannot be empty in order to create a container"),
        (b'{"Image":1}', "invalid JSON: Expected `str`, got `int` - at `$.Image`"),
        (b'{"Image":"box","HostConfig":{"Binds":"x"}}', "invalid JSON: Expected `array | null`"),
        (b'{"Image":"\xff"}', "invalid JSON: "),
    ],
)
async def test_malformed_bodies(api: Api, raw: bytes, text: str) -> None:
    answer = await api.call("POST", "/containers/create", raw=raw, content_type="application/json")
    assert answer.status == 400
    assert text in answer.message


async def test_a_body_must_be_announced_as_json(api: Api) -> None:
    answer = await api.call("POST", "/containers/create", raw=b"{}", content_type="text/plain")
    assert answer.message == "unsupported Content-Type header (text/plain): must be 'application/json'"


async def test_keys_in_any_case_and_nulls_as_absent(api: Api) -> None:
    body = {
        "image": "box",
        "CMD": None,
        "tty": None,
        "hostconfig": {"autoremove": True, "Binds": None, "RestartPolicy": None},
    }
    answer = await api.call("POST", "/containers/create?name=anycase", body)
    assert answer.status == 201, answer.body
    host = api.world.engine.containers.get("anycase").intent.host_config
    assert host.auto_remove and host.restart_policy.name == "no"


async def test_a_missing_image_is_404_for_the_client_to_pull(api: Api) -> None:
    answer = await api.call("POST", "/containers/create", {"Image": "elsewhere"})
    assert (answer.status, answer.message) == (404, "No such image: elsewhere:latest")


async def test_not_modified_has_no_body(api: Api) -> None:
    await api.world.make("c1")
    assert (await api.call("POST", "/containers/c1/start")).status == 204
    assert (await api.call("POST", "/containers/c1/start")).status == 304
    assert (await api.call("POST", "/containers/c1/stop?t=0")).status == 204
    assert (await api.call("POST", "/containers/c1/stop")).status == 304


async def test_wait_answers_its_head_at_once_and_the_code_at_the_end(api: Api) -> None:
    await api.world.make("c1")
    reader, writer = await api.open()
    writer.write(b"POST /v1.50/containers/c1/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    await api.call("POST", "/containers/c1/start")
    api.world.task.end(9)
    await reader.readline()
    assert json.loads(await reader.readline()) == {"StatusCode": 9}
    writer.close()


async def test_a_client_that_leaves_a_wait_is_forgotten(api: Api) -> None:
    await api.world.make("c1")
    await api.call("POST", "/containers/c1/start")
    _, writer = await api.open()
    writer.write(b"POST /containers/c1/wait HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    container = api.world.engine.containers.get("c1")
    while container._exit_waiters:
        await api.call("GET", "/_ping")


async def test_events_end_at_until_and_are_filtered(api: Api) -> None:
    await api.world.make("c1")
    await api.world.make("c2")
    answer = await api.call("GET", '/events?since=0&until=0s&filters={"container":{"c2":true}}')
    (line,) = answer.body.splitlines()
    event = json.loads(line)
    assert (event["Type"], event["Action"], event["status"]) == ("container", "create", "create")
    assert event["Actor"]["Attributes"] == {"image": "box", "name": "c2"}
    assert event["scope"] == "local" and event["timeNano"] // 1_000_000_000 == event["time"]


async def test_many_requests_on_one_connection(api: Api) -> None:
    reader, writer = await api.open()
    writer.write(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert [(await read_answer(reader)).body for _ in range(3)] == [b"OK"] * 3
    writer.close()


async def test_pages_are_refused(api: Api) -> None:
    await api.world.make("c1")
    answer = await api.call("POST", "/containers/c1/start", origin="http://evil.example")
    assert (answer.status, answer.message) == (403, "requests from web pages are refused")
    assert api.world.engine.containers.get("c1").state.status == "created"
