"""The user's `config.json`: formats, detach keys, proxies and registry credentials.

Source: https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
"""

from __future__ import annotations

from windlass.cli.errors import CliError

PROXY_VARIABLES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "noProxy": "NO_PROXY",
    "ftpProxy": "FTP_PROXY",
    "allProxy": "ALL_PROXY",
}


class Config:
    """The parsed file; every access gives an empty value for what it does not say."""

    __slots__ = ("_content",)

    def __init__(self, content: dict[str, object]) -> None:
        self._content = content

    def text(self, key: str) -> str:
        """A value that is text, such as `psFormat` or `detachKeys`."""
        value = self._content.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        """A value that is a list of text, such as `pruneFilters`."""
        value = self._content.get(key)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def table(self, key: str) -> dict[str, object]:
        """A value that is an object, such as `auths`."""
        value = self._content.get(key)
        return value if isinstance(value, dict) else {}

    def proxy_variables(self, host: str) -> dict[str, str]:
        """Variables to give to containers on the engine at `host`, in upper and lower case."""
        proxies = self.table("proxies")
        chosen = proxies.get(host) or proxies.get("default")
        if not isinstance(chosen, dict):
            return {}
        found = {name: str(chosen[key]) for key, name in PROXY_VARIABLES.items() if chosen.get(key)}
        return found | {name.lower(): value for name, value in found.items()}


def read_config(directory: str) -> Config:
    """Read `config.json` in `directory`; a missing file is an empty configuration. Raises CliError for a broken one."""
    path = f"{directory}/config.json"
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError:
        return Config({})
    from windlass.client.json_text import loads

    try:
        content = loads(raw)
    except ValueError as error:
        raise CliError(f"Error loading config file: {path}: {error}") from None
    return Config(content if isinstance(content, dict) else {})
