"""From a profile to a container's filter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from windlass.base.errors import InvalidParameter
from windlass.seccomp.actions import filter_flags
from windlass.seccomp.profile import HostTraits, default_profile, parse_profile, resolve_default, resolve_profile

_HOST = HostTraits("x86_64", (6, 1))
_NO_CAPS: frozenset[str] = frozenset()


def _resolve(profile: dict[str, Any], caps: frozenset[str] = _NO_CAPS, host: HostTraits = _HOST) -> list[str]:
    found = resolve_profile(parse_profile(json.dumps(profile)), caps, host)
    assert found is not None
    return [name for call in found.syscalls for name in call.names]


def _profile(**rule: Any) -> dict[str, Any]:
    rule = {"names": ["mount"], "action": "SCMP_ACT_ALLOW"} | rule
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}


def test_default_profile_by_capabilities() -> None:
    plain = resolve_default(_NO_CAPS, _HOST)
    admin = resolve_default(frozenset({"CAP_SYS_ADMIN"}), _HOST)
    assert plain is not None and admin is not None
    assert "mount" not in {name for call in plain.syscalls for name in call.names}
    assert "mount" in {name for call in admin.syscalls for name in call.names}
    assert plain.architectures == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    assert (plain.default_action, plain.default_errno_ret) == ("SCMP_ACT_ERRNO", 1)


def test_default_profile_is_resolved_once() -> None:
    assert resolve_default(_NO_CAPS, _HOST) is resolve_default(_NO_CAPS, _HOST)


def test_default_profile_answers_clone3_with_enosys() -> None:
    plain = resolve_default(_NO_CAPS, _HOST)
    assert plain is not None
    (rule,) = [call for call in plain.syscalls if call.names == ["clone3"]]
    assert (rule.action, rule.errno_ret) == ("SCMP_ACT_ERRNO", 38)


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({"includes": {"caps": ["CAP_SYS_ADMIN"]}}, True),
        ({"includes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}}, False),
        ({"excludes": {"caps": ["CAP_SYS_ADMIN"]}}, False),
        ({"includes": {"arches": ["amd64"]}}, True),
        ({"includes": {"arches": ["arm64"]}}, False),
        ({"excludes": {"arches": ["amd64", "x32"]}}, False),
        ({"includes": {"minKernel": "4.8"}}, True),
        ({"includes": {"minKernel": "6.2"}}, False),
        ({"includes": {"minKernel": "6.1.0-rc1"}}, True),
        ({"excludes": {"minKernel": "6.1"}}, False),
        ({"includes": {}, "excludes": {}}, True),
    ],
)
def test_conditions(condition: dict[str, Any], applies: bool) -> None:
    names = _resolve(_profile(**condition), frozenset({"CAP_SYS_ADMIN"}))
    assert names == (["mount"] if applies else [])


def test_one_name() -> None:
    assert _resolve(_profile(name="chdir", names=None)) == ["chdir"]


def test_an_empty_profile_is_no_filter() -> None:
    assert resolve_profile(parse_profile("{}"), _NO_CAPS, _HOST) is None


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (_profile(action="SCMP_ACT_BOGUS"), "string SCMP_ACT_BOGUS is not a valid action for seccomp"),
        ({"defaultAction": "ALLOW", "syscalls": []}, "string ALLOW is not a valid action for seccomp"),
        (
            _profile(args=[{"index": 0, "value": 1, "op": "SCMP_CMP_NOPE"}]),
            "string SCMP_CMP_NOPE is not a valid operator for seccomp",
        ),
        (_profile(args=[{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]), "argument index 6 is out of range"),
        (_profile(action="SCMP_ACT_NOTIFY"), "SCMP_ACT_NOTIFY is not supported"),
        (_profile(name="chdir"), "both 'name' and 'names' are specified in the seccomp profile"),
        (
            _profile() | {"architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]},
            "both 'architectures' and 'archMap' are specified",
        ),
        (_profile(includes={"minKernel": "six"}), "invalid kernel version"),
    ],
)
def test_contradictions(profile: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        _resolve(profile)
    assert message in caught.value.message


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"syscalls": 3}', "\udcff"])
def test_what_is_not_a_profile(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Decoding seccomp profile failed: "):
        parse_profile(text.encode("utf-8", "surrogateescape"))


def test_the_built_in_profile_has_no_unknown_words() -> None:
    for caps in (_NO_CAPS, frozenset({"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF"})):
        for machine in ("x86_64", "aarch64", "s390x", "riscv64"):
            assert resolve_profile(default_profile(), caps, HostTraits(machine, (6, 1))) is not None


def test_flags() -> None:
    assert filter_flags([]) == 4
    assert filter_flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"]) == 2
    with pytest.raises(InvalidParameter):
        filter_flags(["SECCOMP_FILTER_FLAG_NEW"])
