"""Credentials for registries, from the user's config.json.

Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import subprocess

from windlass.client.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.config import Config

HUB_SERVER = "https://index.docker.io/v1/"
TOKEN_USER = "<token>"


def registry_auth(config: Config, domain: str) -> str:
    """Return the value of X-Registry-Auth for a registry: the base64url of JSON, of an empty object for none."""
    server = HUB_SERVER if domain == "docker.io" else domain
    return base64.urlsafe_b64encode(dumps(_lookup(config, server)).encode()).decode()


def _lookup(config: Config, server: str) -> dict[str, object]:
    helper = config.table("credHelpers").get(server) or config.text("credsStore")
    if helper:
        found = _ask_helper(str(helper), server)
        if found:
            return found
    for name, entry in config.table("auths").items():
        if _host(name) == _host(server) and isinstance(entry, dict):
            return _decoded(entry, server)
    return {}


def _host(server: str) -> str:
    return server.partition("://")[2].partition("/")[0] if "://" in server else server.partition("/")[0]


def _decoded(entry: dict[str, object], server: str) -> dict[str, object]:
    result = {name: value for name, value in entry.items() if name != "auth" and value}
    packed = entry.get("auth")
    if isinstance(packed, str) and packed:
        user, _, password = base64.b64decode(packed).decode("utf-8", "replace").partition(":")
        result |= {"username": user, "password": password.strip("\0")}
    return {**result, "serveraddress": server}


def _ask_helper(name: str, server: str) -> dict[str, object]:
    try:
        done = subprocess.run(
            [f"docker-credential-{name}", "get"], input=server.encode(), capture_output=True, check=True, timeout=60
        )
        found = loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    if found.get("Username") == TOKEN_USER:
        return {"identitytoken": found.get("Secret", ""), "serveraddress": server}
    return {"username": found.get("Username", ""), "password": found.get("Secret", ""), "serveraddress": server}
