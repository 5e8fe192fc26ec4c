"""One verb a file; each defines COMMAND."""
