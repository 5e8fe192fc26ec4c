"""The container's first process: who it is, what it may do, what holds it back."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.isolation.conftest import Inside, flags_id
from tests.support.daemon import PrivateDaemon

from windlass.linux.capabilities import CAPABILITY_NUMBERS, effective_capabilities

pytestmark = pytest.mark.root

_OWN = effective_capabilities()
_DEFAULT = 0xA80425FB
# Docker's name, the kernel's, and a value that any engine may give.
ULIMITS = {
    "core": ("Max core file size", 1),
    "cpu": ("Max cpu time", 100),
    "data": ("Max data size", 1 << 30),
    "fsize": ("Max file size", 1 << 30),
    "locks": ("Max file locks", 10),
    "memlock": ("Max locked memory", 4096),
    "msgqueue": ("Max msgqueue size", 10_000),
    "nice": ("Max nice priority", 0),
    "nofile": ("Max open files", 100),
    "nproc": ("Max processes", 300),
    "rss": ("Max resident set", 1 << 30),
    "rtprio": ("Max realtime priority", 0),
    "rttime": ("Max realtime timeout", 10_000),
    "sigpending": ("Max pending signals", 50),
    "stack": ("Max stack size", 8 << 20),
}


def _bit(name: str) -> int:
    return 1 << CAPABILITY_NUMBERS[f"CAP_{name}"]


def test_every_ulimit(inside: Inside) -> None:
    flags = [word for name, (_, value) in ULIMITS.items() for word in ("--ulimit", f"{name}={value}")]
    shown = {line[:26].strip(): line[26:].split()[:2] for line in inside(*flags, script="cat /proc/self/limits")}
    assert {name: shown[name] for name, _ in ULIMITS.values()} == {
        name: [str(value)] * 2 for name, value in ULIMITS.values()
    }


def test_soft_and_hard(inside: Inside) -> None:
    assert inside("--ulimit", "nofile=50:70", script="ulimit -Sn; ulimit -Hn") == ["50", "70"]


def test_a_limit_out_of_the_engine_s_reach_is_lowered_with_a_warning(engine: PrivateDaemon) -> None:
    own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if _OWN & _bit("SYS_RESOURCE"):
        pytest.skip("the engine has CAP_SYS_RESOURCE")
    wanted = f"nofile={own + 1}:{own + 1}"
    result = engine.docker("run", "--rm", "--ulimit", wanted, "busybox", "sh", "-c", "ulimit -Hn")
    assert result.stdout == f"{own}\n"
    assert f"ulimit nofile is lowered to the engine's own of {own}" in result.stderr


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], _DEFAULT & _OWN),
        (["--cap-drop", "CHOWN", "--cap-drop", "cap_kill"], _DEFAULT & _OWN & ~_bit("CHOWN") & ~_bit("KILL")),
        (
            ["--cap-add", "net_admin", "--cap-add", "CAP_SYS_TIME"],
            _DEFAULT & _OWN | _bit("NET_ADMIN") | _bit("SYS_TIME"),
        ),
        (["--cap-drop", "ALL"], 0),
        (["--cap-drop", "all", "--cap-add", "CHOWN"], _bit("CHOWN")),
        (["--cap-add", "ALL"], _OWN),
        (["--cap-add", "ALL", "--cap-drop", "NET_RAW"], _OWN & ~_bit("NET_RAW")),
        (["--privileged"], _OWN),
    ],
    ids=flags_id,
)
def test_capabilities(inside: Inside, flags: list[str], expected: int) -> None:
    lines = inside(*flags, script="grep Cap /proc/self/status")
    sets = {line[3:6]: int(line.split()[1], 16) for line in lines}
    assert sets == {"Inh": 0, "Prm": expected, "Eff": expected, "Bnd": expected, "Amb": 0}


def test_capabilities_of_another_user_are_bounds_only(inside: Inside) -> None:
    lines = inside("-u", "bob", script="grep -E 'Cap(Eff|Bnd)' /proc/self/status")
    assert [int(line.split()[1], 16) for line in lines] == [0, _DEFAULT & _OWN]


@pytest.mark.parametrize(
    ("flags", "seccomp", "no_new_privileges"),
    [
        ([], 2, 0),
        (["--security-opt", "seccomp=builtin"], 2, 0),
        (["--security-opt", "seccomp=unconfined"], 0, 0),
        (["--privileged"], 0, 0),
        (["--security-opt", "no-new-privileges"], 2, 1),
        (["--security-opt", "no-new-privileges=true"], 2, 1),
        (["--security-opt", "no-new-privileges=false"], 2, 0),
        # Without the modules these say nothing, as in dockerd.
        (["--security-opt", "apparmor=unconfined", "--security-opt", "label=disable"], 2, 0),
        (["--security-opt", "label=level:s0:c100", "--security-opt", "label=type:x"], 2, 0),
    ],
    ids=flags_id,
)
def test_security_options(inside: Inside, flags: list[str], seccomp: int, no_new_privileges: int) -> None:
    lines = inside(*flags, script="grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status")
    assert [int(line.split()[1]) for line in lines] == [no_new_privileges, seccomp]


def test_a_profile_from_a_file(inside: Inside, tmp_path: Path) -> None:
    names = ["mkdir", "mkdirat"]
    rule = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 95}
    (tmp_path / "profile.json").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    lines = inside(
        "--security-opt", f"seccomp={tmp_path}/profile.json", script="mkdir /x 2>&1; unshare -m true; echo $?"
    )
    assert lines[0].endswith("Operation not supported") or lines[0].endswith("Not supported"), lines


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("bob", "1000 1000 10 1000"),
        ("1000", "1000 1000 10 1000"),
        ("1000:777", "1000 777 777"),
        ("bob:wheel", "1000 10 10"),
        (":wheel", "0 10 10"),
        ("bob:", "1000 1000 10 1000"),
        ("12345", "12345 0 0"),
        ("12345:54321", "12345 54321 54321"),
        ("0", "0 0 0"),
    ],
)
def test_user(inside: Inside, user: str, expected: str) -> None:
    script = "echo $(id -u) $(id -g) $(sed -n 's/^Groups://p' /proc/self/status)"
    uid, gid, *groups = inside("-u", user, script=script)[0].split()
    assert [uid, gid, *sorted(groups, key=int)] == expected.split()


def test_more_groups(inside: Inside) -> None:
    groups = inside("--group-add", "wheel", "--group-add", "777", script="sed -n 's/^Groups://p' /proc/self/status")
    assert {*groups[0].split()} == {"0", "10", "777"}


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["-u", "nope"], "Error response from daemon: unable to find user nope: no matching entries in passwd file"),
        (["-u", "bob:nope"], "unable to find group nope: no matching entries in group file"),
        (["-u", "-1"], "uids and gids must be in range 0-2147483647"),
        (["-u", "4294967295"], "uids and gids must be in range 0-2147483647"),
        (["--group-add", "nope"], "unable to find group nope: no matching entries in group file"),
        (["-w", "relative"], "the working directory 'relative' is invalid, it needs to be an absolute path"),
        (["--stop-signal", "FOO"], "invalid signal: FOO"),
        (["--cap-add", "FLY"], 'unknown capability: "CAP_FLY"'),
        (["--security-opt", "odd=1"], 'invalid --security-opt 2: "odd=1"'),
        (["--security-opt", "no-new-privileges=maybe"], 'invalid --security-opt 2: "no-new-privileges=maybe"'),
        (["--security-opt", "seccomp=/nope.json"], "opening seccomp profile (/nope.json) failed"),
        (["--oom-score-adj", "1001"], "Invalid value 1001, range for oom score adj is [-1000, 1000]"),
        (["--runtime", "nope"], "unknown or invalid runtime name: nope"),
        (["--isolation", "hyperv"], "invalid isolation (hyperv): linux only supports 'default'"),
        (
            ["--storage-opt", "size=1G"],
            "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
        ),
        (["--gpus", "all"], 'could not select device driver "" with capabilities: [[gpu]]'),
    ],
    ids=flags_id,
)
def test_refused(refused: Callable[..., str], flags: list[str], text: str) -> None:
    assert text in refused(*flags)


def test_a_capability_that_the_engine_lacks(refused: Callable[..., str]) -> None:
    missing = [name for name, number in CAPABILITY_NUMBERS.items() if not _OWN >> number & 1]
    if not missing:
        pytest.skip("the engine has every capability")
    text = "capability not supported by your kernel or not available in the current environment"
    assert f'{text}: "{missing[0]}"' in refused("--cap-add", missing[0])


@pytest.mark.parametrize("score", [0, 321, 1000])
def test_oom_score(inside: Inside, score: int) -> None:
    assert inside("--oom-score-adj", str(score), script="cat /proc/self/oom_score_adj") == [str(score)]


def test_a_score_below_the_engine_s_own(engine: PrivateDaemon, refused: Callable[..., str]) -> None:
    """Asked for explicitly and not to be had: an error, no warning."""
    if _OWN & _bit("SYS_RESOURCE"):
        pytest.skip("the engine has CAP_SYS_RESOURCE")
    assert "set oom_score_adj -500: permission denied" in refused("--oom-score-adj", "-500")


def test_command_environment_and_directory(inside: Inside, engine: PrivateDaemon) -> None:
    script = "pwd; echo $A$B; echo $HOME; echo $PATH"
    lines = inside("-w", "/made/here", "-e", "A=1", "-e", "B=2", "-u", "bob", script=script)
    assert lines == ["/made/here", "12", "/home/bob", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    assert engine.docker("run", "--rm", "--entrypoint", "echo", "busybox", "own").stdout == "own\n"


def test_stop_signal(engine: PrivateDaemon) -> None:
    script = "trap 'exit 43' USR1; while :; do sleep 0.01; done"
    engine.docker("run", "-d", "--name", "stoppable", "--stop-signal", "USR1", "busybox", "sh", "-c", script)
    try:
        engine.docker("stop", "-t", "10", "stoppable")
        assert engine.docker("inspect", "-f", "{{.State.ExitCode}}", "stoppable").stdout == "43\n"
    finally:
        engine.docker("rm", "-f", "stoppable")


def test_init_reaps_and_passes_signals_on(engine: PrivateDaemon) -> None:
    """The first process is ours; an orphan does not stay a zombie, and the program's exit code is the container's."""
    script = "trap 'exit 44' TERM; (sleep 0.01 &); echo ready; while :; do sleep 0.01; done"
    engine.docker("run", "-d", "--init", "--name", "with-init", "busybox", "sh", "-c", script)
    try:
        look = "until ! ps -o stat | grep -q Z; do :; done; cat /proc/1/comm; ps -o pid,comm"
        first, *processes = engine.docker("exec", "with-init", "sh", "-c", look).stdout.splitlines()
        assert first == "init" and any(line.split()[1] == "sh" and line.split()[0] != "1" for line in processes)
        assert engine.docker("inspect", "-f", "{{.HostConfig.Init}}", "with-init").stdout == "true\n"
        engine.docker("stop", "-t", "10", "with-init")
        assert engine.docker("inspect", "-f", "{{.State.ExitCode}}", "with-init").stdout == "44\n"
    finally:
        engine.docker("rm", "-f", "with-init")


def test_init_is_for_the_first_process_only(inside: Inside) -> None:
    assert "init" not in inside("--init", "--pid", "host", script=f"cat /proc/$PPID/comm; cat /proc/{os.getpid()}/comm")


def test_a_missing_program_under_init(engine: PrivateDaemon) -> None:
    result = engine.docker("run", "--rm", "--init", "busybox", "no-such-program", check=False)
    assert result.returncode == 127 and 'exec: "no-such-program": executable file not found in $PATH' in result.stderr


def test_annotations_are_kept(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "annotated", "--annotation", "team=a", "busybox", "true")
    try:
        shown = engine.docker("inspect", "-f", "{{json .HostConfig.Annotations}}", "annotated").stdout
        assert json.loads(shown) == {"team": "a"}
    finally:
        engine.docker("rm", "annotated")
