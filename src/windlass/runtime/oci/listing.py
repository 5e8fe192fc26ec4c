"""`state`, `list` and `ps`: what is there."""

from __future__ import annotations

import os

from windlass.base import cold_json
from windlass.base.errors import Conflict, InvalidParameter, NotFound, System, WindlassError
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import at_least, exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.state import State

_COLUMNS = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")
_WIDTHS = (12, 12, 12, 16, 16, 12)


def state(call: Call) -> int:
    """Print one container's state."""
    exactly(call.words, 1, "state")
    print(pretty(described(call.root, call.words[0])))
    return 0


def described(root: str, container_id: str) -> dict[str, Any]:
    """Return a container's state with the members that runc adds, without waiting for whoever works on it."""
    directory = states.Directory.open(root, container_id, wait=False)
    try:
        record = directory.state()
        return _document(record, states.status(directory, record), os.fstat(directory.fd).st_uid)
    finally:
        directory.unlock()


def _document(record: State, word: str, owner: int) -> dict[str, Any]:
    document = states.oci_state(record, word)
    annotations = document.pop("annotations", None)
    document.update(rootfs=record.rootfs, created=record.created)
    if annotations:
        document["annotations"] = annotations
    document["owner"] = _user_name(owner)
    return document


def _user_name(uid: int) -> str:
    """Say who owns a container, as the host's own file names it; a number otherwise."""
    try:
        with open("/etc/passwd", encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split(":")
                if len(fields) > 2 and fields[2] == str(uid):
                    return fields[0]
    except OSError:
        pass
    return f"#{uid}"


def containers(call: Call) -> int:
    """Print all containers of this root."""
    exactly(call.words, 0, "list")
    form = call.values.text("format", "table")
    if form not in ("table", "json"):
        raise InvalidParameter("invalid format option")
    found = [document for name in _ids(call.root) if (document := _described_or_none(call, name)) is not None]
    if call.values.on("quiet"):
        print("".join(f"{document['id']}\n" for document in found), end="")
    elif form == "json":
        print(cold_json.dumps(found))
    else:
        print(_table(found), end="")
    return 0


def _ids(root: str) -> list[str]:
    try:
        return sorted(os.listdir(root))
    except FileNotFoundError:
        return []


def _described_or_none(call: Call, name: str) -> dict[str, Any] | None:
    """Skip what is just being made or removed."""
    try:
        return described(call.root, name)
    except NotFound:
        return None
    except WindlassError as error:
        call.log.warn(f"load container {name}: {error}")
        return None


def _table(found: list[dict[str, Any]]) -> str:
    rows = [_COLUMNS, *(tuple(str(document[column.lower()]) for column in _COLUMNS) for document in found)]
    widths = [max(width, *(len(row[i]) + 3 for row in rows)) for i, width in enumerate(_WIDTHS)]
    return "".join("".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def processes(call: Call) -> int:
    """Print the processes of a container: their host pids as JSON, or the host's `ps` of them."""
    at_least(call.words, 1, "ps")
    form = call.values.text("format", "table")
    if form not in ("table", "json"):
        raise InvalidParameter("invalid format option")
    directory = states.Directory.open(call.root, call.words[0], wait=False)
    try:
        record = directory.state()
        word = states.status(directory, record)
    finally:
        directory.unlock()
    if word in ("stopped", "creating"):
        raise Conflict("container not running")
    from windlass.runtime.oci.groups import open_group

    pids = sorted(open_group(record).processes())
    print(cold_json.dumps(pids) if form == "json" else _ps(pids, call.words[1:] or ["-ef"]))
    return 0


def _ps(pids: list[int], arguments: list[str]) -> str:
    """Return the lines of ps(1) that are about these processes, by the place of its PID column."""
    import subprocess

    try:
        result = subprocess.run(["ps", *arguments], capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        raise System("ps: no such program (Debian: package procps)") from None
    if result.returncode:
        raise System(f"exit status {result.returncode}: {result.stderr.strip()}")
    lines = result.stdout.splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise System("couldn't find PID field in ps output")
    column, wanted = titles.index("PID"), set(map(str, pids))
    kept = [line for line in lines[1:] if len(fields := line.split()) > column and fields[column] in wanted]
    return "\n".join([lines[0], *kept])


def pretty(value: object, indent: str = "") -> str:
    """Return JSON over several lines, two spaces a level, as the field's runtimes print it."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        members = (f"{inner}{cold_json.dumps(key)}: {pretty(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + pretty(item, inner) for item in value) + f"\n{indent}]"
    return cold_json.dumps(value)
