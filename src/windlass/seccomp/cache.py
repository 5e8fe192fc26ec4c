"""Compiled filters, kept in memory and on disk: compiling one takes milliseconds, a container starts in ten."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict

import msgspec

from windlass.linux import libseccomp
from windlass.seccomp.compile import compile_filter
from windlass.spec.seccomp import LinuxSeccomp

# Changes when the compiler does: programs of an older engine must not be taken for ours.
_FORMAT = 1
_IN_MEMORY = 64
_CHECKSUM_SIZE = 32
_INSTRUCTION_SIZE = 8
_encode = msgspec.json.Encoder(order="deterministic").encode


class FilterCache:
    """Programs by everything that decides about them: rules, machine, library version. Threads may share one.

    `directory` is made at first use; without it, only memory is used. A file that cannot be read or does not match its
    checksum is compiled anew.
    """

    def __init__(self, directory: str = "") -> None:
        self._directory = directory
        self._programs: OrderedDict[int | str, tuple[LinuxSeccomp, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def program(self, seccomp: LinuxSeccomp) -> bytes:
        """Return the program for `seccomp`.

        Raises:
            InvalidParameter, Unavailable: as `compile_filter`.
        """
        # Resolved default profiles are shared objects: identity spares encoding 400 names. The entry keeps the object
        # alive, so that its id stays its own.
        with self._lock:
            held = self._programs.get(id(seccomp))
            if held is not None and held[0] is seccomp:
                self._programs.move_to_end(id(seccomp))
                return held[1]
        program = self._load_or_compile(seccomp)
        with self._lock:
            self._programs[id(seccomp)] = (seccomp, program)
            while len(self._programs) > _IN_MEMORY:
                self._programs.popitem(last=False)
        return program

    def _load_or_compile(self, seccomp: LinuxSeccomp) -> bytes:
        if not self._directory:
            return compile_filter(seccomp)
        path = os.path.join(self._directory, f"{_key(seccomp)}.bpf")
        if (program := _load(path)) is not None:
            return program
        program = compile_filter(seccomp)
        self._store(path, program)
        return program

    def _store(self, path: str, program: bytes) -> None:
        """Keep a program; a full or read-only disk only costs the next start its milliseconds."""
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
            with open(temporary, "wb") as file:
                file.write(hashlib.sha256(program).digest() + program)
            os.replace(temporary, path)
        except OSError:
            return


def _key(seccomp: LinuxSeccomp) -> str:
    """Name everything that decides about a program."""
    try:
        version = libseccomp.version()
    except OSError:
        version = (0, 0, 0)
    facts = f"{_FORMAT} {os.uname().machine} {version}".encode()
    return hashlib.sha256(facts + _encode(seccomp)).hexdigest()


def _load(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    checksum, program = data[:_CHECKSUM_SIZE], data[_CHECKSUM_SIZE:]
    if not program or len(program) % _INSTRUCTION_SIZE or hashlib.sha256(program).digest() != checksum:
        return None
    return program
