"""Where a container's first process stops on its way, so that the commands keep hold of it.

A pure function over launch plans. The order of things is not the engine's: whoever calls `create` reads the control
groups of the process before it has become its program.
"""

from __future__ import annotations

from windlass.spec.plan import AnyOp, Credentials, JoinCgroup, LaunchPlan, Rlimits, RunHooks, Seccomp, Sync, WaitStart
from windlass.spec.struct import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SETTLED = "settled"
CREATED = "created"
_HOOK_POINTS = ("prestart",)


def hold(plan: LaunchPlan) -> LaunchPlan:
    """Add the points at which the process waits for its command.

    `settled` comes before it enters its groups: whoever has not written down its pid by then is dead, and so is it.
    With hooks that look at the process from outside it enters them before those. A plan with `WaitStart` says `created`
    and waits when all is done but what belongs to `start`, so that nothing else can fail there, and nobody has to take
    the filter's listener.
    """
    ops: list[AnyOp] = [op for op in plan.ops if not isinstance(op, JoinCgroup | WaitStart) and not _is_of_start(op)]
    joins = [op for op in plan.ops if isinstance(op, JoinCgroup)]
    waits = [op for op in plan.ops if isinstance(op, WaitStart)]
    end: list[AnyOp] = [Sync(CREATED), *waits] if waits else []
    end += [op for op in plan.ops if _is_of_start(op)]
    ops[-1:-1] = end
    places = (_first_look(ops), _position(ops, Rlimits, Seccomp, Credentials), len(ops) - 1 - len(end))
    place = next(place for place in places if place is not None)
    stop: list[AnyOp] = [Sync(SETTLED), *joins]
    ops[place:place] = stop
    return replace(plan, ops=ops)


def _is_of_start(op: AnyOp) -> bool:
    return isinstance(op, RunHooks) and op.point == "startContainer"


def _first_look(ops: Sequence[AnyOp]) -> int | None:
    """Where a hook first sees the process: before any step that belongs to the root."""
    for number, op in enumerate(ops):
        if isinstance(op, Sync) and op.point in _HOOK_POINTS:
            return number
        if isinstance(op, RunHooks) and op.point == "createContainer":
            return number
    return None


def _position(ops: Sequence[AnyOp], *kinds: type[AnyOp]) -> int | None:
    return next((number for number, op in enumerate(ops) if isinstance(op, kinds)), None)
