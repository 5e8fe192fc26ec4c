"""Hooks that the commands run themselves, in the runtime's namespaces.

`prestart` and `createRuntime` while the container is being made, `poststart` and `poststop` afterwards. Those inside
(`createContainer`, `startContainer`) are init's.

Source: runtime-spec config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle".
"""

from __future__ import annotations

from windlass.base import cold_json
from windlass.base.errors import System

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from windlass.runtime.oci.log import Log
    from windlass.spec.runtime import Hook

_MAX_OUTPUT = 4096


def run_hooks(point: str, hooks: Sequence[Hook], document: dict[str, Any]) -> None:
    """Run hooks one after the other with the state on their standard input.

    Raises:
        System: one failed; the rest were not run.
    """
    if not hooks:
        return
    data = cold_json.dumps(document).encode()
    for number, hook in enumerate(hooks):
        _run(f"error running {point} hook #{number}", hook, data)


def run_and_log(point: str, hooks: Sequence[Hook], document: dict[str, Any], log: Log) -> None:
    """Run all hooks of a moment whose failures do not matter, and log these."""
    for hook in hooks:
        try:
            run_hooks(point, [hook], document)
        except System as error:
            log.warn(error.message)


def _run(what: str, hook: Hook, data: bytes) -> None:
    # Most containers have no hooks of this kind; its import takes as long as such a container's whole start.
    import subprocess

    environment = dict(entry.partition("=")[::2] for entry in hook.env)
    try:
        subprocess.run(
            hook.args or [hook.path],
            executable=hook.path,
            input=data,
            env=environment,
            capture_output=True,
            timeout=hook.timeout or None,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise System(f"{what}: {hook.path} ran longer than {hook.timeout} s") from None
    except subprocess.CalledProcessError as error:
        end = f"signal {-error.returncode}" if error.returncode < 0 else f"exit status {error.returncode}"
        said = b" ".join((error.stderr[-_MAX_OUTPUT:] + error.stdout[-_MAX_OUTPUT:]).split())
        raise System(f"{what}: {hook.path}: {end}, stderr: {said.decode(errors='replace')}") from None
    except OSError as error:
        raise System(f"{what}: {hook.path}: {error.strerror}") from None
