"""`python3 -m bench`, and the file that `bench/run` executes with `-I`, when nothing is on the path yet."""

import sys

if not __package__:
    sys.path.insert(0, __file__[: -len("/bench/__main__.py")])

from bench.main import main

sys.exit(main())
