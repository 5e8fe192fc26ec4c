"""Asking a network interface whether it has a link, which also makes it so.

A carrier that came up takes effect in a kernel thread some time later: until then the interface drops what it should
send, and a bridge leaves its port shut. ETHTOOL_GLINK does that thread's work for the interface before it answers.

Source: Linux net/ethtool/ioctl.c (ethtool_op_get_link), net/core/link_watch.c; netdevice(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import socket

_SIOCETHTOOL = 0x8946
_ETHTOOL_GLINK = 0x0000000A
_IFNAMSIZ = 16


class _Value(ctypes.Structure):
    """struct ethtool_value."""

    _fields_ = (("cmd", ctypes.c_uint32), ("data", ctypes.c_uint32))


class _Request(ctypes.Structure):
    """struct ifreq with ifr_data; padded to its full size."""

    _fields_ = (("name", ctypes.c_char * _IFNAMSIZ), ("data", ctypes.c_void_p), ("rest", ctypes.c_char * 16))


def settle_link(sock: socket.socket, name: str) -> bool:
    """Let a changed carrier of interface `name` take effect, and tell whether the interface has a link.

    Any open socket of the interface's network namespace will do, a netlink socket too.

    Raises:
        OSError: ENODEV when there is no such interface.
    """
    value = _Value(_ETHTOOL_GLINK, 0)
    request = _Request(name.encode(), ctypes.addressof(value), b"")
    fcntl.ioctl(sock, _SIOCETHTOOL, request)
    return bool(value.data)
