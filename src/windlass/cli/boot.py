"""Starting the program's other parts, which need packages that this process may not even have on its path."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# Isolated: nothing of the caller's environment or directory reaches the imports of what runs as root.
_BOOT = "import sys; sys.path.insert(0, {root!r}); sys.argv[0] = {name!r}; from {module} import main; sys.exit(main())"


def python_command(module: str, name: str, arguments: list[str], directory: str = "") -> list[str]:
    """Return the command that runs `main` of a module of ours, in `directory` or in ours, calling itself `name`."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = _BOOT.format(root=root, name=name, module=module)
    if directory:
        code = f"import os; os.chdir({directory!r}); {code}"
    return [sys.executable, "-I", "-c", code, *arguments]


def replace_process(module: str, name: str, arguments: list[str]) -> NoReturn:
    """Become that program."""
    os.execv(sys.executable, python_command(module, name, arguments))
