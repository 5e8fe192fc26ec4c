"""A virtual machine that runs a command of this checkout under a kernel with cgroup v2 alone.

The kernel is Debian's for clouds, from the host's apt. The root file system is the host's own, read only over virtiofs
below an overlay, so that interpreter, packages, checkout and programs are those of the host, at the same paths: no
image is built, and a boot takes seconds even without KVM. `$TMPDIR` lies on a fresh ext4 disk, gone at the end.
"""
