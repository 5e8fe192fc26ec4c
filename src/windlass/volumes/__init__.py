"""Volumes on the local disk."""
