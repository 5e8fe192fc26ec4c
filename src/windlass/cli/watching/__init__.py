"""The full-screen view of all containers: samples in, frames out, keys between."""
