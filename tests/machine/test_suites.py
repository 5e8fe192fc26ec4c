"""The tests for cgroup v2 and for systemd, in a machine that has both."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tools.machine.machine import Machine, Outcome, Request
from tools.machine.parts import Parts, has_systemd

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
MARKERS = ("cgroup2", "cgroups", "systemd")
TIMEOUT_S = 480
# A machine is ten times slower than its host.
_TEST_TIMEOUT_S = 240


def _shards() -> list[list[str]]:
    """Return the files that hold a test with one of the markers, for two machines that take about as long.

    Importing all the other files takes a machine a minute.
    """
    pattern = re.compile(rf"\bmark\.({'|'.join(MARKERS)})\b")
    files = (path for path in sorted(TESTS.rglob("test_*.py")) if path.parent != Path(__file__).parent)
    marked = [path.relative_to(ROOT) for path in files if pattern.search(path.read_text(encoding="utf-8"))]
    # Those of the one share an engine; the other has none.
    with_engine = [str(path) for path in marked if path.parts[1] == "e2e"]
    return [with_engine, [str(path) for path in marked if str(path) not in with_engine]]


def _cases(report: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (id, outcome, text) for each test of a JUnit file; an outcome is "passed", "failed" or "skipped"."""
    for case in xml.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        troubles = [child for child in case if child.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if troubles:
            yield name, "failed", "\n".join(child.text or child.get("message", "") for child in troubles)
        elif skipped is not None:
            yield name, "skipped", skipped.get("message", "")
        else:
            yield name, "passed", ""


def _run(parts: Parts, files: list[str], directory: Path) -> tuple[Outcome, str]:
    """Run the tests of these files; returns with the end of what pytest said."""
    pytest_ = f"python -m pytest -q -p no:cacheprovider --timeout={_TEST_TIMEOUT_S} --junitxml=$COLLECT/report.xml"
    script = f"{pytest_} -m '{' or '.join(MARKERS)}' {' '.join(files)}"
    request = Request(("sh", "-c", script), str(ROOT), has_systemd(), timeout_s=TIMEOUT_S, collect=directory)
    directory.mkdir()
    with open(directory / "output", "wb") as output:
        outcome = Machine(parts, request).run(output.fileno())
    return outcome, (directory / "output").read_text(errors="replace")[-8000:]


@pytest.mark.root
@pytest.mark.timeout(TIMEOUT_S + 60)
def test_suites_in_machines(parts: Parts, tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Each test in there counts as one here, with its own text."""
    directories = [tmp_path / "one", tmp_path / "other"]
    with ThreadPoolExecutor() as threads:
        runs = list(threads.map(lambda files, directory: _run(parts, files, directory), _shards(), directories))
    for (outcome, said), directory in zip(runs, directories, strict=True):
        assert outcome.status is not None, f"{outcome.problem}\n{said}\n{outcome.console[-4000:]}"
        report = directory / "report.xml"
        assert report.exists(), said
        for name, result, text in _cases(report):
            with subtests.test(name):
                if result == "failed":
                    pytest.fail(text, pytrace=False)
                elif result == "skipped":
                    pytest.skip(text)
        assert outcome.status in (0, 1), said
