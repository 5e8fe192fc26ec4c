"""Processes of containers as `ps` shows them, read from the host's /proc: no program is run."""
