"""What the engine refuses, in dockerd's words: clients match on them."""

from __future__ import annotations

from windlass.base.errors import Conflict, InvalidParameter, NotFound


class NoSuchContainer(NotFound):
    """No container has this name, id or prefix of an id."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"No such container: {reference}")
        self.reference = reference


class AmbiguousPrefix(InvalidParameter):
    """More than one id begins like this."""

    def __init__(self, prefix: str) -> None:
        super().__init__(f"multiple IDs found with provided prefix: {prefix}")
        self.prefix = prefix


class NotRunning(Conflict):
    """The container has no process."""

    def __init__(self, container_id: str) -> None:
        super().__init__(f"container {container_id} is not running")
        self.container_id = container_id


class NoSuchExec(NotFound):
    """No exec has this id, or its container is gone."""

    def __init__(self, exec_id: str) -> None:
        super().__init__(f"No such exec instance: {exec_id}")
        self.exec_id = exec_id


class NoSuchVolume(NotFound):
    """No volume has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"get {name}: no such volume")
        self.name = name


class NoSuchNetwork(NotFound):
    """No network has this name or id."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"network {reference} not found")
        self.reference = reference


class InvalidFilter(InvalidParameter):
    """A filter that the list does not know, or a value that the filter does not."""

    def __init__(self, name: str = "", value: str | None = None) -> None:
        text = f" '{name}'" if value is None else f" '{name}=[{value}]'"
        super().__init__(f"invalid filter{text if name else ''}")
        self.name = name
