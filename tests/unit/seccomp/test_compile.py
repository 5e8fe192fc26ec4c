"""Compiled filters: in forked children that install them, and in the cache."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter, Unavailable
from windlass.linux import libseccomp
from windlass.linux.process import install_seccomp, set_no_new_privs
from windlass.seccomp import cache as cache_module
from windlass.seccomp.cache import FilterCache
from windlass.seccomp.compile import compile_filter
from windlass.seccomp.profile import host_traits, resolve_default
from windlass.spec.seccomp import LinuxSeccomp, LinuxSeccompArg, LinuxSyscall

_libc = ctypes.CDLL(None, use_errno=True)
_X86_64 = os.uname().machine == "x86_64"
_NUMBERS = {"getpriority": 140, "personality": 135, "unshare": 272, "keyctl": 250, "mount": 165}

pytestmark = pytest.mark.skipif(not _X86_64, reason="system call numbers of x86-64")


def _call(number: int, *arguments: int) -> int:
    """Make a system call; returns its errno, 0 on success."""
    ctypes.set_errno(0)
    result = _libc.syscall(number, *(ctypes.c_long(argument) for argument in arguments))
    return ctypes.get_errno() if result == -1 else 0


def _under(program: bytes, action: Callable[[], int]) -> int:
    """Run `action` in a child under the filter and return its result."""
    pid = os.fork()
    if pid == 0:
        try:
            set_no_new_privs()
            install_seccomp(program)
            os._exit(action())
        except BaseException:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _errno_filter(name: str, *args: LinuxSeccompArg, errno_ret: int | None = None) -> LinuxSeccomp:
    rule = LinuxSyscall([name], "SCMP_ACT_ERRNO", errno_ret, list(args))
    return LinuxSeccomp("SCMP_ACT_ALLOW", syscalls=[rule])


def _default_program() -> bytes:
    found = resolve_default(frozenset({"CAP_CHOWN"}), host_traits())
    assert found is not None
    return compile_filter(found)


@pytest.mark.parametrize("name", ["unshare", "mount", "keyctl"])
def test_default_filter_blocks(name: str) -> None:
    assert _under(_default_program(), lambda: _call(_NUMBERS[name], 0, 0, 0, 0, 0)) == errno.EPERM


@pytest.mark.parametrize(
    ("number", "arguments", "expected"),
    [
        (39, (), 0),  # getpid
        (135, (0xFFFFFFFF,), 0),  # personality, asking
        (135, (0x20,), errno.EPERM),  # personality, setting what is not listed
        (41, (40, 1, 0), errno.EPERM),  # socket AF_VSOCK
        (435, (0, 0), errno.ENOSYS),  # clone3
        (1000, (), errno.ENOSYS),  # newer than any kernel
        (462, (0, 0, 0), 0),  # mseal, newer than the library
    ],
)
def test_default_filter_answers(number: int, arguments: tuple[int, ...], expected: int) -> None:
    if number == 462 and host_traits().kernel < (6, 10):
        expected = errno.ENOSYS
    assert _under(_default_program(), lambda: _call(number, *arguments)) == expected


def test_errno_of_a_rule() -> None:
    program = compile_filter(_errno_filter("getpriority", errno_ret=77))
    assert _under(program, lambda: _call(140, 0, 0)) == 77


def test_one_comparison() -> None:
    program = compile_filter(_errno_filter("personality", LinuxSeccompArg(0, 5, "SCMP_CMP_GT")))
    assert _under(program, lambda: _call(135, 6)) == errno.EPERM
    assert _under(program, lambda: _call(135, 0)) == 0


def test_comparisons_of_two_arguments_must_all_hold() -> None:
    arguments = (LinuxSeccompArg(0, 0, "SCMP_CMP_EQ"), LinuxSeccompArg(1, 7, "SCMP_CMP_EQ"))
    program = compile_filter(_errno_filter("getpriority", *arguments))
    assert _under(program, lambda: _call(140, 0, 7)) == errno.EPERM
    assert _under(program, lambda: _call(140, 0, 0)) == 0


def test_comparisons_of_one_argument_are_alternatives() -> None:
    arguments = (LinuxSeccompArg(0, 1, "SCMP_CMP_EQ"), LinuxSeccompArg(0, 2, "SCMP_CMP_EQ"))
    program = compile_filter(_errno_filter("personality", *arguments))
    assert _under(program, lambda: _call(135, 1)) == _under(program, lambda: _call(135, 2)) == errno.EPERM


def test_masked_comparison() -> None:
    masked = LinuxSeccompArg(0, 0xF0, "SCMP_CMP_MASKED_EQ", 0x20)
    program = compile_filter(_errno_filter("personality", masked))
    assert _under(program, lambda: _call(135, 0x2F)) == errno.EPERM


def test_a_permissive_default_has_no_enosys() -> None:
    assert _under(compile_filter(_errno_filter("getpriority")), lambda: _call(1000)) == errno.ENOSYS
    logging = LinuxSeccomp("SCMP_ACT_ALLOW", syscalls=[LinuxSyscall(["mseal"], "SCMP_ACT_ERRNO", 5)])
    assert _under(compile_filter(logging), lambda: _call(462, 0, 0, 0)) == 5


def test_unknown_calls_are_left_out() -> None:
    assert compile_filter(_errno_filter("no_such_call"))


def test_unknown_architecture() -> None:
    with pytest.raises(InvalidParameter, match="string SCMP_ARCH_Z80 is not a valid arch for seccomp"):
        compile_filter(LinuxSeccomp("SCMP_ACT_ALLOW", architectures=["SCMP_ARCH_Z80"]))


def test_a_host_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> tuple[int, int, int]:
        raise OSError("libseccomp.so.2: cannot open shared object file")

    monkeypatch.setattr(libseccomp, "version", missing)
    with pytest.raises(Unavailable, match="libseccomp2"):
        compile_filter(_errno_filter("getpriority"))


# --- cache ----------------------------------------------------------------------------------------------


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[LinuxSeccomp]:
    seen: list[LinuxSeccomp] = []

    def counted(seccomp: LinuxSeccomp) -> bytes:
        seen.append(seccomp)
        return compile_filter(seccomp)

    monkeypatch.setattr(cache_module, "compile_filter", counted)
    return seen


def test_cache_compiles_once(tmp_path: Path, compilations: list[LinuxSeccomp]) -> None:
    seccomp = _errno_filter("getpriority")
    cache = FilterCache(str(tmp_path / "filters"))
    program = cache.program(seccomp)
    assert cache.program(seccomp) == program
    assert FilterCache(str(tmp_path / "filters")).program(_errno_filter("getpriority")) == program
    assert len(compilations) == 1


def test_cache_tells_filters_apart(tmp_path: Path) -> None:
    cache = FilterCache(str(tmp_path))
    assert cache.program(_errno_filter("getpriority")) != cache.program(_errno_filter("personality"))


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 72])
def test_a_damaged_file_is_compiled_anew(tmp_path: Path, damage: bytes, compilations: list[LinuxSeccomp]) -> None:
    program = FilterCache(str(tmp_path)).program(_errno_filter("getpriority"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert FilterCache(str(tmp_path)).program(_errno_filter("getpriority")) == program
    assert len(compilations) == 2


def test_a_directory_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert FilterCache(str(tmp_path / "file" / "below")).program(_errno_filter("getpriority"))
