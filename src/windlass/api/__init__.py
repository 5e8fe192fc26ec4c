"""The Engine REST API face."""
