"""The `--filter` flag.

Source: Engine API, the `filters` query parameter: a JSON object of name to a set of values.
"""

from __future__ import annotations

from windlass.cli.flags import Flag, listing
from windlass.client.json_text import dumps


def parse_filter(text: str) -> tuple[str, str]:
    """Parse `name=value`; raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return name.strip().lower(), value.strip()


def filter_flag(usage: str = "Filter output based on conditions provided", short: str = "f") -> Flag:
    """Declare the flag."""
    return listing("filter", usage, short, parse=parse_filter, type_name="filter")


def filters_query(items: list[object]) -> dict[str, str]:
    """Return the query parameter for parsed filters, nothing when there are none."""
    filters: dict[str, dict[str, bool]] = {}
    for item in items:
        assert isinstance(item, tuple)
        name, value = item
        filters.setdefault(name, {})[value] = True
    return {"filters": dumps(filters)} if filters else {}
