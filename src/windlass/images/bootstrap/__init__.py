"""Images made on this host from Debian's signed packages, for hosts with no registry in reach.

The recipes run apt, dpkg-deb and debootstrap, so they are a program of their own and never run inside the daemon:

    python -I -m windlass.images.bootstrap windlass/busybox --output layer.tar

writes one layer as an uncompressed tar, progress as lines on standard error, and on standard output one JSON object:
`Names` (references to tag), `Architecture` (in Go's spelling), `Created` (RFC 3339), `Config` (OCI image config: Cmd,
Env, Labels with the package versions).
"""

RECIPES: dict[str, tuple[str, ...]] = {
    "windlass/busybox": ("windlass/busybox:latest",),
    "windlass/debian": ("windlass/debian:bookworm", "windlass/debian:latest"),
}
"""References that each recipe makes, by the recipe's name."""


def recipe_for(reference: str) -> str | None:
    """Return the recipe that makes the image `reference` ("latest" where it has no tag), or None."""
    full = reference if ":" in reference else f"{reference}:latest"
    for recipe, references in RECIPES.items():
        if full in references:
            return recipe
    return None
