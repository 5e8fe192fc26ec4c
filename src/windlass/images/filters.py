"""Filters of `docker images` and `docker image prune`. Source: Engine API, ImageList, `filters`."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Collection, Mapping

from windlass.base.clock import parse_rfc3339
from windlass.base.errors import InvalidParameter
from windlass.images.image import Image
from windlass.images.shelf import Shelf
from windlass.spec.reference import ImageRef

Filters = Mapping[str, Collection[str]]
"""Values by the filter's name."""

_LIST_FILTERS = frozenset(("dangling", "label", "label!", "before", "since", "reference", "until"))
_PRUNE_FILTERS = frozenset(("dangling", "label", "label!", "until"))
_TRUE, _FALSE = (
    frozenset(("1", "true", "True", "TRUE", "t", "T")),
    frozenset(("0", "false", "False", "FALSE", "f", "F")),
)
_AGO = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_UNITS = {"h": 3600, "m": 60, "s": 1}


class InvalidFilter(InvalidParameter):
    """There is no such filter, or it does not take the value."""

    def __init__(self, name: str, values: Collection[str] | None = None) -> None:
        shown = name if values is None else f"{name}=[{' '.join(values)}]"
        super().__init__(f"invalid filter '{shown[:200]}'")


class ImageFilter:
    """Chosen filters, ready to be asked about one image after another."""

    def __init__(self, shelf: Shelf, filters: Filters, known: frozenset[str]) -> None:
        """Read the filters.

        Raises:
            InvalidFilter: an unknown name or a bad value.
            NoSuchImage: `before` or `since` names none.
        """
        for name in filters:
            if name not in known:
                raise InvalidFilter(name)
        self.dangling = _flag(filters, "dangling")
        self._labels = list(filters.get("label", ()))
        self._without_labels = list(filters.get("label!", ()))
        self._references = list(filters.get("reference", ()))
        self._before_ns = [shelf.catalog.find(name).created_ns for name in filters.get("before", ())]
        self._before_ns += [_moment_ns(text) for text in filters.get("until", ())]
        self._since_ns = [shelf.catalog.find(name).created_ns for name in filters.get("since", ())]

    def accepts(self, image: Image) -> bool:
        """Tell whether labels and age are as asked for."""
        return (
            all(_has_label(image, label) for label in self._labels)
            and not any(_has_label(image, label) for label in self._without_labels)
            and all(image.created_ns < moment for moment in self._before_ns)
            and all(image.created_ns > moment for moment in self._since_ns)
        )

    def accepted_names(self, refs: list[ImageRef]) -> list[ImageRef]:
        """Return the names that a `reference` filter lets through."""
        if not self._references:
            return refs
        return [ref for ref in refs if any(_matches(ref, pattern) for pattern in self._references)]

    @property
    def by_name(self) -> bool:
        """Names are asked for: an image without one is left out."""
        return bool(self._references)


def list_filter(shelf: Shelf, filters: Filters) -> ImageFilter:
    """Return the filters of a listing; see `ImageFilter`."""
    return ImageFilter(shelf, filters, _LIST_FILTERS)


def prune_filter(shelf: Shelf, filters: Filters) -> ImageFilter:
    """Return the filters of a pruning; see `ImageFilter`."""
    return ImageFilter(shelf, filters, _PRUNE_FILTERS)


def _flag(filters: Filters, name: str) -> bool | None:
    values = filters.get(name, ())
    if not values:
        return None
    truth = {True for value in values if value in _TRUE} | {False for value in values if value in _FALSE}
    if len(truth) != 1 or any(value not in _TRUE | _FALSE for value in values):
        raise InvalidFilter(name, values)
    return truth.pop()


def _has_label(image: Image, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in image.labels and (not equals or image.labels[name] == value)


def _matches(ref: ImageRef, pattern: str) -> bool:
    """Match as a shell does, `*` stopping at `/`: the name alone, or with its tag or digest."""
    return _glob(ref.familiar, pattern) or _glob(ref.familiar_name, pattern)


def _glob(text: str, pattern: str) -> bool:
    parts, patterns = text.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _moment_ns(text: str) -> int:
    """Read a Unix time, an RFC 3339 time, or a duration before now (`1h30m`)."""
    if re.match(r"\A\d+(\.\d+)?\Z", text):
        return int(float(text) * 1e9)
    if text and not _AGO.sub("", text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _AGO.findall(text))
        return time.time_ns() - int(seconds * 1e9)
    try:
        return parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        raise InvalidFilter("until", [text]) from None
