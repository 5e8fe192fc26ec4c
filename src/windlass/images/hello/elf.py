"""A static Linux program that writes one message to standard output and exits, for x86_64 and aarch64.

The file is an ELF header, two program headers, the code and the message, in one read-only executable segment. The code
does not depend on where it is loaded: it finds the message right behind itself.

Source: System V ABI, "Object Files" and "Program Loading"; its x86-64 and AArch64 supplements.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

_FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")

_LOAD_ADDRESS = 0x400000
# A multiple of every page size that Linux runs with on these machines (4, 16 and 64 KiB).
_SEGMENT_ALIGNMENT = 0x10000

_ET_EXEC = 2
_PT_LOAD = 1
_PT_GNU_STACK = 0x6474E551
_PF_X, _PF_W, _PF_R = 1, 2, 4

# `movz` of AArch64 takes 16 bits; the limit of both machines, so that an image never fits one of them only.
MESSAGE_LIMIT_BYTES = 0xFFFF


def emit(machine: str, message: bytes) -> bytes:
    """Return an executable for `machine` ("x86_64" or "aarch64") that writes `message` and exits 0, or 1 if it cannot.

    Raises:
        ValueError: an unknown machine, or a message that is empty or longer than MESSAGE_LIMIT_BYTES.
    """
    target = _TARGETS.get(machine)
    if target is None:
        raise ValueError(f"no code for machine {machine!r}")
    if not 0 < len(message) <= MESSAGE_LIMIT_BYTES:
        raise ValueError(f"message of {len(message)} bytes: 1 to {MESSAGE_LIMIT_BYTES} can be written")
    return _executable(target.elf_number, target.code(len(message)) + message)


@dataclass(frozen=True, slots=True)
class _Target:
    """A machine: its number in the ELF header, and the code for a message of so many bytes."""

    elf_number: int
    code: Callable[[int], bytes]


def _executable(elf_number: int, content: bytes) -> bytes:
    """Wrap `content`, which starts with its first instruction, in an ELF file of one segment."""
    start = _FILE_HEADER.size + 2 * _PROGRAM_HEADER.size
    size = start + len(content)
    identity = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little-endian, version 1
    header = _FILE_HEADER.pack(
        identity, _ET_EXEC, elf_number, 1, _LOAD_ADDRESS + start, _FILE_HEADER.size, 0, 0,
        _FILE_HEADER.size, _PROGRAM_HEADER.size, 2, 0, 0, 0,
    )  # fmt: skip
    load = _PROGRAM_HEADER.pack(
        _PT_LOAD, _PF_R | _PF_X, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, _SEGMENT_ALIGNMENT
    )
    # Without this header the kernel would make the stack executable.
    stack = _PROGRAM_HEADER.pack(_PT_GNU_STACK, _PF_R | _PF_W, 0, 0, 0, 0, 0, 16)
    return header + load + stack + content


def _x86_64(length: int) -> bytes:
    """`write` in a loop, for a pipe may take less than it was given; then `exit`."""
    before_message = bytes.fromhex("488d35")  # lea rsi, [rip + to_message]
    body = (
        b"\xba" + struct.pack("<I", length)  #        mov edx, length
        + bytes.fromhex("b801000000")        # again: mov eax, 1 (write)
        + bytes.fromhex("bf01000000")        #        mov edi, 1 (standard output)
        + bytes.fromhex("0f05")              #        syscall
        + bytes.fromhex("85c0")              #        test eax, eax
        + bytes.fromhex("7e0b")              #        jle failed
        + bytes.fromhex("4801c6")            #        add rsi, rax
        + bytes.fromhex("29c2")              #        sub edx, eax
        + bytes.fromhex("75e9")              #        jnz again
        + bytes.fromhex("31ff")              #        xor edi, edi
        + bytes.fromhex("eb05")              #        jmp leave
        + bytes.fromhex("bf01000000")        # failed: mov edi, 1
        + bytes.fromhex("b83c000000")        # leave: mov eax, 60 (exit)
        + bytes.fromhex("0f05")              #        syscall
    )  # fmt: skip
    return before_message + struct.pack("<i", len(body)) + body


def _aarch64(length: int) -> bytes:
    """The same on AArch64, where every instruction has four bytes."""
    after_adr = [
        0xD2800002 | length << 5,  #        movz x2, #length
        0xD2800020,                # again: mov x0, #1 (standard output)
        0xD2800808,                #        mov x8, #64 (write)
        0xD4000001,                #        svc #0
        0xF100001F,                #        cmp x0, #0
        0x540000CD,                #        b.le failed
        0x8B000021,                #        add x1, x1, x0
        0xEB000042,                #        subs x2, x2, x0
        0x54FFFF21,                #        b.ne again
        0xD2800000,                #        mov x0, #0
        0x14000002,                #        b leave
        0xD2800020,                # failed: mov x0, #1
        0xD2800BA8,                # leave: mov x8, #93 (exit)
        0xD4000001,                #        svc #0
    ]  # fmt: skip
    words_to_message = len(after_adr) + 1
    adr = 0x10000001 | words_to_message << 5  # adr x1, message: the offset's two low bits stay zero
    return struct.pack(f"<{words_to_message}I", adr, *after_adr)


_TARGETS = {"x86_64": _Target(62, _x86_64), "aarch64": _Target(183, _aarch64)}
