"""The members of `config.json`, as tables of kinds.

Source: runtime-spec schema/config-schema.json, config-linux.json, defs.json, defs-linux.json. Members of other systems
than Linux are not here: they are ignored.
"""

from __future__ import annotations

from windlass.runtime.oci.validate_shape import (
    BOOLEAN,
    INT32,
    INT64,
    PATH,
    PATHS,
    TABLE,
    TEXT,
    TEXTS,
    UINT16,
    UINT32,
    UINT64,
    array,
    members,
    table,
    words,
)

NAMESPACE_TYPE = words("namespace", "mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time")
SECCOMP_ACTION = words(
    "action",
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
)
SECCOMP_FLAG = words(
    "flag",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
)
SECCOMP_OPERATOR = words(
    "operator",
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
)
_ARCHITECTURES = (
    "X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE"
    " S390 S390X SH SHEB PARISC PARISC64 RISCV64"
)
SECCOMP_ARCHITECTURE = words("architecture", *(f"SCMP_ARCH_{name}" for name in _ARCHITECTURES.split()))
_POLICIES = "OTHER FIFO RR BATCH ISO IDLE DEADLINE"
_SCHEDULER_FLAGS = "RESET_ON_FORK RECLAIM DL_OVERRUN KEEP_POLICY KEEP_PARAMS UTIL_CLAMP_MIN UTIL_CLAMP_MAX"
_MEMORY_MODES = "DEFAULT BIND INTERLEAVE WEIGHTED_INTERLEAVE PREFERRED PREFERRED_MANY LOCAL"
_MEMORY_FLAGS = "NUMA_BALANCING RELATIVE_NODES STATIC_NODES"
_RLIMITS = "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME"
# mountinfo's words with and without the `r` of a whole tree: the specification has the short ones, engines send both.
_PROPAGATION = "private shared slave unbindable rprivate rshared rslave runbindable"

_ID_MAPPING = members("containerID hostID size", containerID=UINT32, hostID=UINT32, size=UINT32)
_ID_MAPPINGS = array(_ID_MAPPING)
_MAJOR_MINOR = {"major": INT64, "minor": INT64}
_THROTTLE = array(members("major minor rate", **_MAJOR_MINOR, rate=UINT64))

