"""`completion`: the script that makes a shell complete our command lines."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print the script."""
    from windlass.cli.completing.scripts import SCRIPTS

    if arguments[0] not in SCRIPTS:
        raise CliError(f"no completion for {arguments[0]!r}: known are {', '.join(SCRIPTS)}")
    context.out(SCRIPTS[arguments[0]])
    return 0


COMMAND = Command(
    "bash|fish|zsh",
    run,
    rule=exactly(1),
    needs_engine=False,
    about="Print the script that makes a shell complete command lines, with the names of what is there now",
    examples="""
source <(windlass completion bash)
windlass completion zsh > "${fpath[1]}/_windlass"
windlass completion fish > ~/.config/fish/completions/windlass.fish
""",
)
