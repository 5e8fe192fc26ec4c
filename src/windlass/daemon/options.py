"""The daemon's options: one table for flags and `daemon.json`, spelled as dockerd spells them.

Source: docs.docker.com, reference/cli/dockerd; the messages are dockerd's.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_DATA_ROOT = "/var/lib/windlass"
DEFAULT_EXEC_ROOT = "/run/windlass"
DEFAULT_CONFIG_FILE = "/etc/windlass/daemon.json"
DEFAULT_HOST = "unix:///run/windlass/windlass.sock"
DEFAULT_GROUP = "docker"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `kind` is `string`, `bool`, `int`, `list`, `map` (key=value), `ulimit` (name=soft:hard) or
    `runtime` (name=path).

    `key` is its name in `daemon.json`; lists are plural there. `ignored` options are accepted for scripts written for
    dockerd, and change nothing; the help says so.
    """

    flag: str
    kind: str
    help: str
    key: str = ""
    short: str = ""
    default: str = ""
    ignored: bool = False

    @property
    def file_key(self) -> str:
        """The option's name in the configuration file."""
        return self.key or self.flag


OPTIONS: tuple[Option, ...] = (
    Option("add-runtime", "runtime", "Register an additional OCI compatible runtime", key="runtimes"),
    Option("audit-log", "string", "File that tells who called what, in JSON lines"),
    Option("audit-log-max-file", "int", "Files of the audit log that are kept", default="5"),
    Option("audit-log-max-size", "string", "Size at which a new file of the audit log begins", default="10m"),
    Option("bip", "string", "IPv4 address for the default bridge"),
    Option("bridge", "string", "Name of the default bridge", short="b", default="windlass0"),
    Option("cgroup-parent", "string", "Set parent cgroup for all containers"),
    Option("config-file", "string", "Daemon configuration file", default=DEFAULT_CONFIG_FILE),
    Option("containerd", "string", "containerd grpc address", ignored=True),
    Option("cpu-rt-period", "int", "Limit the CPU real-time period in microseconds for the parent cgroup", default="0"),
    Option(
        "cpu-rt-runtime", "int", "Limit the CPU real-time runtime in microseconds for the parent cgroup", default="0"
    ),
    Option("data-root", "string", "Root directory of persistent state", default=DEFAULT_DATA_ROOT),
    Option("debug", "bool", "Enable debug mode", short="D"),
    Option("default-cgroupns-mode", "string", "Default mode for containers cgroup namespace (host|private)"),
    Option("default-ipc-mode", "string", "Default mode for containers ipc (shareable|private)", default="private"),
    Option("default-runtime", "string", "Default OCI runtime for containers"),
    Option("default-shm-size", "string", "Default shm size for containers", default="64MiB"),
    Option("default-ulimit", "ulimit", "Default ulimits for containers", key="default-ulimits"),
    Option("dns", "list", "DNS server to use"),
    Option("dns-opt", "list", "DNS options to use", key="dns-opts"),
    Option("dns-search", "list", "DNS search domains to use"),
    Option("exec-opt", "list", "Runtime execution options: native.cgroupdriver=cgroupfs|systemd", key="exec-opts"),
    Option("exec-root", "string", "Root directory for execution state files", default=DEFAULT_EXEC_ROOT),
    Option("experimental", "bool", "Enable experimental features", ignored=True),
    Option("firewall-table", "string", "Name of the daemon's nftables table", default="windlass"),
    Option("group", "string", "Group for the unix socket", short="G", default=DEFAULT_GROUP),
    Option("help", "bool", "Print usage", short="h"),
    Option("host", "list", "Daemon socket(s) to connect to", key="hosts", short="H"),
    Option("icc", "bool", "Enable inter-container communication", default="true"),
    Option("init", "bool", "Run an init in the container to forward signals and reap processes"),
    Option("init-path", "string", "Path to an init binary to use instead of the built-in one"),
    Option("insecure-registry", "list", "Enable insecure registry communication", key="insecure-registries"),
    Option("ip", "string", "Host IP for port publishing from the default bridge network", default="0.0.0.0"),
    Option("ip-forward", "bool", "Enable IP forwarding in system configuration", default="true"),
    Option("ip-masq", "bool", "Enable IP masquerading for the default bridge network", default="true"),
    Option("iptables", "bool", "Enable addition of firewall rules (nftables)", default="true"),
    Option("ip6tables", "bool", "Enable addition of IPv6 firewall rules", default="true", ignored=True),
    Option("label", "list", "Set key=value labels to the daemon", key="labels"),
    Option("live-restore", "bool", "Containers run on without the daemon: always, here", ignored=True, default="true"),
    Option("log-driver", "string", "Default driver for container logs", default="json-file"),
    Option("log-format", "string", 'Set the logging format ("text"|"json")', default="text"),
    Option(
        "log-level",
        "string",
        'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")',
        short="l",
        default="info",
    ),
    Option("log-opt", "map", "Default log driver options for containers", key="log-opts"),
    Option("max-concurrent-downloads", "int", "Set the max concurrent downloads", default="3"),
    Option("max-concurrent-uploads", "int", "Set the max concurrent uploads", default="5"),
    Option("max-download-attempts", "int", "Set the max download attempts for each pull", default="5"),
    Option("metrics-addr", "string", "Set default address and port to serve the metrics API on"),
    Option("mtu", "int", "Set the MTU for the default bridge network", default="1500"),
    Option("no-new-privileges", "bool", "Set no-new-privileges by default for new containers"),
    Option("pidfile", "string", "Path to use for daemon PID file", short="p"),
    Option("registry-mirror", "list", "Preferred registry mirror", key="registry-mirrors"),
    Option("seccomp-profile", "string", 'Path to seccomp profile; "builtin" or "unconfined"', default="builtin"),
    Option("selinux-enabled", "bool", "Enable selinux support", ignored=True),
    Option(
        "shutdown-timeout",
        "int",
        "Seconds that work under way gets when the daemon stops; containers run on",
        default="15",
    ),
    Option("storage-driver", "string", "Storage driver to use (overlay2)", short="s", default="overlay2"),
    Option("storage-opt", "list", "Storage driver options", key="storage-opts", ignored=True),
    Option("tls", "bool", "Use TLS; implied by --tlsverify"),
    Option("tlscacert", "string", "Trust certs signed only by this CA (default ~/.docker/ca.pem)"),
    Option("tlscert", "string", "Path to TLS certificate file (default ~/.docker/cert.pem)"),
    Option("tlskey", "string", "Path to TLS key file (default ~/.docker/key.pem)"),
    Option("tlsverify", "bool", "Use TLS and verify the remote"),
    Option("userland-proxy", "bool", "Published ports need no proxy here", default="true", ignored=True),
    Option("userland-proxy-path", "string", "Path to the userland proxy binary", ignored=True),
    Option("userns-remap", "string", "User/Group setting for user namespaces"),
    Option("validate", "bool", "Validate daemon configuration and exit"),
    Option("version", "bool", "Print version information and quit", short="v"),
)

