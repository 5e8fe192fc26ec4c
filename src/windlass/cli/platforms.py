"""Platforms: `linux/amd64`, `linux/arm64/v8`.

Source: https://github.com/containerd/platforms
"""

from __future__ import annotations

from windlass.cli.errors import CliError
from windlass.client.json_text import dumps

PLATFORM_USAGE = 'Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}


def platform_query(text: str) -> dict[str, str]:
    """Return the query parameter that names a platform as an object, nothing for an empty text; raises CliError."""
    if not text:
        return {}
    parts = text.split("/")
    if len(parts) > 3 or not all(parts):
        raise CliError(f'invalid platform: "{text}": cannot parse platform specifier')
    fields = dict(zip(("os", "architecture", "variant"), parts, strict=False))
    if "architecture" in fields:
        fields["architecture"] = _ARCHITECTURES.get(fields["architecture"], fields["architecture"])
    return {"platform": dumps(fields)}
