"""The `windlass` command: a thin client of the Engine API that speaks as the `docker` command does."""
