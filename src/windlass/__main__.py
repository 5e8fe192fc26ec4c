"""`python -m windlass`, and the file that the launcher runs with `-I -S`, with nothing of ours on the path yet."""

import sys

if not __package__:
    sys.path.insert(0, __file__[: -len("/windlass/__main__.py")])

if sys.argv[1:2] == ["runtime"]:
    # Not by way of the client, whose imports an engine would pay for at every step of every container.
    del sys.argv[1]
    from windlass.runtime.main import main
else:
    from windlass.cli.main import main

main()
