"""`cp`: files between this host and a container, as tar archives both ways."""
