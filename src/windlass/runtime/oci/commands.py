"""The commands: their options, what they do, and where their code is."""

from __future__ import annotations

from windlass.runtime.oci.arguments import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Command:
    """One command: `function` is `module:name`, called with a `Call`; `interspersed` takes options after words too."""

    def __init__(
        self, usage: str, text: str, function: str, options: Sequence[Option], *, interspersed: bool = True
    ) -> None:
        self.usage = usage
        self.text = text
        self.function = function
        self.options = options
        self.interspersed = interspersed


GLOBAL_OPTIONS = (
    Option("flag", "debug", "write debug messages to the log"),
    Option("text", "log", "file for messages (default: standard error)"),
    Option("text", "log-format", "format of messages: text (default) or json"),
    Option("text", "root", "directory for state (default: /run/windlass/runtime, or below $XDG_RUNTIME_DIR)"),
    Option("text", "criu", "accepted and not used: checkpoints are not supported"),
    Option("flag", "systemd-cgroup", "let systemd make control groups; cgroupsPath is slice:prefix:name"),
    Option("text", "cgroup-manager", "cgroupfs (default) or systemd"),
    Option("text", "rootless", "ignore that control groups are out of reach: true, false or auto (default)"),
    Option("flag", "version,v", "print the version"),
    Option("flag", "help,h", "print this text"),
)

_HELP = Option("flag", "help,h", "print this text")
_BUNDLE = Option("text", "bundle,b", "directory of the bundle (default: the current one)")
_PID_FILE = Option("text", "pid-file", "file to write the process id to")
_CONSOLE = Option("text", "console-socket", "unix socket that receives the master of the terminal")
_DETACH = Option("flag", "detach,d", "do not wait for the process's end")
_PRESERVE = Option("number", "preserve-fds", "pass N more descriptors on, from 3")
_FORMAT = Option("text", "format,f", "table (default) or json")
_MAKING = (
    _BUNDLE,
    _CONSOLE,
    _PID_FILE,
    Option("flag", "no-pivot", "move the root mount instead of pivot_root (roots on a ramdisk)"),
    Option("flag", "no-new-keyring", "keep the caller's session keyring"),
    Option("flag", "no-subreaper", "adopt no processes but the container's first"),
    _PRESERVE,
)
_ALL = Option("flag", "all,a", "all processes of the container")

COMMANDS: dict[str, Command] = {
    "create": Command("CONTAINER-ID", "make a container and hold it before its program", "create:create", _MAKING),
    "start": Command("CONTAINER-ID", "run the program of a created container", "start:start", ()),
    "run": Command(
        "CONTAINER-ID",
        "create and start, and wait for the end",
        "create:run",
        (*_MAKING, _DETACH, Option("flag", "keep", "leave the container's state when it has ended")),
    ),
    "exec": Command(
        "CONTAINER-ID PROGRAM [ARGUMENT...]",
        "run one more process in a container",
        "execute:execute",
        (
            _CONSOLE,
            Option("text", "cwd", "working directory"),
            Option("list", "env,e", "set an environment variable"),
            Option("flag", "tty,t", "allocate a terminal"),
            Option("text", "user,u", "UID[:GID]"),
            Option("list", "additional-gids,g", "another group"),
            Option("text", "process,p", "file with the process as JSON"),
            _DETACH,
            _PID_FILE,
            Option("text", "process-label", "SELinux label"),
            Option("text", "apparmor", "AppArmor profile"),
            Option("flag", "no-new-privs", "set no_new_privs"),
            Option("list", "cap,c", "add a capability"),
            _PRESERVE,
            Option("list", "cgroup", "[CONTROLLER:]PATH, an existing group below the container's"),
            Option("flag", "ignore-paused", "do it in a paused container too"),
            Option("flag", "no-subreaper", "adopt no processes but this one"),
        ),
        interspersed=False,
    ),
    "state": Command("CONTAINER-ID", "print the state as JSON", "listing:state", ()),
    "list": Command("", "list containers", "listing:containers", (_FORMAT, Option("flag", "quiet,q", "ids only"))),
    "ps": Command(
        "CONTAINER-ID [PS-OPTION...]",
        "list the processes of a container",
        "listing:processes",
        (_FORMAT,),
        interspersed=False,
    ),
    "kill": Command("CONTAINER-ID [SIGNAL]", "send a signal (default: SIGTERM)", "signals:kill", (_ALL,)),
    "delete": Command(
        "CONTAINER-ID",
        "remove what a stopped container left",
        "delete:delete",
        (Option("flag", "force,f", "kill it first if it runs"),),
    ),
    "pause": Command("CONTAINER-ID", "stop all processes for a while", "signals:pause", ()),
    "resume": Command("CONTAINER-ID", "let paused processes go on", "signals:resume", ()),
    "update": Command(
        "CONTAINER-ID",
        "change limits",
        "update:update",
        (
            Option("text", "resources,r", "file with resources as JSON, - for standard input"),
            Option("number", "blkio-weight", "weight of block I/O, 10 to 1000"),
            Option("number", "cpu-period", "period of the CPU quota in microseconds"),
            Option("number", "cpu-quota", "CPU time in a period in microseconds"),
            Option("number", "cpu-burst", "CPU time that may be saved up in microseconds"),
            Option("number", "cpu-share", "relative weight"),
            Option("number", "cpu-rt-period", "period of realtime scheduling in microseconds"),
            Option("number", "cpu-rt-runtime", "realtime in a period in microseconds"),
            Option("number", "cpu-idle", "1 runs the container only when nobody else wants to"),
            Option("text", "cpuset-cpus", "CPUs to use"),
            Option("text", "cpuset-mems", "memory nodes to use"),
            Option("text", "memory", "limit in bytes, -1 for none"),
            Option("text", "memory-reservation", "soft limit in bytes"),
            Option("text", "memory-swap", "limit of memory and swap in bytes, -1 for none"),
            Option("text", "kernel-memory", "limit of kernel memory in bytes"),
            Option("text", "kernel-memory-tcp", "limit of TCP buffers in bytes"),
            Option("number", "pids-limit", "most processes, -1 for no limit"),
            Option("text", "l3-cache-schema", "Intel RDT: L3 cache"),
            Option("text", "mem-bw-schema", "Intel RDT: memory bandwidth"),
        ),
    ),
    "events": Command(
        "CONTAINER-ID",
        "print statistics and notifications, one JSON object a line",
        "events:events",
        (
            Option("text", "interval", "time between statistics (default: 5s)"),
            Option("flag", "stats", "print statistics once"),
        ),
    ),
    "spec": Command(
        "",
        "write a default config.json",
        "printing:spec",
        (_BUNDLE, Option("flag", "rootless", "for a container of an ordinary user")),
    ),
    "features": Command("", "print what is supported as JSON", "printing:features", ()),
    "checkpoint": Command("CONTAINER-ID", "not supported", "printing:refuse", ()),
    "restore": Command("CONTAINER-ID", "not supported", "printing:refuse", ()),
}


def command_options(command: Command) -> tuple[Option, ...]:
    """Return the options of a command, with the one for help."""
    return (*command.options, _HELP)
