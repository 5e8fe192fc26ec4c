"""Mappings of user and group ids.

Source: runtime-spec config-linux.md, "User namespace mappings"; user_namespaces(7), "Defining user and group ID
mappings".
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.runtime import IdMapping, Linux

# Lines that the kernel takes (UID_GID_MAP_MAX_EXTENTS).
_MAX_LINES = 340
_MAX_IDS = (1 << 32) - 1


def check_user_namespace(linux: Linux) -> None:
    """Check that mappings and user namespace come together, and that the kernel can take them.

    Raises:
        Fault: the first rule that is broken.
    """
    namespace = next((namespace for namespace in linux.namespaces if namespace.type == "user"), None)
    given = (("/linux/uidMappings", linux.uid_mappings), ("/linux/gidMappings", linux.gid_mappings))
    for at, mappings in given:
        if mappings and namespace is None:
            raise Fault(at, "needs a user namespace in /linux/namespaces")
        if not mappings and namespace is not None and not namespace.path:
            raise Fault(at, "is required for a new user namespace")
        check_mappings(mappings, at)


def check_mappings(mappings: list[IdMapping], at: str) -> None:
    """Check one map: its length, and that its ranges are some, end within 32 bits and do not overlap.

    Raises:
        Fault: the first rule that is broken.
    """
    if len(mappings) > _MAX_LINES:
        raise Fault(at, f"has {len(mappings)} entries; the kernel takes {_MAX_LINES}")
    for index, mapping in enumerate(mappings):
        if mapping.size == 0:
            raise Fault(f"{at}/{index}/size", "must not be 0")
        for member, first in (("containerID", mapping.container_id), ("hostID", mapping.host_id)):
            if first + mapping.size > _MAX_IDS:
                raise Fault(f"{at}/{index}/size", f"{member} {first} + {mapping.size} is beyond the last id")
    for member, field in (("containerID", "container_id"), ("hostID", "host_id")):
        _no_overlap(mappings, member, field, at)


def _no_overlap(mappings: list[IdMapping], member: str, field: str, at: str) -> None:
    ranges = sorted((getattr(mapping, field), mapping.size, index) for index, mapping in enumerate(mappings))
    end, last = 0, 0
    for start, size, index in ranges:
        if start < end:
            index, against = max(index, last), min(index, last)
            raise Fault(f"{at}/{index}/{member}", f"overlaps the range of entry {against}")
        end, last = start + size, index


def is_mapped(number: int, mappings: list[IdMapping]) -> bool:
    """Tell whether an id exists inside."""
    return any(mapping.container_id <= number < mapping.container_id + mapping.size for mapping in mappings)
