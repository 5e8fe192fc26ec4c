"""`system prune`: remove everything that is not used."""

from __future__ import annotations

from windlass.cli.command import Command, none
from windlass.cli.confirming import confirmed
from windlass.cli.errors import CliError
from windlass.cli.filters import filter_flag
from windlass.cli.flags import switch
from windlass.cli.pruning import (
    prune_build_cache,
    prune_containers,
    prune_images,
    prune_networks,
    prune_volumes,
    report,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, _arguments: list[str]) -> int:
    """Remove it, once confirmed."""
    filters, every, volumes = values.items("filter"), values.on("all"), values.on("volumes")
    names = {item[0] for item in filters if isinstance(item, tuple)}
    if volumes and "until" in names:
        raise CliError('ERROR: The "until" filter is not supported with "--volumes"')
    if not values.on("force") and not confirmed(context, _warning(filters, every=every, volumes=volumes)):
        return 0
    results = [prune_containers(context, filters), prune_networks(context, filters)]
    if volumes:
        results.append(prune_volumes(context, filters))
    results.append(prune_images(context, filters, every=every))
    results.append(prune_build_cache(context, filters, every=every))
    report(context, results)
    return 0


def _warning(filters: list[object], *, every: bool, volumes: bool) -> str:
    items = ["all stopped containers", "all networks not used by at least one container"]
    if volumes:
        items.append("all anonymous volumes not used by at least one container")
    items.append("all images without at least one container associated to them" if every else "all dangling images")
    items.append("all build cache" if every else "unused build cache")
    text = "This will remove:\n" + "".join(f"  - {item}\n" for item in items)
    if filters:
        text += "\n  Items to be pruned will be filtered with:\n"
        text += "".join(f"  - {item[0]}={item[1]}\n" for item in filters if isinstance(item, tuple))
    return text


COMMAND = Command(
    "[OPTIONS]",
    run,
    rule=none,
    flags=(
        switch("all", "Remove all unused images not just dangling ones", "a"),
        filter_flag('Provide filter values (e.g. "label=<key>=<value>")', ""),
        switch("force", "Do not prompt for confirmation", "f"),
        switch("volumes", "Prune anonymous volumes"),
    ),
    examples="windlass system prune -af --volumes",
)
