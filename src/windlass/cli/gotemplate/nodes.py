"""The parsed template. Every node knows where it stands, and can print itself for error messages."""

from __future__ import annotations

from windlass.cli.gotext import quoted


class Node:
    """Base of all nodes; `position` is an offset in the template."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


class Text(Node):
    """Text to copy."""

    __slots__ = ("text",)

    def __init__(self, position: int, text: str) -> None:
        super().__init__(position)
        self.text = text


class Literal(Node):
    """A constant: string, number, boolean or nil; `source` is its spelling where the value does not tell it."""

    __slots__ = ("source", "value")

    def __init__(self, position: int, value: object, source: str = "") -> None:
        super().__init__(position)
        self.value = value
        self.source = source

    def __str__(self) -> str:
        if self.source:
            return self.source
        if isinstance(self.value, str):
            return quoted(self.value)
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return "nil" if self.value is None else str(self.value)


class Dot(Node):
    """The current value."""

    __slots__ = ()

    def __str__(self) -> str:
        return "."


class Variable(Node):
    """`$name`, or `$` for the value the template started with."""

    __slots__ = ("name",)

    def __init__(self, position: int, name: str) -> None:
        super().__init__(position)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Function(Node):
    """A function's name."""

    __slots__ = ("name",)

    def __init__(self, position: int, name: str) -> None:
        super().__init__(position)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Field(Node):
    """Names looked up one in the other, beginning at `base`."""

    __slots__ = ("base", "names")

    def __init__(self, position: int, base: Node, names: list[str]) -> None:
        super().__init__(position)
        self.base = base
        self.names = names

    def __str__(self) -> str:
        base = (
            ""
            if isinstance(self.base, Dot)
            else f"({self.base})"
            if isinstance(self.base, Pipeline)
            else str(self.base)
        )
        return base + "".join(f".{name}" for name in self.names)


class Command(Node):
    """An operand, or a function or method with its arguments."""

    __slots__ = ("words",)

    def __init__(self, position: int, words: list[Node]) -> None:
        super().__init__(position)
        self.words = words

    def __str__(self) -> str:
        return " ".join(f"({word})" if isinstance(word, Pipeline) else str(word) for word in self.words)


class Pipeline(Node):
    """Commands, each result the last argument of the next; it may set variables."""

    __slots__ = ("assigns", "commands", "variables")

    def __init__(self, position: int, variables: list[str], assigns: bool, commands: list[Command]) -> None:
        super().__init__(position)
        self.variables = variables
        self.assigns = assigns
        self.commands = commands

    def __str__(self) -> str:
        head = f"{', '.join(self.variables)} {'=' if self.assigns else ':='} " if self.variables else ""
        return head + " | ".join(map(str, self.commands))


class Action(Node):
    """A pipeline whose value is printed, unless it sets a variable."""

    __slots__ = ("pipeline",)

    def __init__(self, position: int, pipeline: Pipeline) -> None:
        super().__init__(position)
        self.pipeline = pipeline


class Branch(Node):
    """`if`, `with` or `range`, with what is done otherwise."""

    __slots__ = ("body", "keyword", "otherwise", "pipeline")

    def __init__(
        self, position: int, keyword: str, pipeline: Pipeline, body: list[Node], otherwise: list[Node]
    ) -> None:
        super().__init__(position)
        self.keyword = keyword
        self.pipeline = pipeline
        self.body = body
        self.otherwise = otherwise


class Jump(Node):
    """`break` or `continue`."""

    __slots__ = ("keyword",)

    def __init__(self, position: int, keyword: str) -> None:
        super().__init__(position)
        self.keyword = keyword


class Invocation(Node):
    """`template "name" pipeline`: what the named template makes of a value."""

    __slots__ = ("name", "pipeline")

    def __init__(self, position: int, name: str, pipeline: Pipeline | None) -> None:
        super().__init__(position)
        self.name = name
        self.pipeline = pipeline

    def __str__(self) -> str:
        value = f" {self.pipeline}" if self.pipeline is not None else ""
        return f"{{{{template {quoted(self.name)}{value}}}}}"
