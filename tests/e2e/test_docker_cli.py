"""The stock docker CLI walks through every verb."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root


def test_version_and_info(engine: PrivateDaemon) -> None:
    version = json.loads(engine.docker("version", "--format", "{{json .Server}}").stdout)
    assert version["ApiVersion"] == "1.50" and version["Os"] == "linux"
    info = json.loads(engine.docker("info", "--format", "{{json .}}").stdout)
    assert info["Driver"] == "overlay2" and info["Images"] >= 1 and info["DockerRootDir"] == str(engine.data_root)


def test_run_prints_and_returns_the_exit_code(engine: PrivateDaemon) -> None:
    result = engine.docker("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 5", check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 5)


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["busybox", "nope"], 127, 'exec: "nope": executable file not found in $PATH'),
        (["busybox", "/nope"], 127, "no such file or directory"),
        (["busybox", "/etc/passwd"], 126, "permission denied"),
        (["no-such-image-here:x", "true"], 125, "no-such-image-here"),
        (["-v", "relative:/x/../..", "busybox", "true"], 125, "invalid"),
        (["-m", "1k", "busybox", "true"], 125, "Minimum memory limit allowed is 6MB"),
        (["--cpus", "4096", "busybox", "true"], 125, "Range of CPUs is from"),
        (["-u", "nobody-here", "busybox", "true"], 125, "unable to find user nobody-here"),
        (["--mount", "type=bind,src=/no/such/path,dst=/x", "busybox", "true"], 125, "bind source path does not exist"),
        (["--network", "no-such-net", "busybox", "true"], 125, "network no-such-net not found"),
    ],
)
def test_run_errors_have_docker_s_codes(engine: PrivateDaemon, argv: list[str], code: int, text: str) -> None:
    result = engine.docker("run", "--rm", *argv, check=False)
    assert result.returncode == code, result.stderr
    assert text in result.stderr


def test_run_with_stdin_and_entrypoint(engine: PrivateDaemon) -> None:
    result = engine.docker("run", "--rm", "-i", "--entrypoint", "cat", "busybox", input="line 1\nline 2\n")
    assert result.stdout == "line 1\nline 2\n"


def test_environment_workdir_user_hostname_labels(engine: PrivateDaemon, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("FROM_FILE=1\n# comment\n")
    script = 'echo "$A|$FROM_FILE|$(pwd)|$(id -u)|$(hostname)|$HOME"'
    flags = ["-e", "A=b c", "--env-file", str(tmp_path / "env"), "-w", "/made/here", "-u", "bob", "--hostname", "box"]
    result = engine.docker("run", "--rm", *flags, "--label", "x=y", "busybox", "sh", "-c", script)
    assert result.stdout == "b c|1|/made/here|1000|box|/home/bob\n"


def test_mounts(engine: PrivateDaemon, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("host")
    script = (
        "cat /b/file; echo no > /b/file 2>/dev/null || echo ro; "
        "df /t | tail -1 | cut -d' ' -f1; echo > /x || echo root-ro"
    )
    flags = ["--read-only", "-v", f"{tmp_path}:/b:ro", "--tmpfs", "/t", "--mount", "type=tmpfs,dst=/t2"]
    result = engine.docker("run", "--rm", *flags, "busybox", "sh", "-c", script)
    assert result.stdout.split() == ["hostro", "tmpfs", "root-ro"]


def test_named_volumes_keep_their_content(engine: PrivateDaemon) -> None:
    engine.docker("run", "--rm", "-v", "vol1:/data", "busybox", "sh", "-c", "echo kept > /data/f")
    assert engine.docker("run", "--rm", "-v", "vol1:/data", "busybox", "cat", "/data/f").stdout == "kept\n"
    engine.docker("volume", "rm", "vol1")


def test_limits_are_in_the_cgroup(engine: PrivateDaemon) -> None:
    script = (
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us 2>/dev/null"
        " || cat memory.max pids.max cpu.max"
    )
    flags = ["-m", "64m", "--pids-limit", "50", "--cpus", "0.5"]
    words = engine.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout.split()
    assert words[:3] == ["67108864", "50", "50000"]


def test_life_of_a_container(engine: PrivateDaemon) -> None:
    name = "life"
    script = "trap 'exit 3' TERM; echo started; touch /dev/shm/ready; while :; do sleep 0.1; done"
    created = engine.docker("create", "--name", name, "busybox", "sh", "-c", script).stdout
    assert len(created.strip()) == 64
    assert engine.docker("ps", "-aq", "--no-trunc", "--filter", f"name={name}").stdout == created
    assert engine.docker("start", name).stdout == f"{name}\n"
    assert engine.docker("ps", "--filter", f"name={name}", "--format", "{{.State}}").stdout == "running\n"
    until_ready = ["exec", name, "sh", "-c", "until [ -e /dev/shm/ready ]; do sleep 0.01; done"]
    engine.docker(*until_ready)
    engine.docker("restart", "-t", "5", name)
    engine.docker(*until_ready)
    engine.docker("stop", "-t", "5", name)
    state = json.loads(engine.docker("inspect", name).stdout)[0]["State"]
    assert (state["Status"], state["ExitCode"], state["Running"], state["OOMKilled"]) == ("exited", 3, False, False)
    assert engine.docker("logs", name).stdout == "started\n" * 2
    assert engine.docker("wait", name).stdout == "3\n"
    engine.docker("start", name)
    assert engine.docker("kill", name).stdout == f"{name}\n"
    assert engine.docker("wait", name).stdout == "137\n"
    assert engine.docker("rm", name).stdout == f"{name}\n"
    missing = engine.docker("inspect", name, check=False)
    assert missing.returncode == 1 and f"No such object: {name}" in missing.stderr


def test_names_conflict(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "taken", "busybox", "true")
    again = engine.docker("create", "--name", "taken", "busybox", "true", check=False)
    assert again.returncode == 1
    assert 'Conflict. The container name "/taken" is already in use by container' in again.stderr
    engine.docker("rm", "taken")


def test_exec(engine: PrivateDaemon) -> None:
    engine.docker("run", "-d", "--name", "xx", "busybox", "sleep", "1000")
    try:
        assert engine.docker("exec", "xx", "sh", "-c", "echo $$ >/dev/null; cat /proc/1/comm").stdout == "sleep\n"
        assert engine.docker("exec", "-i", "xx", "cat", input="typed\n").stdout == "typed\n"
        assert (
            engine.docker(
                "exec", "-e", "A=1", "-w", "/tmp", "-u", "bob", "xx", "sh", "-c", "echo $A $(pwd) $(id -un)"
            ).stdout
            == "1 /tmp bob\n"
        )
        assert engine.docker("exec", "xx", "sh", "-c", "exit 9", check=False).returncode == 9
        missing = engine.docker("exec", "xx", "nope", check=False)
        assert missing.returncode == 127 and "executable file not found" in missing.stdout + missing.stderr
        assert engine.docker("exec", "-d", "xx", "touch", "/made").returncode == 0
        engine.docker("exec", "xx", "sh", "-c", "until [ -e /made ]; do sleep 0.01; done")
    finally:
        engine.docker("rm", "-f", "xx")
    gone = engine.docker("exec", "xx", "true", check=False)
    assert gone.returncode == 1 and "No such container: xx" in gone.stderr


def test_logs_tail_since_and_timestamps(engine: PrivateDaemon) -> None:
    engine.docker("run", "--name", "ll", "busybox", "sh", "-c", "for i in 1 2 3; do echo line $i; done; echo err >&2")
    try:
        assert engine.docker("logs", "ll").stdout == "line 1\nline 2\nline 3\n"
        assert engine.docker("logs", "ll").stderr == "err\n"
        assert engine.docker("logs", "--tail", "2", "ll").stdout == "line 3\n"
        assert engine.docker("logs", "-t", "--tail", "1", "ll").stderr.split()[0].endswith("Z")
        assert engine.docker("logs", "--since", "2099-01-01T00:00:00Z", "ll").stdout == ""
        assert engine.docker("logs", "-f", "ll").stdout.count("line") == 3
    finally:
        engine.docker("rm", "ll")


def test_logs_follow_until_the_end(engine: PrivateDaemon) -> None:
    engine.docker("run", "-d", "--name", "ff", "busybox", "sh", "-c", "echo first; sleep 0.5; echo last")
    try:
        assert engine.docker("logs", "-f", "ff").stdout == "first\nlast\n"
    finally:
        engine.docker("rm", "-f", "ff")


def test_attach_gets_what_comes(engine: PrivateDaemon) -> None:
    engine.docker("run", "-di", "--name", "aa", "busybox", "sh", "-c", "read line; echo $line")
    try:
        assert engine.docker("attach", "aa", input="to attach\n").stdout == "to attach\n"
    finally:
        engine.docker("rm", "-f", "aa")


def test_published_port_answers(engine: PrivateDaemon) -> None:
    serve = "mkdir /www; echo hello > /www/index.html; httpd -f -p 80 -h /www"
    engine.docker("run", "-d", "--name", "web", "-p", "127.0.0.1:0:80", "busybox", "sh", "-c", serve)
    try:
        address = engine.docker("port", "web", "80/tcp").stdout.split()[0]
        engine.docker("exec", "web", "sh", "-c", "until wget -qO- 127.0.0.1:80; do sleep 0.05; done")
        got = subprocess.run(
            ["busybox", "wget", "-qO-", f"http://{address}/"], capture_output=True, text=True, timeout=20
        )
        assert got.stdout == "hello\n", got.stderr
        taken = engine.docker("run", "--rm", "-p", f"{address}:80", "busybox", "true", check=False)
        assert taken.returncode == 125 and "port is already allocated" in taken.stderr
    finally:
        engine.docker("rm", "-f", "web")


def test_network_modes(engine: PrivateDaemon) -> None:
    links = ["ls", "/sys/class/net"]
    assert engine.docker("run", "--rm", "--network", "none", "busybox", *links).stdout.split() == ["lo"]
    assert sorted(engine.docker("run", "--rm", "busybox", *links).stdout.split()) == ["eth0", "lo"]
    assert engine.bridge in engine.docker("run", "--rm", "--network", "host", "busybox", *links).stdout.split()
    engine.docker("run", "-d", "--name", "n1", "busybox", "sleep", "1000")
    try:
        own = engine.docker("exec", "n1", "ip", "-o", "-4", "addr", "show", "eth0").stdout
        assert (
            engine.docker(
                "run", "--rm", "--network", "container:n1", "busybox", "ip", "-o", "-4", "addr", "show", "eth0"
            ).stdout
            == own
        )
        address = engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "n1").stdout.strip()
        assert address and address in own
        engine.docker("run", "--rm", "busybox", "ping", "-c", "1", "-w", "5", address)
    finally:
        engine.docker("rm", "-f", "n1")


def test_restart_policy(engine: PrivateDaemon) -> None:
    engine.docker("run", "-d", "--name", "again", "--restart", "on-failure:2", "busybox", "sh", "-c", "exit 1")
    try:
        assert engine.docker("wait", "again").stdout.strip() == "1"
        for _ in range(3):
            state = json.loads(engine.docker("inspect", "again").stdout)[0]
            if state["RestartCount"] == 2 and state["State"]["Status"] == "exited":
                break
            engine.docker("wait", "again")
        assert state["RestartCount"] == 2
    finally:
        engine.docker("rm", "-f", "again")


def test_events_tell_the_life_in_order(engine: PrivateDaemon) -> None:
    engine.docker("run", "--rm", "--name", "ev", "busybox", "true")
    lines = engine.docker(
        "events",
        "--since",
        "10m",
        "--until",
        f"{time.time():.9f}",
        "--filter",
        "container=ev",
        "--format",
        "{{.Action}}",
    ).stdout.split()
    order = [action for action in lines if action in ("create", "start", "die", "destroy")]
    assert order == ["create", "start", "die", "destroy"]


def test_images_tag_save_load_and_remove(engine: PrivateDaemon, tmp_path: Path) -> None:
    engine.docker("tag", "busybox", "example.com/team/box:v1")
    assert (
        engine.docker("images", "-q", "example.com/team/box").stdout == engine.docker("images", "-q", "busybox").stdout
    )
    archive = tmp_path / "box.tar"
    engine.docker("save", "-o", str(archive), "example.com/team/box:v1")
    removed = engine.docker("rmi", "example.com/team/box:v1").stdout
    assert removed.splitlines()[0] == "Untagged: example.com/team/box:v1"
    loaded = engine.docker("load", "-i", str(archive)).stdout
    assert "Loaded image: example.com/team/box:v1" in loaded
    assert engine.docker("run", "--rm", "example.com/team/box:v1", "echo", "loaded").stdout == "loaded\n"
    engine.docker("rmi", "example.com/team/box:v1")
    missing = engine.docker("rmi", "example.com/team/box:v1", check=False)
    assert missing.returncode == 1 and "No such image: example.com/team/box:v1" in missing.stderr


def test_import_changes(engine: PrivateDaemon, image_tar: Path) -> None:
    engine.docker("import", "-c", 'CMD ["echo", "from cmd"]', "-c", "ENV X=1", "-m", "made", str(image_tar), "imp:1")
    assert engine.docker("run", "--rm", "imp:1").stdout == "from cmd\n"
    config = json.loads(engine.docker("image", "inspect", "imp:1").stdout)[0]["Config"]
    assert "X=1" in config["Env"]
    engine.docker("rmi", "imp:1")


def test_image_in_use_is_kept(engine: PrivateDaemon) -> None:
    engine.docker("tag", "busybox", "used:1")
    identity = engine.docker("create", "--name", "user", "busybox", "true").stdout[:12]
    refused = engine.docker("rmi", engine.docker("images", "-q", "busybox").stdout.split()[0], check=False)
    assert refused.returncode == 1 and ("conflict" in refused.stderr and identity)
    engine.docker("rm", "user")
    engine.docker("rmi", "used:1")


def test_hello_is_there_without_a_registry(engine: PrivateDaemon) -> None:
    assert "Windlass" in engine.docker("run", "--rm", "windlass/hello").stdout


def test_terminal(engine: PrivateDaemon) -> None:
    import pty

    command = ["docker", "-H", engine.host, "run", "--rm", "-it", "busybox", "sh", "-c", "tty; stty size"]
    pid, master = pty.fork()
    if pid == 0:
        import os

        os.execvp(command[0], command)
    import os

    output = b""
    try:
        while chunk := os.read(master, 1024):
            output += chunk
    except OSError:
        pass
    os.waitpid(pid, 0)
    os.close(master)
    assert b"/dev/pts/0" in output
