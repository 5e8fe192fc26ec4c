"""Composition root of windlassd: configuration, wiring, listeners, signals."""
