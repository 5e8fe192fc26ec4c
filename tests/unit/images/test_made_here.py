"""Images made on this host: which names they have, and what is said when a host cannot make them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from windlass.base.errors import InvalidParameter
from windlass.images.catalog import Catalog
from windlass.images.made_here import BootstrapFailed, bootstrap, is_made_here, recipe_named
from windlass.images.shelf import Shelf
from windlass.spec.reference import parse_reference


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("windlass/hello", True),
        ("windlass/busybox", True),
        ("windlass/debian:bookworm", True),
        ("docker.io/windlass/debian", True),
        ("windlass/hello:other", False),
        ("windlass/debian:sid", False),
        ("busybox", False),
        ("localhost:5000/windlass/busybox", False),
        ("windlass/busybox@sha256:" + "0" * 64, False),
    ],
)
def test_which_names_are_ours(name: str, here: bool) -> None:
    assert is_made_here(parse_reference(name)) is here


def test_recipes_by_what_people_say() -> None:
    assert recipe_named("busybox") == "windlass/busybox"
    assert recipe_named("debian:bookworm") == "windlass/debian"
    with pytest.raises(InvalidParameter, match="no recipe for 'alpine': there are windlass/busybox, windlass/debian"):
        recipe_named("alpine")


class _FailingLauncher:
    """Runs the program as a host without its tools does."""

    async def run_job(self, name: str, params: Mapping[str, object], fds: Sequence[int] = ()) -> dict[str, object]:
        assert name == "bootstrap"
        assert cast(list[str], params["arguments"])[0] == "windlass/debian"
        # As the worker's copy of the descriptor is another one, it is written to apart from the caller's.
        copy = os.dup(fds[0])
        await asyncio.to_thread(os.write, copy, b"looking\ncannot build windlass/debian: install debootstrap\n")
        os.close(copy)
        return {"status": 1, "document": json.dumps(None)}


async def test_what_is_missing_is_told(tmp_path: Path) -> None:
    nothing = cast(Any, None)
    shelf = Shelf(
        Catalog(), nothing, nothing, nothing, nothing, cast(Any, _FailingLauncher()), nothing, str(tmp_path / "staging")
    )
    said: list[Mapping[str, object]] = []
    with pytest.raises(BootstrapFailed, match=r"^cannot build windlass/debian: install debootstrap$"):
        await bootstrap(shelf, "windlass/debian", said.append)
    assert [message["status"] for message in said][1:] == [
        "looking",
        "cannot build windlass/debian: install debootstrap",
    ]
    assert not list((tmp_path / "staging").iterdir())
