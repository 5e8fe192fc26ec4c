"""Log tags: `{{.Name}}/{{.ID}}` and the like, a small part of Go's templates.

An action is a field or a call of a function with fields and literals, `|` passes a value on as the last argument.

Source: docker documentation, "Customize log driver output".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from windlass.base.errors import InvalidParameter

DEFAULT_TAG = "{{.ID}}"
FIELDS = (
    "ID", "FullID", "Name", "ImageID", "ImageFullID", "ImageName", "Command", "DaemonName", "Hostname",
    "ContainerID", "ContainerName", "ContainerImageID", "ContainerImageName",
)  # fmt: skip
_FUNCTIONS: dict[str, tuple[int, Callable[..., str]]] = {
    "upper": (1, lambda text: text.upper()),
    "lower": (1, lambda text: text.lower()),
    "title": (1, lambda text: re.sub(r"\b[a-z]", lambda match: match[0].upper(), text)),
    "print": (1, lambda text: text),
    "truncate": (2, lambda text, length: text[: int(length)]),
}
_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s|"]+|\|)')


def check_tag(template: str) -> None:
    """Refuse a template that cannot be expanded.

    Raises:
        InvalidParameter: in the words of Go's templates.
    """
    expand_tag(template, dict.fromkeys(FIELDS, "x"))


def expand_tag(template: str, fields: Mapping[str, str]) -> str:
    """Return a tag; `fields` has a value for each of `FIELDS`.

    Raises:
        InvalidParameter: it is no template, or asks for what there is not.
    """
    parts: list[str] = []
    position, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[position : match.start()]
        text = text.lstrip() if trim else text
        parts.append(text.rstrip() if match[1] else text)
        parts.append(_evaluate(match[2], fields))
        position, trim = match.end(), bool(match[3])
    rest = template[position:]
    if "{{" in rest:
        raise InvalidParameter("template: log-tag:1: unclosed action")
    parts.append(rest.lstrip() if trim else rest)
    return "".join(parts)


def _evaluate(action: str, fields: Mapping[str, str]) -> str:
    if not action.strip():
        raise InvalidParameter("template: log-tag:1: missing value for command")
    value: list[str] = []
    for command in _commands(action):
        value = [_call(command, value, fields)]
    return value[0]


def _commands(action: str) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    position = 0
    while action[position:].strip():
        match = _WORD.match(action, position)
        if match is None:
            raise InvalidParameter(f"template: log-tag:1: unterminated quoted string in {action.strip()}")
        if match[1] == "|":
            commands.append([])
        else:
            commands[-1].append(match[1])
        position = match.end()
    if not all(commands):
        raise InvalidParameter("template: log-tag:1: missing value for command")
    return commands


def _call(words: list[str], piped: list[str], fields: Mapping[str, str]) -> str:
    name = words[0]
    if name not in _FUNCTIONS:
        if len(words) > 1 or piped:
            raise InvalidParameter(f'template: log-tag:1: function "{name}" not defined')
        return _value(name, fields)
    count, function = _FUNCTIONS[name]
    arguments = [_value(word, fields) for word in words[1:]] + piped
    if len(arguments) != count:
        raise InvalidParameter(
            f'template: log-tag:1: executing "log-tag" at <{name}>: '
            f"wrong number of args for {name}: want {count} got {len(arguments)}"
        )
    try:
        return function(*arguments)
    except ValueError:
        raise InvalidParameter(
            f'template: log-tag:1: executing "log-tag" at <{name}>: expected integer; found {arguments[-1]}'
        ) from None


def _value(word: str, fields: Mapping[str, str]) -> str:
    if word.startswith("."):
        if word[1:] not in fields:
            raise InvalidParameter(
                f'template: log-tag:1:2: executing "log-tag" at <{word}>: '
                f"can't evaluate field {word[1:]} in type *logger.Info"
            )
        return fields[word[1:]]
    if word.startswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    if word.lstrip("-").isdecimal():
        return word
    raise InvalidParameter(f'template: log-tag:1: function "{word}" not defined')
