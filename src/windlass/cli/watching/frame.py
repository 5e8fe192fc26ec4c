"""One picture of the screen as text: a function of the figures, the choices and the size, nothing else."""

from __future__ import annotations

import os

from windlass.cli.units import binary_size
from windlass.cli.watching.figures import Usage, ordered

BARS = "▁▂▃▄▅▆▇█"
BOLD, DIM, REVERSE, RED, YELLOW, PLAIN = (f"\x1b[{code}m" for code in (1, 2, 7, 31, 33, 0))
WIDE_COLUMNS = 100
SPARK_CELLS, WIDE_SPARK_CELLS = 8, 20
HOT_PERCENT, WARM_PERCENT = 80.0, 30.0
FIXED_LINES = 4  # totals, their course, the columns' names, and the keys
UNITS = "BkMGTPE"

HELP = (
    "up, down, page up, page down   choose a container",
    "c m t i p a                    sort by cpu, memory, network, disk, processes, name",
    "r                              reverse the order",
    "l                              follow the container's logs; Ctrl-C comes back",
    "s, Enter                       open a shell in it",
    "h, ?                           this page",
    "q, Esc, Ctrl-C                 leave",
)
KEYS = "q quit  c/m/t/i/p/a sort  r reverse  l logs  s shell  h help"


class Choices:
    """What the person at the keys has chosen: the order, the line, the page of help."""

    def __init__(self) -> None:
        self.sort = "cpu"
        self.reverse = False
        self.chosen = ""  # the id of the container
        self.helps = False
        self.course: list[float] = []  # processor time of all containers

    def index(self, usages: list[Usage]) -> int:
        """The place of the chosen container in an order, 0 when it is gone."""
        return next((place for place, usage in enumerate(usages) if usage.identifier == self.chosen), 0)


def frame(usages: list[Usage], total: int, failure: str, choices: Choices, rows: int, columns: int) -> list[str]:
    """Return at most `rows` lines for a terminal `columns` wide, with colours and no line breaks."""
    shown = ordered(usages, choices.sort, reverse=choices.reverse)
    head = [_totals(shown, total, columns), _course(shown, failure, choices, columns)]
    if choices.helps:
        return [*head, "", *(cut(f"  {line}", columns) for line in HELP)][:rows]
    room = max(1, rows - FIXED_LINES)
    place = choices.index(shown)
    first = max(0, min(place - room // 2, len(shown) - room))
    body = [_line(usage, columns, chosen=usage is shown[place]) for usage in shown[first : first + room]]
    body += [""] * (room - len(body))
    names = f"{REVERSE}{_heading(choices, columns)}{PLAIN}"
    return [*head, names, *body, f"{DIM}{cut(KEYS, columns)}{PLAIN}"][:rows]


def cut(text: str, columns: int) -> str:
    """Return `text` as it may be shown: no control characters, not longer than the line."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= columns else clean[: max(0, columns - 1)] + "…"


def sparkline(values: list[float], cells: int, top: float) -> str:
    """Return the last `cells` values as bars, the tallest standing for `top` and more; none yet is blank."""
    last = values[-cells:]
    bars = "".join(BARS[min(len(BARS) - 1, int(max(0.0, value) / top * len(BARS)))] if top else " " for value in last)
    return bars.rjust(cells)


def size(value: float) -> str:
    """Return a size in at most four characters: `999B`, `1.2k`, `34M`."""
    step = 0
    while value >= 999.5 and step < len(UNITS) - 1:
        value /= 1000
        step += 1
    return f"{value:.1f}{UNITS[step]}" if step and value < 9.95 else f"{value:.0f}{UNITS[step]}"


def _totals(usages: list[Usage], total: int, columns: int) -> str:
    cpu = sum(usage.cpu_percent for usage in usages)
    memory = binary_size(sum(usage.memory_bytes for usage in usages))
    network = "/".join(size(sum(usage.network[way] for usage in usages)) for way in (0, 1))
    io = "/".join(size(sum(usage.io[way] for usage in usages)) for way in (0, 1))
    text = f"windlass top  {len(usages)} of {total} running  cpu {cpu:.1f}%  mem {memory}  net {network}  io {io}"
    return f"{BOLD}{cut(text, columns)}{PLAIN}"


def _course(usages: list[Usage], failure: str, choices: Choices, columns: int) -> str:
    if failure:
        return f"{RED}{cut(failure, columns)}{PLAIN}"
    top = max([100.0, *choices.course[-columns:]])
    return cut(f"cpu {sparkline(choices.course, min(len(choices.course), columns - 6), top)}", columns)


def _widths(columns: int) -> tuple[int, int, bool]:
    """Return the width of the name, that of the sparkline, and whether there is room for everything."""
    wide = columns >= WIDE_COLUMNS
    spark = WIDE_SPARK_CELLS if wide else SPARK_CELLS
    fixed = 8 + 1 + spark + 10 + (7 if wide else 0) + 11 + 11 + 6
    return max(4, columns - fixed), spark, wide


def _heading(choices: Choices, columns: int) -> str:
    name, spark, wide = _widths(columns)
    marks = {"cpu": "CPU%", "memory": "MEM", "network": "NET/s", "io": "DISK/s", "pids": "PIDS", "name": "NAME"}
    marks[choices.sort] += "△" if choices.reverse else "▽"
    text = f"{marks['name']:<{name}}{marks['cpu']:>8} {'':<{spark}}{marks['memory']:>10}"
    text += f"{'MEM%':>7}" if wide else ""
    text += f"{marks['network']:>11}{marks['io']:>11}{marks['pids']:>6}"
    return cut(text, columns).ljust(columns)


def _line(usage: Usage, columns: int, *, chosen: bool) -> str:
    name, spark, wide = _widths(columns)
    top = max(100.0, *usage.history[-spark:]) if usage.history else 100.0
    text = f"{cut(usage.name, name - 1):<{name}}{usage.cpu_percent:>8.1f} "
    text += f"{sparkline(usage.history, spark, top)}{binary_size(usage.memory_bytes):>10}"
    text += f"{usage.memory_percent:>7.1f}" if wide else ""
    text += "".join(f"{f'{size(pair[0])}/{size(pair[1])}':>11}" for pair in (usage.network, usage.io))
    text = cut(f"{text}{usage.pids:>6}", columns).ljust(columns)
    if chosen:
        return f"{REVERSE}{text}{PLAIN}"
    colour = _colour(usage.cpu_percent)
    return f"{colour}{text}{PLAIN}" if colour else text


def _colour(cpu_percent: float) -> str:
    if os.environ.get("NO_COLOR"):
        return ""
    return RED if cpu_percent >= HOT_PERCENT else YELLOW if cpu_percent >= WARM_PERCENT else ""
