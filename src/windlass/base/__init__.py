"""Error kinds, ids, clock, units, logging."""
