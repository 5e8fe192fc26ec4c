"""The device filter of cgroup v2: a BPF program that says yes or no to one access.

The context is `struct bpf_cgroup_dev_ctx { u32 access_type, major, minor }` where `access_type` has the type in its low
and the accesses in its high half. The program returns 1 to allow.

Source: include/uapi/linux/bpf.h; Documentation/bpf/standardization/instruction-set.rst.
"""

from __future__ import annotations

import struct

from windlass.cgroups.devices import WILDCARD, DeviceKey, DeviceRules

_TYPES = {"b": 1, "c": 2}
_ACCESSES = {"m": 1, "r": 2, "w": 4}
_ALL_ACCESSES = 7

_LDX_W = 0x61  # dst = *(u32 *)(src + offset)
_ALU32_AND_K = 0x54
_ALU32_RSH_K = 0x74
_ALU64_MOV_X = 0xBF
_ALU64_MOV_K = 0xB7
_JMP_JNE_K = 0x55
_JMP_JNE_X = 0x5D
_EXIT = 0x95

_R0, _CTX, _TYPE, _ACCESS, _MAJOR, _MINOR, _WANTED = 0, 1, 2, 3, 4, 5, 6


def device_program(rules: DeviceRules) -> bytes:
    """Compile `rules` to instructions of eight bytes each."""
    code = [
        _ins(_LDX_W, _TYPE, _CTX, 0),
        _ins(_ALU64_MOV_X, _ACCESS, _TYPE),
        _ins(_ALU32_AND_K, _TYPE, imm=0xFFFF),
        _ins(_ALU32_RSH_K, _ACCESS, imm=16),
        _ins(_LDX_W, _MAJOR, _CTX, 4),
        _ins(_LDX_W, _MINOR, _CTX, 8),
    ]
    for key, access in rules.exceptions:
        code += _exception(key, access, verdict=not rules.default_allow)
    code += [_ins(_ALU64_MOV_K, _R0, imm=int(rules.default_allow)), _ins(_EXIT)]
    return b"".join(code)


def _exception(key: DeviceKey, access: str, *, verdict: bool) -> list[bytes]:
    """Compile one exception: fall through to the next unless everything matches.

    An allowing exception must cover all wanted accesses; a denying one applies when any is denied.
    """
    kind, major, minor = key
    mask = sum(_ACCESSES[letter] for letter in access)
    tests: list[tuple[int, int]] = [(_TYPE, _TYPES[kind])]
    if major != WILDCARD:
        tests.append((_MAJOR, major))
    if minor != WILDCARD:
        tests.append((_MINOR, minor))
    checks = _access_checks(mask, verdict=verdict)
    body = [_ins(_ALU64_MOV_K, _R0, imm=int(verdict)), _ins(_EXIT)]
    tail = len(checks) + len(body)
    code = [
        _ins(_JMP_JNE_K, register, offset=len(tests) - number - 1 + tail, imm=value)
        for number, (register, value) in enumerate(tests)
    ]
    return code + checks + body


def _access_checks(mask: int, *, verdict: bool) -> list[bytes]:
    """Skip the two instructions of the verdict when the wanted accesses do not fit `mask`."""
    if mask == _ALL_ACCESSES:
        return []
    checks = [_ins(_ALU64_MOV_X, _WANTED, _ACCESS), _ins(_ALU32_AND_K, _WANTED, imm=mask)]
    if verdict:
        return [*checks, _ins(_JMP_JNE_X, _WANTED, _ACCESS, offset=2)]
    return [*checks, _ins(0x15, _WANTED, offset=2, imm=0)]  # JEQ 0: none of the denied ones is wanted


def _ins(opcode: int, dst: int = 0, src: int = 0, offset: int = 0, imm: int = 0) -> bytes:
    """Encode `struct bpf_insn`."""
    return struct.pack("<BBhi", opcode, dst | src << 4, offset, imm)
