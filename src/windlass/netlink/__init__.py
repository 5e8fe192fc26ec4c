"""Netlink codec: rtnetlink and nf_tables."""
