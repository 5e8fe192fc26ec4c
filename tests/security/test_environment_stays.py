"""CVE-2021-21334, CVE-2020-14370: what is in the environment of one container, or of the engine, is seen by no other.

CVE-2022-4318: a newline in a variable does not become a line of a file.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.entries import Entry, make_entry
from tests.support.launching import Bench

from windlass.spec.container import ContainerConfig

pytestmark = pytest.mark.root

_SHOW = ["cat", "/proc/self/environ", "/proc/1/environ"]


def _arguments(*env: str) -> dict[str, object]:
    return {"config": ContainerConfig(hostname="c", env=list(env)), "oci": {"process__env": list(env)}}


async def test_nothing_of_the_host(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDLASS_TEST_SECRET", "of the host")
    output = await entry.output(_SHOW, **_arguments("PATH=/bin", "MINE=1"))  # type: ignore[arg-type]
    names = {variable.partition("=")[0] for variable in output.split("\0")}
    assert names <= {"", "PATH", "MINE", "HOME", "HOSTNAME", "TERM"}
    assert "MINE=1" in output and "SECRET" not in output


async def test_nothing_of_a_neighbour_of_the_engine(bench: Bench) -> None:
    """Many at once, one secret each."""
    plans = [bench.plan(f"c{n}", _SHOW, env=("PATH=/bin", f"SECRET{n}=x")) for n in range(6)]
    for number, (output, _) in enumerate(await asyncio.gather(*map(bench.run, plans))):
        assert _secrets(output.decode()) == {f"SECRET{number}=x"}


async def test_nothing_of_a_neighbour_of_the_runtime(bench: Bench, tmp_path: Path) -> None:
    async def run(number: int) -> str:
        entry = make_entry("oci run", bench, tmp_path / str(number))
        entry.number = number * 100
        return await entry.output(_SHOW, **_arguments("PATH=/bin", f"SECRET{number}=x"))  # type: ignore[arg-type]

    for number, output in enumerate(await asyncio.gather(*map(run, range(4)))):
        assert _secrets(output) == {f"SECRET{number}=x"}


def _secrets(output: str) -> set[str]:
    return {word for word in output.split("\0") if word.startswith("SECRET")}


async def test_newlines_stay_in_their_variable(entry: Entry) -> None:
    evil = "HOME=/root:/bin/sh\nevil:x:0:0::/:/bin/sh"
    passwd = (entry.root / "etc/passwd").read_bytes()
    script = "cat /etc/passwd; cat /proc/self/environ | tr '\\n' '|' | tr '\\0' '\\n'"
    output = await entry.output(["sh", "-c", script], **_arguments("PATH=/bin", evil))  # type: ignore[arg-type]
    assert output.startswith(passwd.decode())
    assert evil.replace("\n", "|") in output.splitlines()
    assert (entry.root / "etc/passwd").read_bytes() == passwd


@pytest.mark.parametrize("kind", ["engine run", "oci exec"])
async def test_no_shell_ever_reads_it(bench: Bench, tmp_path: Path, kind: str) -> None:
    """Values and arguments are data to whatever of ours handles them."""
    entry = make_entry(kind, bench, tmp_path)
    outside = tmp_path / "made"
    words = [f"$(touch {outside})", f"`touch {outside}`", f"; touch {outside}", "() { :; }; echo shellshock", "-evil"]
    env = ["PATH=/bin", *(f"V{number}={word}" for number, word in enumerate(words))]
    output = await entry.output(["printf", "%s\\n", *words], **_arguments(*env))  # type: ignore[arg-type]
    assert output.splitlines() == words
    assert not outside.exists()
