"""Netlink without libraries: a codec, a connection, rtnetlink, nf_tables and conntrack.

`codec` is pure (bytes in, bytes out); `connection` does the only I/O; the other modules build requests and
read replies. A connection works over any open netlink socket, so one that was opened inside another network
namespace and received as a descriptor configures that namespace.
"""
