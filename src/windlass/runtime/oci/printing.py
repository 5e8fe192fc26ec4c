"""`spec`, `features`, and what is refused by name."""

from __future__ import annotations

from windlass.base.errors import NotSupported
from windlass.runtime.oci.arguments import exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.call import Call


def spec(call: Call) -> int:
    """Write a default config.json into a bundle."""
    exactly(call.words, 0, "spec")
    from windlass.runtime.oci.bundle import write_default

    write_default(call.values.text("bundle") or ".", rootless=call.values.on("rootless"))
    return 0


def features(call: Call) -> int:
    """Print what is supported."""
    exactly(call.words, 0, "features")
    from windlass.runtime.oci.features import features_json

    print(features_json())
    return 0


def refuse(call: Call) -> int:
    """Say that a known command is not offered."""
    raise NotSupported(f"{call.command} is not supported: processes are not written to disk")
