"""Running a parsed template over a value.

Source: https://pkg.go.dev/text/template#hdr-Actions
"""

from __future__ import annotations

from windlass.cli.gotemplate.errors import ExecutionError
from windlass.cli.gotemplate.functions import FUNCTIONS, LAZY, REFUSED, CallError, kind_of
from windlass.cli.gotemplate.lexer import line_of
from windlass.cli.gotemplate.nodes import (
    Action,
    Branch,
    Command,
    Dot,
    Field,
    Function,
    Invocation,
    Jump,
    Literal,
    Node,
    Pipeline,
    Text,
    Variable,
)
from windlass.cli.gotemplate.parser import parse
from windlass.cli.gotemplate.signatures import wrong_count, wrong_type
from windlass.cli.gotemplate.values import OMITTED_FIELDS, POINTER_FIELDS, NilMap, Struct, is_true, printed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NO_VALUE = "<no value>"
MAX_DEPTH = 100  # of templates that call each other; Go's own bound is a matter of its stack


class _Missing:
    """The value of an entry that a map does not have."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return NO_VALUE


MISSING = _Missing()


class _Jumped(Exception):
    def __init__(self, keyword: str) -> None:
        self.keyword = keyword


class Template:
    """A parsed template. `functions` are offered besides the standard ones. Raises ParseError."""

    def __init__(
        self, source: str, name: str = "", functions: Mapping[str, Callable[..., object]] | None = None
    ) -> None:
        self.name = name
        self.source = source
        self.functions = {**FUNCTIONS, **(functions or {})}
        self.named: dict[str, list[Node]] = {}
        self._nodes = parse(name, source, {*self.functions, *LAZY, REFUSED}, self.named)

    def render(self, data: object) -> str:
        """Return the template's text for `data`; raises ExecutionError."""
        run = _Run(self, data)
        run.walk(self._nodes, data)
        return "".join(run.out)


