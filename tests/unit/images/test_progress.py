"""Messages of progress streams."""

from __future__ import annotations

from collections.abc import Mapping

from windlass.images.progress import LayerProgress, human_size


def test_sizes_are_decimal_with_four_digits() -> None:
    assert [human_size(size) for size in (0, 999, 36445, 1069325, 171857920, 10**13)] == [
        "0B",
        "999B",
        "36.45kB",
        "1.069MB",
        "171.9MB",
        "10TB",
    ]


def test_the_bar_is_dockers() -> None:
    said: list[Mapping[str, object]] = []
    LayerProgress(said.append, "abc").count("Downloading", 36445, 1069325)
    assert said == [
        {
            "status": "Downloading",
            "progressDetail": {"current": 36445, "total": 1069325},
            "progress": "[=>                                                 ]  36.45kB/1.069MB",
            "id": "abc",
        }
    ]


def test_many_figures_become_few_and_the_last_one_is_told() -> None:
    said: list[Mapping[str, object]] = []
    shown = LayerProgress(said.append, "abc")
    for current in range(1001):
        shown.count("Downloading", current, 1000)
    assert len(said) < 10
    assert said[-1]["progressDetail"] == {"current": 1000, "total": 1000}
