"""Records anew what the stock command line makes of the cases: `python -m tests.support.record_cli`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support import request_cases
from tests.support.create_cases import ENVIRONMENT, FILES, RECORD, cases, normal, placed, words
from tests.support.engine_recorder import recording

DOCKER = "docker"


def stock_result(case: str, socket_path: str) -> dict[str, Any]:
    """Run the stock `docker create` against a recording engine; returns what it sent, or how it refused."""
    Path(socket_path).unlink(missing_ok=True)
    with recording(socket_path) as requests:
        command = [DOCKER, "-H", f"unix://{socket_path}", "create", *words(case)]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=30, check=False)
    (FILES / "cid").unlink(missing_ok=True)
    sent = [request for request in requests if request.path == "/containers/create"]
    if not sent:
        error = done.stderr.split("\n\n")[0].removeprefix("docker: ").strip()
        return {"error": placed(error), "status": done.returncode}
    return {"target": sent[0].target.partition("?")[2], "body": normal(sent[0].body)}


def stock_requests(case: str, socket_path: str) -> list[dict[str, Any]]:
    """Run the stock command line against a recording engine; returns the requests it made."""
    Path(socket_path).unlink(missing_ok=True)
    with recording(socket_path, request_cases.ANSWERS) as requests:
        command = [DOCKER, "-H", f"unix://{socket_path}", *request_cases.words(case)]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=30, check=False)
    return request_cases.compared(list(requests))


def write(path: Path, results: dict[str, Any]) -> None:
    """Write a record, a line for each case."""
    lines = [f"{json.dumps(case)}: {json.dumps(result, sort_keys=True)}" for case, result in sorted(results.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    """Write both records."""
    with tempfile.TemporaryDirectory() as directory:
        results = {}
        for case in cases():
            results[case] = stock_result(case, f"{directory}/engine.sock")
        requests = {case: stock_requests(case, f"{directory}/engine.sock") for case in request_cases.cases()}
    write(RECORD, results)
    write(request_cases.RECORD, requests)


if __name__ == "__main__":
    main()
