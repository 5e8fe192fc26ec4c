"""What `windlass/hello` prints."""

TEXT = """\

Hello from Windlass!
This text shows that a container was created, isolated, run and taken down on this host.

What just happened:
 1. The client asked the Windlass daemon, over its socket, to create a container from the image
    windlass/hello and to start it. The image came with Windlass; nothing was downloaded.
 2. The daemon compiled the request into a launch plan, a flat list of steps, gave the container
    an address on its network, and sent the plan to the zygote, whose only job is to fork.
 3. The zygote forked a supervisor for this container. It keeps the container's streams, its log
    and its exit status, and stays even if the daemon dies.
 4. The supervisor forked init. It took up namespaces, mounted the image's layers as the root,
    hid and protected what a container must not reach, dropped capabilities, installed the
    system call filter, and executed /hello.
 5. /hello, a program of a few dozen instructions that Windlass itself emitted, wrote this text.
    The supervisor passed it to your client, and is now recording exit status 0.

To go on, with images that Windlass builds from Debian's signed packages:
    windlass run --rm -it windlass/busybox sh
    windlass run --rm -it windlass/debian:bookworm bash

"""
