"""A container's files as a worker process reaches them: copied, compared, packed."""
