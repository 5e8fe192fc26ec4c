"""Zygote, supervisor, init and their wire messages."""
