"""What others wrote and the command line reads: addresses after -H, bundles of contexts, names on the screen."""

from __future__ import annotations

import io
import tarfile

import pytest

from windlass.cli.contexts.bundle import unpacked
from windlass.cli.contexts.store import check_name
from windlass.cli.errors import CliError
from windlass.cli.watching.figures import Usage
from windlass.cli.watching.frame import Choices, frame
from windlass.client.endpoint import parse_endpoint
from windlass.client.errors import BadEndpoint


@pytest.mark.parametrize(
    "text",
    [
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-oProxyCommand=x@far",
        "ssh://far:port",
        "ssh://me:secret@far",
        "ssh://@far",
        "ssh://far`id`",
        "ssh://$(id)@far",
        "ssh://far/run/$(id)",
        "ssh://far/x'; id; '",
        "ssh://far?x=y",
    ],
)
def test_what_could_be_an_option_or_a_command_is_refused(text: str) -> None:
    with pytest.raises(BadEndpoint, match="invalid ssh URL"):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tls/docker/../../../x.pem", tarfile.REGTYPE),
        ("/etc/cron.d/x", tarfile.REGTYPE),
        ("tls/docker/ca.pem", tarfile.SYMTYPE),
        ("tls/swarm/ca.pem", tarfile.REGTYPE),
    ],
)
def test_a_bundle_cannot_name_other_files(name: str, kind: bytes) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/shadow" if kind == tarfile.SYMTYPE else ""
        tar.addfile(entry)
    with pytest.raises(CliError, match="unexpected context file"):
        unpacked(out.getvalue())


@pytest.mark.parametrize("name", ["x", "../../etc", "a b", "-x", "", "default"])
def test_names_that_no_context_has(name: str) -> None:
    with pytest.raises(CliError):
        check_name(name)


def test_names_cannot_draw() -> None:
    evil = Usage("id", "", "img", "Up")
    evil.name = "a\x1b[2Jb\nc"
    assert all("\x1b[2J" not in line and "\n" not in line for line in frame([evil], 1, "", Choices(), 24, 80))
