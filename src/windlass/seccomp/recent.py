"""Numbers of system calls that released versions of libseccomp do not know yet.

From number 424 up, a call has the same number on every architecture that Linux added it to with the unified table.

Source: Linux scripts/syscall.tbl (6.17).
"""

from __future__ import annotations

import os

_EVERYWHERE: dict[str, int] = {
    "set_mempolicy_home_node": 450,
    "cachestat": 451,
    "fchmodat2": 452,
    "map_shadow_stack": 453,
    "futex_wake": 454,
    "futex_wait": 455,
    "futex_requeue": 456,
    "statmount": 457,
    "listmount": 458,
    "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460,
    "lsm_list_modules": 461,
    "mseal": 462,
    "setxattrat": 463,
    "getxattrat": 464,
    "listxattrat": 465,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_getattr": 468,
    "file_setattr": 469,
}

_BY_MACHINE: dict[str, dict[str, int]] = {
    "x86_64": {"uretprobe": 335, "uprobe": 336},
    "riscv64": {"riscv_hwprobe": 258},
}

RECENT_SYSCALLS: dict[str, int] = _EVERYWHERE | _BY_MACHINE.get(os.uname().machine, {})
