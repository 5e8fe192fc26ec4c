"""Results as JSON for programs, with what is needed to judge them."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.result import Result, Row


@dataclass(slots=True)
class Conditions:
    """Where and with what the numbers were taken."""

    versions: dict[str, str] = field(default_factory=dict)
    """By contestant."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why a peer is not there."""
    client: str = ""
    host: str = field(default_factory=lambda: describe_host())
    started_at: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def describe_host() -> str:
    """Return kernel, processors, memory and load of this machine in a line."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    load = os.getloadavg()[0]
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{kernel}, {os.cpu_count()} processors, {memory_gib:.0f} GiB, load {load:.1f}"


def as_json(results: Sequence[Result], conditions: Conditions) -> str:
    """Return a JSON object with every single sample; seconds and megabytes (10^6 bytes) as numbers."""
    document = {
        "started_at": conditions.started_at,
        "host": conditions.host,
        "client": conditions.client,
        "versions": conditions.versions,
        "left_out": conditions.left_out,
        "metrics": [_metric(one, row) for one in results for row in one.rows],
    }
    return json.dumps(document, indent=2)


def _metric(result: Result, row: Row) -> Mapping[str, object]:
    medians = row.medians()
    target = row.metric.target
    return {
        "case": result.case,
        "metric": row.metric.key,
        "title": row.metric.title.strip(),
        "unit": row.metric.unit.value,
        "medians": medians,
        "ratios": result.ratios(row),
        "target": target.show(row.metric.unit) if target else None,
        "bound": target.bound(medians) if target else None,
        "verdict": result.verdict(row),
        "samples": row.samples,
        "failures": result.failures,
    }
