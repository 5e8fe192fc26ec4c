"""`python -m windlass`, and the file that the launcher runs with `-I -S`, with nothing of ours on the path yet."""

import sys

if not __package__:
    sys.path.insert(0, __file__[: -len("/windlass/__main__.py")])

from windlass.cli.main import main

main()
