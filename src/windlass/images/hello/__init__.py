"""The image `windlass/hello`, which ships inside the package: its program and its OCI documents are emitted here."""

from windlass.images.hello.image import HelloImage, build_hello

__all__ = ["HelloImage", "build_hello"]
