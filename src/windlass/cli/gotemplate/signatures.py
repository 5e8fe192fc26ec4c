"""What each function takes, checked before it is called, so that the message can point at the argument.

Source: https://pkg.go.dev/text/template, evalCall and validateType, whose words these are.
"""

from __future__ import annotations

from windlass.cli.gotemplate.nodes import Literal, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STRING, STRINGS, INTEGER = "string", "[]string", "int"

# Name: (fewest arguments, most of them or None for any number, the types of the first ones; "" takes anything).
SIGNATURES: dict[str, tuple[int, int | None, tuple[str, ...]]] = {
    "and": (1, None, ()),
    "call": (1, None, ()),
    "eq": (1, None, ()),
    "ge": (2, 2, ()),
    "gt": (2, 2, ()),
    "index": (1, None, ()),
    "join": (2, 2, (STRINGS, STRING)),
    "json": (1, 1, ()),
    "le": (2, 2, ()),
    "len": (1, 1, ()),
    "lower": (1, 1, (STRING,)),
    "lt": (2, 2, ()),
    "ne": (2, 2, ()),
    "not": (1, 1, ()),
    "or": (1, None, ()),
    "pad": (3, 3, (STRING, INTEGER, INTEGER)),
    "printf": (1, None, (STRING,)),
    "slice": (1, None, ()),
    "split": (2, 2, (STRING, STRING)),
    "title": (1, 1, (STRING,)),
    "truncate": (2, 2, (STRING, INTEGER)),
    "upper": (1, 1, (STRING,)),
}


def wrong_count(name: str, count: int) -> str:
    """Return the complaint about a number of arguments, nothing when it suits."""
    fewest, most, _ = SIGNATURES.get(name, (0, None, ()))
    if fewest <= count and (most is None or count <= most):
        return ""
    wanted = str(fewest) if fewest == most else f"at least {fewest}"
    return f"wrong number of args for {name}: want {wanted} got {count}"


def wrong_type(name: str, nodes: Sequence[Node | None], values: Sequence[object]) -> tuple[Node | None, str]:
    """Return the node of the first argument that does not suit and the complaint, which is empty when all do.

    `nodes` stand beside `values`; the node of a value that came down the pipeline is None.
    """
    for wanted, node, value in zip(SIGNATURES.get(name, (0, None, ()))[2], nodes, values, strict=False):
        if not _suits(wanted, value):
            return node, _complaint(wanted, node, value)
    return None, ""


def _suits(wanted: str, value: object) -> bool:
    if wanted == STRING:
        return isinstance(value, str)
    if wanted == INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, list | tuple)


def _complaint(wanted: str, node: Node | None, value: object) -> str:
    from windlass.cli.gotemplate.functions import kind_of

    if isinstance(node, Literal):
        if wanted == STRINGS:
            return f"can't handle {node} for arg of type {wanted}"
        return f"expected {'string' if wanted == STRING else 'integer'}; found {node}"
    if value is None:
        return f"invalid value; expected {wanted}"
    return f"wrong type for value; expected {wanted}; got {kind_of(value)}"
