"""`wait`: the future of a container's end."""

from __future__ import annotations

import asyncio
from typing import cast, get_args

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.container import WaitCondition, WaitResult
from windlass.engine.engine import Engine


def wait(engine: Engine, reference: str, condition: str = "") -> asyncio.Future[WaitResult]:
    """Return a future that is done when the container is `not-running` (the default), has its `next-exit` or is
    `removed`. Waiting is registered when this returns, so that nothing is missed.

    Raises:
        NoSuchContainer, InvalidParameter: no such condition.
    """
    condition = condition or "not-running"
    if condition not in get_args(WaitCondition):
        raise InvalidParameter(f'invalid condition: "{condition}"')
    return engine.containers.get(reference).waiter(cast(WaitCondition, condition))
