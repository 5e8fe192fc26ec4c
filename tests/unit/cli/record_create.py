"""Records anew what the stock command line makes of the cases: `python tests/unit/cli/record_create.py`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from create_cases import ENVIRONMENT, RECORD, cases, normal, placed, words
from recorder import recording

DOCKER = "docker"


def stock_result(case: str, socket_path: str) -> dict[str, Any]:
    """Run the stock `docker create` against a recording engine; returns what it sent, or how it refused."""
    Path(socket_path).unlink(missing_ok=True)
    with recording(socket_path) as requests:
        command = [DOCKER, "-H", f"unix://{socket_path}", "create", *words(case)]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=30, check=False)
    sent = [request for request in requests if request.path == "/containers/create"]
    if not sent:
        error = done.stderr.split("\n\n")[0].removeprefix("docker: ").strip()
        return {"error": placed(error), "status": done.returncode}
    return {"target": sent[0].target.partition("?")[2], "body": normal(sent[0].body)}


def main() -> None:
    """Write the record."""
    with tempfile.TemporaryDirectory() as directory:
        results = {}
        for case in cases():
            results[case] = stock_result(case, f"{directory}/engine.sock")
            (RECORD.parent / "files" / "cid").unlink(missing_ok=True)
    lines = [f"{json.dumps(case)}: {json.dumps(result, sort_keys=True)}" for case, result in sorted(results.items())]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
