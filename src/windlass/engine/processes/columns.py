"""The columns of `ps`: by their names in `-o`, with the title that they have and how they are written.

Source: ps(1), "Standard format specifiers".
"""

from __future__ import annotations

import grp
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from windlass.engine.processes.read import Process, terminal, user_name

_TOTAL_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
_POLICIES = ("TS", "FF", "RR", "B", "ISO", "IDL", "DLN")
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_DAY_S = 86400

Write = Callable[[Process], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A title and what is below it."""

    title: str
    write: Write


def _clock(seconds: float) -> str:
    """`[days-]hours:minutes:seconds`."""
    days, rest = divmod(int(seconds), _DAY_S)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}-{text}" if days else text


def _elapsed(process: Process) -> str:
    """`[[days-]hours:]minutes:seconds`."""
    seconds = int(process.age_s)
    return _clock(seconds) if seconds >= 3600 else f"{seconds // 60:02d}:{seconds % 60:02d}"


def _bsd_time(process: Process) -> str:
    seconds = int(process.cpu_s)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _start(process: Process) -> str:
    """The hour today, the day this year, else the year."""
    now, then = time.localtime(process.now_s), time.localtime(process.started_s)
    if now.tm_year != then.tm_year:
        return time.strftime("%Y", then)
    return time.strftime("%H:%M" if now.tm_yday == then.tm_yday else "%b%d", then)


def _cpu_percent(process: Process) -> float:
    return 100 * process.cpu_s / process.age_s if process.age_s > 0 else 0.0


def _state(process: Process) -> str:
    """The state with its marks: priority, locked pages, session leader, threads, foreground."""
    nice = process.number(16)
    marks = "<" if nice < 0 else "N" if nice > 0 else ""
    if process.status.get("VmLck", "0 kB") != "0 kB":
        marks += "L"
    if process.number(3) == process.pid:
        marks += "s"
    if process.number(17) > 1:
        marks += "l"
    if process.number(5) == process.number(2):
        marks += "+"
    return process.stat[0] + marks


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _wait_channel(process: Process) -> str:
    channel = process.file("wchan")
    return "-" if channel in ("", "0") else channel


def _code_bytes(process: Process) -> int:
    return process.number(24) - process.number(23)


def _link(process: Process, name: str) -> str:
    try:
        return os.readlink(f"/proc/{process.pid}/{name}")
    except OSError:
        return "-"


def _namespace(kind: str) -> Write:
    return lambda process: _link(process, f"ns/{kind}").partition("[")[2].rstrip("]") or "-"


def _number(position: int) -> Write:
    return lambda process: process.stat[position]


def _user(position: int) -> Write:
    return lambda process: user_name(process.ids("Uid")[position])


def _group(position: int) -> Write:
    return lambda process: _group_name(process.ids("Gid")[position])


def _uid(position: int) -> Write:
    return lambda process: str(process.ids("Uid")[position])


def _gid(position: int) -> Write:
    return lambda process: str(process.ids("Gid")[position])


def _status(key: str) -> Write:
    return lambda process: process.status.get(key, "-").removesuffix(" kB")


def _arguments(process: Process) -> str:
    return process.arguments


def _name(process: Process) -> str:
    return process.name


# Names that share a column are listed together; the title is the first name's unless it has one of its own below.
_TABLE: tuple[tuple[str, str, Write], ...] = (
    ("pid tgid", "PID", lambda p: str(p.pid)),
    ("lwp spid tid", "LWP", lambda p: str(p.thread)),
    ("ppid", "PPID", _number(1)),
    ("pgid pgrp", "PGID", _number(2)),
    ("sid sess session", "SID", _number(3)),
    ("tpgid", "TPGID", _number(5)),
    ("args cmd command", "COMMAND", _arguments),
    ("comm ucmd ucomm", "COMMAND", _name),
    ("user euser uname", "USER", _user(1)),
    ("ruser", "RUSER", _user(0)),
    ("suser", "SUSER", _user(2)),
    ("fuser", "FUSER", _user(3)),
    ("uid euid", "UID", _uid(1)),
    ("ruid", "RUID", _uid(0)),
    ("suid", "SUID", _uid(2)),
    ("fuid", "FUID", _uid(3)),
    ("group egroup", "GROUP", _group(1)),
    ("rgroup", "RGROUP", _group(0)),
    ("gid egid", "GID", _gid(1)),
    ("rgid", "RGID", _gid(0)),
    ("%cpu pcpu", "%CPU", lambda p: f"{_cpu_percent(p):.1f}"),
    ("c", "C", lambda p: str(min(99, int(_cpu_percent(p))))),
    ("%mem pmem", "%MEM", lambda p: f"{100 * p.resident_bytes / _TOTAL_BYTES:.1f}"),
    ("vsz vsize", "VSZ", lambda p: str(p.number(20) // 1024)),
    ("sz", "SZ", lambda p: str(p.number(20) // os.sysconf("SC_PAGE_SIZE"))),
    ("rss rssize rsz", "RSS", lambda p: str(p.resident_bytes // 1024)),
    ("tty tt tname", "TT", lambda p: terminal(p.number(4))),
    ("time cputime", "TIME", lambda p: _clock(p.cpu_s)),
    ("times cputimes", "TIME", lambda p: str(int(p.cpu_s))),
    ("bsdtime", "TIME", _bsd_time),
    ("etime", "ELAPSED", _elapsed),
    ("etimes", "ELAPSED", lambda p: str(int(p.age_s))),
    ("start_time bsdstart stime", "START", _start),
    (
        "start",
        "STARTED",
        lambda p: time.strftime("%H:%M:%S" if p.age_s < _DAY_S else "%b %d", time.localtime(p.started_s)),
    ),
    ("lstart", "STARTED", lambda p: time.ctime(p.started_s)),
    ("stat", "STAT", _state),
    ("s state", "S", lambda p: p.stat[0]),
    ("f flag flags", "F", lambda p: f"{p.number(6) >> 6 & 7:o}"),
    ("pri", "PRI", lambda p: str(39 - p.number(15))),
    ("opri", "PRI", lambda p: str(60 + p.number(15))),
    ("priority", "PRI", _number(15)),
    ("ni nice", "NI", _number(16)),
    ("rtprio", "RTPRIO", lambda p: p.stat[37] if p.number(37) else "-"),
    ("cls class policy", "CLS", lambda p: _POLICIES[p.number(38)] if p.number(38) < len(_POLICIES) else "?"),
    ("psr cpuid lastcpu", "PSR", _number(36)),
    ("nlwp thcount", "NLWP", _number(17)),
    ("min_flt minflt", "MINFL", _number(7)),
    ("maj_flt majflt", "MAJFL", _number(9)),
    ("wchan", "WCHAN", _wait_channel),
    ("addr", "ADDR", lambda _p: "-"),
    ("trs", "TRS", lambda p: str(_code_bytes(p) // 1024)),
    ("drs", "DRS", lambda p: str((p.number(20) - _code_bytes(p)) // 1024)),
    ("label context", "LABEL", lambda p: p.file("attr/current") or "-"),
    ("cgroup cgname", "CGROUP", lambda p: p.file("cgroup").partition("?")[0] or "-"),
    ("exe", "EXE", lambda p: _link(p, "exe")),
    ("pending", "PENDING", _status("SigPnd")),
    ("blocked sig_block", "BLOCKED", _status("SigBlk")),
    ("ignored sig_ignore", "IGNORED", _status("SigIgn")),
    ("caught sig_catch", "CAUGHT", _status("SigCgt")),
    *((f"{kind}ns", f"{kind.upper()}NS", _namespace(kind)) for kind in _NAMESPACES),
)
_TITLES = {
    "cmd": "CMD",
    "tname": "TTY",
    "ucmd": "CMD",
    "tt": "TT",
    "cpuid": "CPUID",
    "stime": "STIME",
    "sess": "SESS",
    "session": "SESS",
    "pgrp": "PGRP",
}
_TITLES |= {"euser": "EUSER", "euid": "EUID", "egroup": "EGROUP", "egid": "EGID", "tgid": "TGID", "rsz": "RSZ"}
_TITLES |= {"spid": "SPID", "tid": "TID", "policy": "POL", "thcount": "THCNT", "context": "CONTEXT"}

COLUMNS = {name: Column(_TITLES.get(name, title), write) for names, title, write in _TABLE for name in names.split()}
