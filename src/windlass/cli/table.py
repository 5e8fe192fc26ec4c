"""Text in columns.

Source: https://pkg.go.dev/text/tabwriter, with the settings Docker uses: cells of at least ten characters, three
blanks between them.
"""

from __future__ import annotations

MIN_WIDTH = 10
PADDING = 3


def aligned(text: str, min_width: int = MIN_WIDTH, padding: int = PADDING) -> str:
    """Replace the tabs in `text` by blanks so that columns line up; the last cell of a line is not padded."""
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[0] * (len(cells) - 1) for cells in lines]
    for column in range(max(map(len, lines)) - 1):
        for start, end in _blocks(lines, column):
            longest = max(len(lines[row][column]) for row in range(start, end))
            for row in range(start, end):
                widths[row][column] = max(min_width, longest + padding)
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(cells, line_widths, strict=False)) + cells[-1]
        for cells, line_widths in zip(lines, widths, strict=True)
    )


def _blocks(lines: list[list[str]], column: int) -> list[tuple[int, int]]:
    """Return the runs of neighbouring lines that have the column, as (first, after last)."""
    runs: list[tuple[int, int]] = []
    for row, cells in enumerate(lines):
        if len(cells) - 1 <= column:
            continue
        if runs and runs[-1][1] == row:
            runs[-1] = (runs[-1][0], row + 1)
        else:
            runs.append((row, row + 1))
    return runs


def table(headers: list[str], rows: list[list[str]], min_width: int = MIN_WIDTH) -> str:
    """Return a table with its header line, every line ended by a newline."""
    return aligned("\n".join("\t".join(cells) for cells in [headers, *rows]), min_width) + "\n"
