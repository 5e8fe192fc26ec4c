"""Where a container's first process stops on its way."""

from __future__ import annotations

import pytest

from windlass.runtime.oci.holding import CREATED, SETTLED, hold
from windlass.spec import plan as ops


def _held(*steps: ops.AnyOp) -> list[str]:
    plan = hold(ops.LaunchPlan([*steps, ops.Exec(["true"], [])]))
    return [op.point if isinstance(op, ops.Sync) else type(op).__name__ for op in plan.ops]


ROOT, LATE = ops.PivotRoot(), (ops.Rlimits([]), ops.JoinCgroup(), ops.Credentials(0, 0, 0))


def test_run_enters_its_groups_late() -> None:
    assert _held(ROOT, *LATE) == ["PivotRoot", SETTLED, "JoinCgroup", "Rlimits", "Credentials", "Exec"]


def test_create_waits_when_all_is_done_but_the_hooks_of_start() -> None:
    found = _held(ROOT, ops.WaitStart(), *LATE, ops.RunHooks("startContainer", [], "{}"), ops.Seccomp(b"", 0, True))
    assert found[:5] == ["PivotRoot", SETTLED, "JoinCgroup", "Rlimits", "Credentials"]
    assert found[5:] == ["Seccomp", CREATED, "WaitStart", "RunHooks", "Exec"]


@pytest.mark.parametrize("look", [ops.Sync("prestart"), ops.RunHooks("createContainer", [], "{}")])
def test_hooks_find_it_in_its_groups(look: ops.AnyOp) -> None:
    found = _held(look, ROOT, ops.WaitStart(), *LATE)
    assert found[:2] == [SETTLED, "JoinCgroup"] and found[-3:] == [CREATED, "WaitStart", "Exec"]


def test_it_stops_even_without_groups_and_without_a_root() -> None:
    assert _held() == [SETTLED, "Exec"]
    assert _held(ROOT, ops.WaitStart()) == ["PivotRoot", SETTLED, CREATED, "WaitStart", "Exec"]
