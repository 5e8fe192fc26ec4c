"""Client of the Engine API that imports next to nothing: an HTTP/1.1 connection over `_socket` and what rides on it."""
