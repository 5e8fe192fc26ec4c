"""Virtual machines, or the reason why there are none here."""

from __future__ import annotations

import pytest
from tools.machine.parts import MissingPartError, Parts, find_parts


@pytest.fixture(scope="session")
def parts() -> Parts:
    """What machines are made of; skips where the host lacks a part."""
    try:
        return find_parts()
    except MissingPartError as error:
        pytest.skip(f"no machine on this host: {error}")
