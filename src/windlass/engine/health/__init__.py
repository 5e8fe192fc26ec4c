"""Health checks: what to run in a container and when, what its outcomes come to, and what follows from them."""
