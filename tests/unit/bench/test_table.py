"""The table, the medians under it, and the JSON beside it."""

from __future__ import annotations

import json
import re

from bench.report import Conditions, as_json
from bench.result import Metric, Result
from bench.table import failures, table
from bench.target import Target, Unit

RUN = Metric("run", "run --rm", target=Target("dockerd", 0.25))
IDLE = Metric("memory-idle", "engine, idle", Unit.MEGABYTES, Target(margin=70))
CLIENT = Metric("client", "run by its own client", target=Target("windlass", margin=0.03))


def result(metric: Metric, **samples: list[float]) -> Result:
    names = tuple(name.replace("_", " ") for name in samples)
    one = Result.empty(metric.key, (metric,), names[0], names)
    for name, values in zip(names, samples.values(), strict=True):
        one.rows[0].samples[name].extend(values)
    return one


def test_medians_ratios_and_verdict() -> None:
    lines = table([result(RUN, windlass=[0.09, 0.05, 0.04], dockerd=[0.4, 0.2], podman=[0.5])]).splitlines()
    assert lines[0].split() == ["windlass", "dockerd", "podman", "/", "dockerd", "/", "podman", "target"]
    assert set(lines[1]) == {"-"}
    assert re.split("  +", lines[2]) == [
        "run --rm", "50.0 ms", "300 ms", "500 ms", "0.17", "0.10", "<= 0.25 x dockerd", "ok",
    ]  # fmt: skip


def test_no_ratio_to_nothing() -> None:
    line = table([result(IDLE, windlass=[80.0], podman=[0.0])]).splitlines()[2]
    assert line.split() == ["engine,", "idle", "80.0", "MB", "0.00", "MB", "-", "<=", "70.0", "MB", "miss"]


def test_a_contestant_without_numbers_is_a_dash() -> None:
    one = result(RUN, windlass=[0.1], dockerd=[])
    one.failures["dockerd"] = "exit status 125: no such image"
    assert table([one]).splitlines()[2].split() == [
        "run", "--rm", "100", "ms", "-", "-", "<=", "0.25", "x", "dockerd", "-",
    ]  # fmt: skip
    assert failures([one]) == ["run: dockerd: exit status 125: no such image"]


def test_the_target_is_not_for_whoever_comes_first() -> None:
    one = Result.empty("memory-idle", (IDLE,), "windlass", ("dockerd", "podman"))
    one.rows[0].samples["dockerd"].append(20.0)
    assert table([one]).splitlines()[2].endswith("-")


def test_other_contestants_have_a_table_of_their_own() -> None:
    engines = result(RUN, windlass=[0.1], dockerd=[0.4])
    clients = result(CLIENT, windlass_CLI=[0.12], windlass=[0.1])
    after = result(IDLE, windlass=[60.0], dockerd=[75.0])
    first, second = table([engines, clients, after]).split("\n\n")
    assert [line.split("  ")[0] for line in first.splitlines()[2:]] == ["run --rm", "engine, idle"]
    assert second.splitlines()[2].endswith("<= windlass + 30.0 ms  ok")


def test_nothing_measured_is_an_empty_table() -> None:
    assert table([]) == ""
    assert table([Result.empty("run", (RUN,), "windlass", ())]) == ""


def test_json_has_every_sample() -> None:
    conditions = Conditions(versions={"windlass": "windlass 0.1.0"}, left_out={"podman": "not installed"})
    document = json.loads(as_json([result(RUN, windlass=[0.09, 0.05], dockerd=[0.4])], conditions))
    assert document["left_out"] == {"podman": "not installed"}
    (metric,) = document["metrics"]
    assert metric["samples"] == {"windlass": [0.09, 0.05], "dockerd": [0.4]}
    assert metric["ratios"] == {"dockerd": 0.07 / 0.4}
    assert (metric["bound"], metric["verdict"]) == (0.1, "ok")
