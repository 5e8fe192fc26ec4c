"""The base of value types that are used both by the engine, through msgspec, and by cold programs, without it.

`Struct` and `replace` are msgspec's own, or those of `windlass.spec.light` after `windlass.base.cold` was imported. A
type that derives from this `Struct` uses what both can do: the class options `frozen`, `rename`, `tag`, `tag_field`,
`omit_defaults` and `array_like`, and defaults that are immutable or empty.
"""

from __future__ import annotations

import sys

# mypy's own name for it; the module `typing` is one of those that a cold program cannot afford.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from msgspec import Struct as Struct
    from msgspec.structs import replace as replace
elif "windlass.base.cold" in sys.modules:
    from windlass.spec.light import Struct as Struct
    from windlass.spec.light import replace as replace
else:
    from msgspec import Struct as Struct
    from msgspec.structs import replace as replace

__all__ = ["Struct", "replace"]
