"""`rename`."""

from __future__ import annotations

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.base.ids import is_valid_name
from windlass.engine.containers.announce import announce
from windlass.engine.engine import Engine


async def rename(engine: Engine, reference: str, new_name: str) -> None:
    """Give a container another name.

    Raises:
        NoSuchContainer, InvalidParameter: not a name, or the one it has.
        NameInUse: another container has it.
    """
    container = engine.containers.get(reference)
    name = new_name.removeprefix("/")
    if not name:
        raise InvalidParameter("Neither old nor new names may be empty")
    if not is_valid_name(name):
        raise InvalidParameter(f"Invalid container name ({new_name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    async with container.lock:
        old = container.name
        if name == old:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        await engine.containers.rename(container, msgspec.structs.replace(container.intent, name=name))
    announce(engine, container, "rename", oldName=f"/{old}")