class _Run:
    def __init__(self, template: Template, data: object) -> None:
        self._template = template
        self._variables: list[tuple[str, object]] = [("$", data)]
        self._depth = 0
        self.out: list[str] = []

    def walk(self, nodes: list[Node], dot: object) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.out.append(node.text)
            elif isinstance(node, Action):
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.variables:
                    self.out.append(_shown(value))
            elif isinstance(node, Branch):
                self._branch(node, dot)
            elif isinstance(node, Jump):
                raise _Jumped(node.keyword)
            elif isinstance(node, Invocation):
                self._invoke(node, dot)

    def _invoke(self, node: Invocation, dot: object) -> None:
        body = self._template.named.get(node.name)
        if body is None:
            raise self._error(node, f'template "{node.name}" not defined')
        if self._depth == MAX_DEPTH:
            raise self._error(node, f"exceeded maximum template depth ({MAX_DEPTH})")
        value = self._pipeline(node.pipeline, dot) if node.pipeline is not None else None
        outer, self._variables = self._variables, [("$", value)]
        self._depth += 1
        self.walk(body, value)
        self._depth -= 1
        self._variables = outer

    def _branch(self, node: Branch, dot: object) -> None:
        depth = len(self._variables)
        if node.keyword == "range":
            self._range(node, dot)
        else:
            value = self._pipeline(node.pipeline, dot)
            if is_true(value):
                self.walk(node.body, value if node.keyword == "with" else dot)
            else:
                self.walk(node.otherwise, dot)
        del self._variables[depth:]

    def _range(self, node: Branch, dot: object) -> None:
        names = node.pipeline.variables
        value = self._value(node.pipeline, dot)
        items = self._items(node, value)
        if not items:
            self.walk(node.otherwise, dot)
            return
        depth = len(self._variables)
        for key, item in items:
            values = [item] if len(names) == 1 else [key, item]
            for name, content in zip(names, values, strict=False):
                self._bind(name, content, node.pipeline.assigns)
            try:
                self.walk(node.body, item)
            except _Jumped as jump:
                if jump.keyword == "break":
                    break
            finally:
                del self._variables[depth:]

    def _items(self, node: Branch, value: object) -> list[tuple[object, object]]:
        if value is None or value is MISSING:
            return []
        if isinstance(value, Struct):
            raise self._error(node.pipeline, f"range can't iterate over {printed(value)}")
        if isinstance(value, dict):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, list | tuple):
            return list(enumerate(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return [(number, number) for number in range(value)]
        raise self._error(node.pipeline, f"range can't iterate over {printed(value)}")

    def _pipeline(self, pipeline: Pipeline, dot: object) -> object:
        value = self._value(pipeline, dot)
        for name in pipeline.variables:
            self._bind(name, value, pipeline.assigns)
        return value

    def _value(self, pipeline: Pipeline, dot: object) -> object:
        value: object = None
        for index, command in enumerate(pipeline.commands):
            value = self._command(command, dot, [value] if index else [])
        return value

    def _bind(self, name: str, value: object, assigns: bool) -> None:
        if assigns:
            for index in range(len(self._variables) - 1, -1, -1):
                if self._variables[index][0] == name:
                    self._variables[index] = (name, value)
                    return
        self._variables.append((name, value))

    def _command(self, command: Command, dot: object, piped: list[object]) -> object:
        first, *rest = command.words
        if isinstance(first, Function):
            return self._function(command, first, dot, piped)
        if isinstance(first, Field):
            arguments = [self._operand(word, dot) for word in rest] + piped
            return self._field(first, dot, arguments)
        if isinstance(first, Literal) and first.value is None:
            raise self._error(first, "nil is not a command")
        if rest or piped:
            raise self._error(first, f"can't give argument to non-function {first}")
        return self._operand(first, dot)

    def _function(self, command: Command, first: Function, dot: object, piped: list[object]) -> object:
        rest = command.words[1:]
        complaint = wrong_count(first.name, len(rest) + len(piped))
        if complaint:
            raise self._error(first, complaint)
        if first.name in LAZY:
            return self._and_or(first.name, rest, dot, piped)
        arguments = [self._operand(word, dot) for word in rest] + piped
        if first.name == REFUSED:
            what = f"non-function {rest[0] if rest else ''} of type {kind_of(arguments[0])}"
            raise self._error(command, f"error calling call: {what}")
        if self._template.functions[first.name] is FUNCTIONS.get(first.name):
            node, complaint = wrong_type(first.name, [*rest, None], arguments)
            if complaint:
                raise self._error(node or command, complaint)
        return self._call(command, self._template.functions[first.name], arguments, first.name)

    def _and_or(self, name: str, words: list[Node], dot: object, piped: list[object]) -> object:
        value: object = None
        for word in words:
            value = self._operand(word, dot)
            if is_true(value) == (name == "or"):
                return value
        return piped[0] if piped else value

    def _operand(self, node: Node, dot: object) -> object:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Variable):
            return next(value for name, value in reversed(self._variables) if name == node.name)
        if isinstance(node, Field):
            return self._field(node, dot, [])
        if isinstance(node, Pipeline):
            return self._pipeline(node, dot)
        if isinstance(node, Function):
            return self._command(Command(node.position, [node]), dot, [])
        raise self._error(node, f"can't evaluate {node}")

    def _field(self, node: Field, dot: object, arguments: list[object]) -> object:
        value = self._operand(node.base, dot)
        for index, name in enumerate(node.names):
            if index and value is None:
                raise self._error(node, f'map has no entry for key "{node.names[index - 1]}"')
            value = self._member(node, value, name, arguments if index == len(node.names) - 1 else [])
        return value

    def _member(self, node: Field, value: object, name: str, arguments: list[object]) -> object:
        if isinstance(value, dict):
            if arguments:
                raise self._error(node, f"{name} is not a method but has arguments")
            return self._entry(node, value, name)
        if value is MISSING:
            return MISSING
        if value is None:
            raise self._error(node, f"nil pointer evaluating interface {{}}.{name}")
        lookup = getattr(value, "field", None)
        if not callable(lookup):
            # What the engine sent is of any type; the rows of listings have types of their own.
            kind = "interface {}" if isinstance(self._variables[0][1], dict) else kind_of(value)
            raise self._error(node, f"can't evaluate field {name} in type {kind}")
        try:
            member = lookup(name)
        except KeyError:
            raise self._error(node, f"can't evaluate field {name} in type {value.type_name}") from None  # type: ignore[attr-defined]
        if callable(member):
            if len(arguments) != 1:  # every method takes a name
                raise self._error(node, f"wrong number of args for {name}: want 1 got {len(arguments)}")
            if not isinstance(arguments[0], str):
                raise self._error(node, f"wrong type for value; expected string; got {kind_of(arguments[0])}")
            return self._call(node, member, arguments, name)
        if arguments:
            raise self._error(node, f"{name} has arguments but cannot be invoked as function")
        return member

    def _entry(self, node: Field, value: dict[str, object], name: str) -> object:
        if name in value:
            return value[name]
        if not isinstance(value, Struct) or isinstance(value, NilMap):
            return MISSING
        if name in POINTER_FIELDS or name in OMITTED_FIELDS:
            return None
        raise self._error(node, f'map has no entry for key "{name}"')

    def _call(self, node: Node, function: Callable[..., object], arguments: list[object], name: str) -> object:
        try:
            return function(*(("" if item is MISSING else item) for item in arguments))
        except CallError as error:
            raise self._error(node, str(error)) from None
        except TypeError:
            raise self._error(node, f"wrong number of args for {name}: got {len(arguments)}") from None

    def _error(self, node: Node, reason: str) -> ExecutionError:
        source, position = self._template.source, node.position
        column = position - (source.rfind("\n", 0, position) + 1)
        return ExecutionError(self._template.name, line_of(source, position), column, str(node), reason)


def _shown(value: object) -> str:
    return NO_VALUE if value is MISSING else printed(value)
