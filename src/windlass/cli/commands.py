"""The tree of commands: which words reach which verb, and in which module it lives."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.command import Command

# Canonical path: (module in windlass.cli.verbs, summary shown in listings and help).
VERBS: dict[str, tuple[str, str]] = {
    "container attach": ("attach", "Attach local standard input, output, and error streams to a running container"),
    "container commit": ("commit", "Create a new image from a container's changes"),
    "container cp": ("cp", "Copy files/folders between a container and the local filesystem"),
    "container create": ("create", "Create a new container"),
    "container diff": ("diff", "Inspect changes to files or directories on a container's filesystem"),
    "container exec": ("exec", "Execute a command in a running container"),
    "container export": ("export", "Export a container's filesystem as a tar archive"),
    "container inspect": ("container_inspect", "Display detailed information on one or more containers"),
    "container kill": ("kill", "Kill one or more running containers"),
    "container logs": ("logs", "Fetch the logs of a container"),
    "container ls": ("ps", "List containers"),
    "container pause": ("pause", "Pause all processes within one or more containers"),
    "container port": ("port", "List port mappings or a specific mapping for the container"),
    "container prune": ("container_prune", "Remove all stopped containers"),
    "container rename": ("rename", "Rename a container"),
    "container restart": ("restart", "Restart one or more containers"),
    "container rm": ("rm", "Remove one or more containers"),
    "container run": ("run", "Create and run a new container from an image"),
    "container start": ("start", "Start one or more stopped containers"),
    "container stats": ("stats", "Display a live stream of container(s) resource usage statistics"),
    "container stop": ("stop", "Stop one or more running containers"),
    "container top": ("top", "Display the running processes of a container"),
    "container unpause": ("unpause", "Unpause all processes within one or more containers"),
    "container update": ("update", "Update configuration of one or more containers"),
    "container wait": ("wait", "Block until one or more containers stop, then print their exit codes"),
    "context create": ("context_create", "Create a context"),
    "context export": ("context_export", "Export a context to a tar archive FILE or a tar stream on STDOUT."),
    "context import": ("context_import", "Import a context from a tar or zip file"),
    "context inspect": ("context_inspect", "Display detailed information on one or more contexts"),
    "context ls": ("context_ls", "List contexts"),
    "context rm": ("context_rm", "Remove one or more contexts"),
    "context show": ("context_show", "Print the name of the current context"),
    "context update": ("context_update", "Update a context"),
    "context use": ("context_use", "Set the current docker context"),
    "image bootstrap": ("image_bootstrap", "Build or rebuild the embedded default images"),
    "image history": ("history", "Show the history of an image"),
    "image import": ("import_image", "Import the contents from a tarball to create a filesystem image"),
    "image inspect": ("image_inspect", "Display detailed information on one or more images"),
    "image load": ("load", "Load an image from a tar archive or STDIN"),
    "image ls": ("images", "List images"),
    "image prune": ("image_prune", "Remove unused images"),
    "image pull": ("pull", "Download an image from a registry"),
    "image rm": ("rmi", "Remove one or more images"),
    "image save": ("save", "Save one or more images to a tar archive (streamed to STDOUT by default)"),
    "image tag": ("tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"),
    "network connect": ("network_connect", "Connect a container to a network"),
    "network create": ("network_create", "Create a network"),
    "network disconnect": ("network_disconnect", "Disconnect a container from a network"),
    "network inspect": ("network_inspect", "Display detailed information on one or more networks"),
    "network ls": ("network_ls", "List networks"),
    "network prune": ("network_prune", "Remove all unused networks"),
    "network rm": ("network_rm", "Remove one or more networks"),
    "system df": ("system_df", "Show disk usage"),
    "system dial-stdio": ("system_dial_stdio", "Connect stdin and stdout to the engine"),
    "system events": ("events", "Get real time events from the server"),
    "system info": ("info", "Display system-wide information"),
    "system prune": ("system_prune", "Remove unused data"),
    "volume create": ("volume_create", "Create a volume"),
    "volume inspect": ("volume_inspect", "Display detailed information on one or more volumes"),
    "volume ls": ("volume_ls", "List volumes"),
    "volume prune": ("volume_prune", "Remove unused local volumes"),
    "volume rm": ("volume_rm", "Remove one or more volumes"),
    "inspect": ("inspect", "Return low-level information on objects of any kind"),
    "completion": ("completion", "Generate the autocompletion script for a shell"),
    "__complete": ("complete", "Print what the last word of a command line could become"),
    "ns": ("ns", "List the namespaces and processes of containers"),
    "version": ("version", "Show the version information"),
    "daemon": ("daemon", "Run the engine in the foreground (the same as windlassd)"),
    "runtime": ("runtime", "Run a container from an OCI bundle (the same as windlass-runtime)"),
    "doctor": ("doctor", "Check what this host offers and what each absence costs"),
}

GROUPS = {
    "container": "Manage containers",
    "context": "Manage contexts",
    "image": "Manage images",
    "network": "Manage networks",
    "system": "Manage Windlass",
    "volume": "Manage volumes",
}

# Short spellings at the top level: the word and the verb's path.
TOP: dict[str, str] = {
    "attach": "container attach",
    "commit": "container commit",
    "cp": "container cp",
    "create": "container create",
    "diff": "container diff",
    "events": "system events",
    "exec": "container exec",
    "export": "container export",
    "history": "image history",
    "images": "image ls",
    "import": "image import",
    "info": "system info",
    "kill": "container kill",
    "load": "image load",
    "logs": "container logs",
    "pause": "container pause",
    "port": "container port",
    "ps": "container ls",
    "pull": "image pull",
    "rename": "container rename",
    "restart": "container restart",
    "rm": "container rm",
    "rmi": "image rm",
    "run": "container run",
    "save": "image save",
    "start": "container start",
    "stats": "container stats",
    "stop": "container stop",
    "tag": "image tag",
    "top": "container top",
    "unpause": "container unpause",
    "update": "container update",
    "wait": "container wait",
}

# Other words for the same path.
ALIASES = {
    "container list": "container ls",
    "container ps": "container ls",
    "container remove": "container rm",
    "context list": "context ls",
    "context remove": "context rm",
    "image list": "image ls",
    "image remove": "image rm",
    "network list": "network ls",
    "network remove": "network rm",
    "volume list": "volume ls",
    "volume remove": "volume rm",
}


def resolve(words: list[str]) -> tuple[str, str, list[str]]:
    """Find the verb the first words name.

    Returns (the verb's canonical path, the path as it was reached, the remaining words); the canonical path is the
    name of a group, or empty, when the words stop short of a verb or name none.
    """
    if not words:
        return "", "", words
    first = words[0]
    if first in GROUPS:
        path = f"{first} {words[1]}" if len(words) > 1 else ""
        path = ALIASES.get(path, path)
        return (path, path, words[2:]) if path in VERBS else (first, first, words[1:])
    path = TOP.get(first, first)
    return (path, first, words[1:]) if path in VERBS else ("", "", words)


def spellings(path: str) -> list[str]:
    """Return every way to write the verb at `path`, the canonical one first."""
    others = [alias for alias, target in ALIASES.items() if target == path]
    short = [word for word, target in TOP.items() if target == path]
    return [path, *others, *short]


def load(path: str) -> Command:
    """Import the verb's module and return its command."""
    module = __import__(f"windlass.cli.verbs.{VERBS[path][0]}", fromlist=["COMMAND"])
    command: Command = module.COMMAND
    return command
