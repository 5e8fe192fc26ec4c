"""Tar: reading, applying safely, diffing, compressing."""
