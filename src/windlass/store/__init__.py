"""SQLite metadata and leases."""
