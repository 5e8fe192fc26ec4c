"""The table of routes, a file for each noun."""
