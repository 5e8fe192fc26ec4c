"""What all rows have in common."""

from __future__ import annotations

from windlass.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    FieldTable = dict[str, tuple[str, Callable[..., object]]]


class Row:
    """One line of a listing over one object of the API.

    `FIELDS` maps what templates may name to the column's header and the function of the row that gives its value;
    `METHODS` are the names that take arguments. `ID_FIELD` is what `-q` prints.
    """

    FIELDS: FieldTable = {}
    METHODS: FieldTable = {}
    ID_FIELD = "ID"
    TYPE_NAME = "formatter.Context"

    __slots__ = ("data", "trunc")

    def __init__(self, data: dict[str, object], *, trunc: bool = True) -> None:
        self.data = data
        self.trunc = trunc

    @property
    def type_name(self) -> str:
        """The name of the type, for messages."""
        return self.TYPE_NAME

    @classmethod
    def header(cls, name: str) -> str:
        """The header of a column."""
        return cls.FIELDS[name][0]

    def field(self, name: str) -> object:
        """Return a field, or a method to call; raises KeyError."""
        if name in self.METHODS:
            method = self.METHODS[name][1]
            return lambda *arguments: method(self, *arguments)
        return self.FIELDS[name][1](self)

    def text(self, name: str) -> str:
        """Return a field as a table shows it."""
        return str(self.FIELDS[name][1](self))

    def as_dict(self) -> dict[str, object]:
        """Return every field by name."""
        return {name: self.FIELDS[name][1](self) for name in sorted(self.FIELDS)}

    def __str__(self) -> str:
        return "{" + " ".join(str(value) for value in self.as_dict().values()) + "}"

    def json(self) -> str:
        """Return the row as one line of JSON, safe to embed in HTML as Go's is."""
        return html_safe(dumps(self.as_dict()))


class HeaderRow:
    """Stands in for a row when a template makes the header line."""

    def __init__(self, kind: type[Row]) -> None:
        self._kind = kind

    @property
    def type_name(self) -> str:
        """The name of the type the row would have."""
        return self._kind.TYPE_NAME

    def field(self, name: str) -> object:
        """Return the header of a field, or for a label the last part of its name; raises KeyError."""
        if name in self._kind.METHODS:
            return lambda label: label.rpartition(".")[2].replace("-", " ").replace("_", " ")
        return self._kind.FIELDS[name][0]


def html_safe(text: str) -> str:
    """Return JSON text with the characters escaped that mean something in HTML.

    Source: https://pkg.go.dev/encoding/json#Marshal
    """
    for character in "<>&\u2028\u2029":
        if character in text:
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def label_text(labels: object) -> str:
    """Return labels as `a=1,b=2`, sorted."""
    if not isinstance(labels, dict):
        return ""
    return ",".join(sorted(f"{name}={value}" for name, value in labels.items()))


def label_value(row: Row, name: str) -> str:
    """Return one label of a row whose object has `Labels`."""
    labels = row.data.get("Labels")
    return str(labels.get(name, "")) if isinstance(labels, dict) else ""


def short_id(identifier: object) -> str:
    """Return the first twelve digits of an id, without its algorithm."""
    return str(identifier).rpartition(":")[2][:12]


def shortened(text: str, columns: int) -> str:
    """Return `text` cut to a width, with an ellipsis where something is missing."""
    return text if len(text) <= columns else text[: columns - 1] + "…"


def natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts `net9` before `net10`."""
    parts: list[tuple[int, str]] = []
    position = 0
    while position < len(text):
        end = position + 1
        digits = text[position].isdecimal()
        while end < len(text) and text[end].isdecimal() == digits:
            end += 1
        piece = text[position:end]
        parts.append((int(piece), "") if digits else (-1, piece))
        position = end
    return parts
