"""Every syscall, ioctl, prctl and kernel constant; the only room with ctypes."""
