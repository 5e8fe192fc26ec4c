"""Layered root filesystems as mounts, which are returned and never mounted here."""