_RLIMIT = members(
    "type soft hard",
    type=words("resource", *(f"RLIMIT_{name}" for name in _RLIMITS.split())),
    soft=UINT64,
    hard=UINT64,
)
_IO_PRIORITY = members(
    "class",
    **{"class": words("I/O class", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"), "priority": INT32},
)
_SCHEDULER = members(
    "policy",
    policy=words("policy", *(f"SCHED_{name}" for name in _POLICIES.split())),
    nice=INT32,
    priority=INT32,
    flags=array(words("flag", *(f"SCHED_FLAG_{name}" for name in _SCHEDULER_FLAGS.split()))),
    runtime=UINT64,
    deadline=UINT64,
    period=UINT64,
)
PROCESS = members(
    "cwd",
    cwd=PATH,
    args=TEXTS,
    env=TEXTS,
    terminal=BOOLEAN,
    consoleSize=members("height width", height=UINT64, width=UINT64),
    user=members(uid=UINT32, gid=UINT32, umask=UINT32, additionalGids=array(UINT32), username=TEXT),
    capabilities=members(bounding=TEXTS, effective=TEXTS, permitted=TEXTS, inheritable=TEXTS, ambient=TEXTS),
    rlimits=array(_RLIMIT),
    noNewPrivileges=BOOLEAN,
    oomScoreAdj=INT64,
    apparmorProfile=TEXT,
    selinuxLabel=TEXT,
    ioPriority=_IO_PRIORITY,
    scheduler=_SCHEDULER,
    execCPUAffinity=members(initial=TEXT, final=TEXT),
)

_MEMORY = members(
    limit=INT64,
    reservation=INT64,
    swap=INT64,
    kernel=INT64,
    kernelTCP=INT64,
    swappiness=UINT64,
    disableOOMKiller=BOOLEAN,
    useHierarchy=BOOLEAN,
    checkBeforeUpdate=BOOLEAN,
)
_CPU = members(
    shares=UINT64,
    quota=INT64,
    burst=UINT64,
    period=UINT64,
    realtimeRuntime=INT64,
    realtimePeriod=UINT64,
    cpus=TEXT,
    mems=TEXT,
    idle=INT64,
)
_BLOCK_IO = members(
    weight=UINT16,
    leafWeight=UINT16,
    weightDevice=array(members("major minor", **_MAJOR_MINOR, weight=UINT16, leafWeight=UINT16)),
    throttleReadBpsDevice=_THROTTLE,
    throttleWriteBpsDevice=_THROTTLE,
    throttleReadIOPSDevice=_THROTTLE,
    throttleWriteIOPSDevice=_THROTTLE,
)
RESOURCES = members(
    devices=array(members("allow", allow=BOOLEAN, type=TEXT, **_MAJOR_MINOR, access=TEXT)),
    memory=_MEMORY,
    cpu=_CPU,
    pids=members("limit", limit=INT64),
    blockIO=_BLOCK_IO,
    hugepageLimits=array(members("pageSize limit", pageSize=TEXT, limit=UINT64)),
    network=members(classID=UINT32, priorities=array(members("name priority", name=TEXT, priority=UINT32))),
    rdma=table(members(hcaHandles=UINT32, hcaObjects=UINT32)),
    unified=TABLE,
)

_SECCOMP_ARG = members("index value op", index=UINT32, value=UINT64, valueTwo=UINT64, op=SECCOMP_OPERATOR)
_SYSCALL = members("names action", names=TEXTS, action=SECCOMP_ACTION, errnoRet=UINT32, args=array(_SECCOMP_ARG))
_SECCOMP = members(
    "defaultAction",
    defaultAction=SECCOMP_ACTION,
    defaultErrnoRet=UINT32,
    architectures=array(SECCOMP_ARCHITECTURE),
    flags=array(SECCOMP_FLAG),
    listenerPath=PATH,
    listenerMetadata=TEXT,
    syscalls=array(_SYSCALL),
)

_DEVICE = members(
    "type path",
    type=words("device type", "c", "b", "u", "p"),
    path=PATH,
    **_MAJOR_MINOR,
    fileMode=UINT32,
    uid=UINT32,
    gid=UINT32,
)
_INTEL_RDT = members(
    closID=TEXT,
    schemata=TEXTS,
    l3CacheSchema=TEXT,
    memBwSchema=TEXT,
    enableMonitoring=BOOLEAN,
    enableCMT=BOOLEAN,
    enableMBM=BOOLEAN,
)
_MEMORY_POLICY = members(
    "mode",
    mode=words("mode", *(f"MPOL_{name}" for name in _MEMORY_MODES.split())),
    nodes=TEXT,
    flags=array(words("flag", *(f"MPOL_F_{name}" for name in _MEMORY_FLAGS.split()))),
)
_OFFSET = members(secs=INT64, nanosecs=UINT32)
_LINUX = members(
    uidMappings=_ID_MAPPINGS,
    gidMappings=_ID_MAPPINGS,
    sysctl=TABLE,
    resources=RESOURCES,
    cgroupsPath=PATH,
    namespaces=array(members("type", type=NAMESPACE_TYPE, path=PATH)),
    devices=array(_DEVICE),
    netDevices=table(members(name=TEXT)),
    seccomp=_SECCOMP,
    rootfsPropagation=words("propagation", "", *_PROPAGATION.split()),
    maskedPaths=PATHS,
    readonlyPaths=PATHS,
    mountLabel=TEXT,
    intelRdt=_INTEL_RDT,
    memoryPolicy=_MEMORY_POLICY,
    personality=members("domain", domain=words("domain", "LINUX", "LINUX32"), flags=TEXTS),
    timeOffsets=table(_OFFSET),
)

_MOUNT = members(
    "destination",
    destination=PATH,
    type=TEXT,
    source=PATH,
    options=TEXTS,
    uidMappings=_ID_MAPPINGS,
    gidMappings=_ID_MAPPINGS,
)
_HOOKS = array(members("path", path=PATH, args=TEXTS, env=TEXTS, timeout=INT64))
CONFIG = members(
    "ociVersion",
    ociVersion=TEXT,
    process=PROCESS,
    root=members("path", path=PATH, readonly=BOOLEAN),
    hostname=TEXT,
    domainname=TEXT,
    mounts=array(_MOUNT),
    hooks=members(
        prestart=_HOOKS,
        createRuntime=_HOOKS,
        createContainer=_HOOKS,
        startContainer=_HOOKS,
        poststart=_HOOKS,
        poststop=_HOOKS,
    ),
    annotations=TABLE,
    linux=_LINUX,
)
