"""Containers: a table of them, and a file for each verb."""
