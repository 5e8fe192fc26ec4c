"""Networks: bridges, endpoints, address management, published ports.

Synchronous code for one dedicated thread of the daemon. State is in memory and in the kernel; what must outlive
the daemon goes in and out as the frozen values of `model`.
"""
