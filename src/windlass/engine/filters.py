"""Filters of list, prune and event requests.

    {"status": ["running"]}             map of lists
    {"status": {"running": true}}       map of sets, what the stock clients send

Values of one key are alternatives, except for labels: all of them must match. Different keys must all match.

Source: Engine API, parameter `filters`; error texts are dockerd's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from windlass.engine.errors import InvalidFilter

_TRUE = frozenset(("1", "true", "True", "TRUE", "t", "T"))
_FALSE = frozenset(("0", "false", "False", "FALSE", "f", "F"))


@dataclass(frozen=True, slots=True)
class Filters:
    """Alternatives by filter name."""

    values: Mapping[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.values)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> tuple[str, ...]:
        """Return the values of one filter, none when it was not given."""
        return self.values.get(name, ())

    def accept(self, names: Iterable[str]) -> None:
        """Refuse filters other than `names`.

        Raises:
            InvalidFilter: there is another one.
        """
        allowed = frozenset(names)
        for name in self.values:
            if name not in allowed:
                raise InvalidFilter(name)

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """Return the value of a boolean filter.

        Raises:
            InvalidFilter: not a boolean, or both.
        """
        found = {self._truth(name, value) for value in self.get(name)}
        if not found:
            return default
        if len(found) > 1:
            raise InvalidFilter(name, " ".join(self.get(name)))
        return found.pop()

    @staticmethod
    def _truth(name: str, value: str) -> bool:
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise InvalidFilter(name, value)

    def exact(self, name: str, *candidates: str) -> bool:
        """Tell whether the filter is absent or one of its values equals one of `candidates`."""
        wanted = self.get(name)
        return not wanted or any(candidate in wanted for candidate in candidates)

    def match(self, name: str, *candidates: str) -> bool:
        """As `exact`, but values are also regular expressions found anywhere in a candidate."""
        wanted = self.get(name)
        return not wanted or any(_matches(value, candidate) for value in wanted for candidate in candidates)

    def prefix(self, name: str, candidate: str) -> bool:
        """As `exact`, but a value may be a beginning of the candidate."""
        wanted = self.get(name)
        return not wanted or any(candidate.startswith(value) for value in wanted)

    def labels(self, labels: Mapping[str, str], name: str = "label") -> bool:
        """Tell whether `labels` has every `key` or `key=value` of the filter."""
        return all(_has_label(labels, wanted) for wanted in self.get(name))

    def without_labels(self, labels: Mapping[str, str]) -> bool:
        """Tell whether `labels` lacks every label of the filter `label!`."""
        return not any(_has_label(labels, unwanted) for unwanted in self.get("label!"))


def _matches(value: str, candidate: str) -> bool:
    if value == candidate:
        return True
    try:
        return re.search(value, candidate) is not None
    except re.error:
        return False


def _has_label(labels: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


NO_FILTERS = Filters({})


def parse_filters(text: str) -> Filters:
    """Return the filters that the query parameter `filters` asks for; empty text asks for none.

    Raises:
        InvalidFilter: not JSON in one of the two forms.
    """
    if not text:
        return NO_FILTERS
    try:
        tree = msgspec.json.decode(text, type=dict[str, dict[str, bool] | list[str]])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidFilter() from None
    return Filters({name: tuple(values) for name, values in tree.items() if values})
