"""`python -m windlass`, and the file that the launcher runs with `-I -S`, when only the interpreter's own path is set."""

import sys

if not __package__:
    sys.path.insert(0, __file__[: -len("/windlass/__main__.py")])

from windlass.cli.main import main

sys.exit(main())
