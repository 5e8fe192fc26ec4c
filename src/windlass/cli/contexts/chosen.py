"""Writing the context in use to config.json."""

from __future__ import annotations

import json
import os

from windlass.cli.errors import CliError

KEY = "currentContext"


def choose(config_dir: str, name: str) -> None:
    """Make `name` the context in use, none when it is empty; whatever else the file says stays. Raises CliError."""
    path = os.path.realpath(f"{config_dir}/config.json")
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        content = {"auths": {}}
    except ValueError as error:
        raise CliError(f"Error loading config file: {path}: {error}") from None
    if not isinstance(content, dict):
        raise CliError(f"Error loading config file: {path}: not an object")
    if content.get(KEY, "") == name:
        return
    content.pop(KEY, None)
    if name:
        content[KEY] = name
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    temporary = f"{path}.tmp-{os.getpid()}"
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o600
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(content, file, indent="\t", ensure_ascii=False)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
