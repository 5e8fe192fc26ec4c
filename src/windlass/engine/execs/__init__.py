"""Additional processes in running containers."""
