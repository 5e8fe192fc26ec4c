"""The same request for each of several names."""

from __future__ import annotations

from windlass.client.errors import CannotConnect, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.cli.context import Context
    from windlass.client.engine import Engine

    Work = Callable[[Engine, str], str | None]

MAX_PARALLEL = 50


def for_each(context: Context, names: list[str], work: Work, *, parallel: bool = False) -> int:
    """Do `work` for every name and print what it returns; failures go to stderr at the end and make the code 1.

    With `parallel`, several are under way at once, each on a connection of its own; the output keeps the order.
    """
    outcomes = _in_threads(context, names, work) if parallel and len(names) > 1 else _in_turn(context, names, work)
    failures = [str(outcome) for outcome in outcomes if isinstance(outcome, ClientError)]
    if failures:
        context.warn("\n".join(failures))
    return 1 if failures else 0


def _attempt(engine: Engine, name: str, work: Work) -> str | ClientError | None:
    try:
        return work(engine, name)
    except CannotConnect:
        raise
    except ClientError as error:
        return error


def _in_turn(context: Context, names: list[str], work: Work) -> list[str | ClientError | None]:
    outcomes: list[str | ClientError | None] = []
    for name in names:
        outcome = _attempt(context.engine, name, work)
        if isinstance(outcome, str):
            context.print(outcome)
        outcomes.append(outcome)
    return outcomes


def _in_threads(context: Context, names: list[str], work: Work) -> list[str | ClientError | None]:
    import threading

    from windlass.client.engine import Engine

    first = context.engine
    first.negotiate()
    queue = list(enumerate(names))[::-1]
    outcomes: list[str | ClientError | None] = [None] * len(names)

    def labour() -> None:
        engine = Engine(first.endpoint, first.version)
        while True:
            try:
                index, name = queue.pop()
            except IndexError:
                return
            try:
                outcomes[index] = work(engine, name)
            except ClientError as error:
                outcomes[index] = error

    workers = [threading.Thread(target=labour) for _ in range(min(len(names), MAX_PARALLEL))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for outcome in outcomes:
        if isinstance(outcome, str):
            context.print(outcome)
    return outcomes
