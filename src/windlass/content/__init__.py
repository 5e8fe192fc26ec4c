"""Content-addressed blobs: ingest, commit, verified read."""