BY_FLAG: dict[str, Option] = {option.flag: option for option in OPTIONS}
BY_SHORT: dict[str, Option] = {option.short: option for option in OPTIONS if option.short}
BY_KEY: dict[str, Option] = {option.file_key: option for option in OPTIONS}
# These make no sense inside the file that they would name, or are words of a command line.
NOT_IN_FILE = frozenset({"config-file", "help", "version", "validate"})


def usage() -> str:
    """Return the help text."""
    lines = [
        "Usage:  windlassd [OPTIONS]",
        "",
        "The engine: serves the Docker Engine API and runs containers.",
        "",
        "Examples:",
        "  windlassd                                   listen on the default socket",
        "  windlassd -H unix:///tmp/w.sock --data-root /tmp/w --exec-root /tmp/w-run --bridge w0",
        "  windlassd --validate --config-file ./daemon.json",
        "",
        "Options:",
    ]
    for option in OPTIONS:
        short = f"-{option.short}, " if option.short else "    "
        kind = "" if option.kind == "bool" else f" {option.kind}"
        default = f' (default "{option.default}")' if option.default and option.kind != "bool" else ""
        note = " (accepted, no effect)" if option.ignored else ""
        lines.append(f"  {short}--{option.flag + kind:<33} {option.help}{default}{note}")
    return "\n".join(lines) + "\n"
