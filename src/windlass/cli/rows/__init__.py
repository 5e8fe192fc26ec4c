"""The rows that listings show, one class for each kind of object."""
