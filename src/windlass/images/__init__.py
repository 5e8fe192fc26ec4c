"""Resolve, pull, load, save and import images."""
