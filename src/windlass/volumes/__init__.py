"""The local volume driver: directories of the host."""
