"""Parts of the OCI runtime command line."""
