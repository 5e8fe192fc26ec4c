"""The text of `--help`.

Laid out as Docker's command line lays it out: flags aligned in one column, wrapped to the terminal's width.
"""

from __future__ import annotations

import os

from windlass.cli.commands import GROUPS, TOP, VERBS, load, spellings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.cli.flags import Flag

DEFAULT_COLUMNS = 80
COMMON = ("run", "exec", "ps", "pull", "images", "version", "info")
OWN = ("ns", "completion", "daemon", "runtime", "doctor")
UNLISTED = ("system dial-stdio",)
MIN_WRAP_COLUMNS = 24
WRAP_SLOP = 5


def help_text(canonical: str, path: str, global_flags: Sequence[Flag]) -> str:
    """Return the help of a verb, of a group, or of the whole command when `canonical` is empty."""
    if canonical in VERBS:
        return _verb_help(canonical, path)
    if canonical in GROUPS:
        return _group_help(canonical)
    return _top_help(global_flags)


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns or DEFAULT_COLUMNS
    except OSError:
        return DEFAULT_COLUMNS


def _verb_help(canonical: str, path: str) -> str:
    command = load(canonical)
    usage = command.usage.replace("\n", f"\n\t{path} ")
    parts = [f"Usage:  {path} {usage}".rstrip(), command.about or VERBS[canonical][1]]
    names = spellings(canonical)
    if len(names) > 1:
        parts.append("Aliases:\n  " + ", ".join(f"windlass {name}" for name in names))
    visible = [flag for flag in command.flags if not flag.hidden]
    if visible:
        parts.append("Options:\n" + flag_lines(visible, _columns()).rstrip("\n"))
    if command.examples:
        indented = "\n".join(f"  {line}".rstrip() for line in command.examples.strip("\n").split("\n"))
        parts.append(f"Examples:\n{indented}")
    return "\n\n".join(parts) + "\n"


def _group_help(group: str) -> str:
    rows = [
        (path.split()[1], summary)
        for path, (_, summary) in VERBS.items()
        if path.startswith(f"{group} ") and path not in UNLISTED
    ]
    return (
        "\n\n".join(
            [
                f"Usage:  windlass {group} COMMAND",
                GROUPS[group],
                "Commands:\n" + _rows(rows),
                f"Run 'windlass {group} COMMAND --help' for more information on a command.",
            ]
        )
        + "\n"
    )


def _top_help(global_flags: Sequence[Flag]) -> str:
    def summary(word: str) -> tuple[str, str]:
        return word, VERBS[TOP.get(word, word)][1]

    plain = sorted({*TOP, "inspect"} - set(COMMON))
    parts = [
        "Usage:  windlass [OPTIONS] COMMAND",
        "A container engine: the docker command line, several times faster",
        "Common Commands:\n" + _rows(map(summary, COMMON)),
        "Management Commands:\n" + _rows(GROUPS.items()),
        "Windlass Commands:\n" + _rows(map(summary, OWN)),
        "Commands:\n" + _rows(map(summary, plain)),
        "Global Options:\n" + flag_lines(global_flags, _columns()).rstrip("\n"),
        "Run 'windlass COMMAND --help' for more information on a command.",
    ]
    return "\n\n".join(parts) + "\n"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"  {name:<11} {summary}" for name, summary in rows)


def flag_lines(flags: Iterable[Flag], columns: int) -> str:
    """Return one aligned, wrapped line for each flag, sorted by name.

    Source: the layout of pflag's FlagUsagesWrapped.
    """
    rows = []
    for flag in sorted(flags, key=lambda flag: flag.name):
        head = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        head += f" {flag.type_name}" if flag.type_name else ""
        note = f" (default {flag.default_note})" if flag.default_note else ""
        rows.append((head, flag.usage + note))
    indent = max((len(head) for head, _ in rows), default=0) + 3
    return "".join(f"{head:<{indent}}{_wrap(usage, indent, columns - 1)}\n" for head, usage in rows)


def _wrap(usage: str, indent: int, columns: int) -> str:
    width = columns - indent
    newline = "\n" + " " * indent
    if width < MIN_WRAP_COLUMNS:
        return usage.replace("\n", newline)
    lines: list[str] = []
    rest = usage
    while rest:
        line, rest = _split_line(rest, width - WRAP_SLOP)
        lines.append(line.replace("\n", newline))
    return newline.join(lines)


def _split_line(text: str, width: int) -> tuple[str, str]:
    """Cut after the last word that ends within `width`; a remainder of a few characters stays on the line."""
    if width + WRAP_SLOP > len(text):
        return text, ""
    cut = max(text.rfind(blank, 0, width) for blank in " \t\n")
    if cut <= 0:
        return text, ""
    newline = text.rfind("\n", 0, width)
    if 0 < newline < cut:
        cut = newline
    return text[:cut], text[cut + 1 :]
