"""Tables and `--format` of our command line beside the stock one, on the same engine: the same text, the same code."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.daemon import DOCKER, PrivateDaemon

RECORDED_VERSION = "28."


def _stock_version() -> str:
    if DOCKER is None:
        return ""
    return subprocess.run([DOCKER, "--version"], capture_output=True, text=True, check=False).stdout


pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(
        f"version {RECORDED_VERSION}" not in _stock_version(), reason=f"no docker CLI {RECORDED_VERSION}x on this host"
    ),
]

# One call a line, its words between blanks, a template in the last one.
CALLS = """
ps -a
ps -aq
ps -a --no-trunc
ps -as
ps -l
ps --filter name=fmt-a
ps --filter nonsense=x
ps --filter nonsense
ps surplus
container ls -a
images
images -q
images --no-trunc
images --digests
image ls --filter dangling=true
volume ls
volume ls -q
network ls
network ls --no-trunc
history fmt-image
inspect nosuch
top nosuch
logs --since nonsense fmt-a
port fmt-a 80
rename fmt-a
tag fmt-image Bad
stop --signal NONSENSE fmt-a
stats --no-stream nosuch
exec fmt-b true
update --restart nonsense fmt-a
run --rm --restart always fmt-image
run --name fmt-a fmt-image true
""".strip().splitlines()

PS_FORMATS = (
    "{{.ID}} {{.Image}} {{.Command}} {{.CreatedAt}} {{.State}} {{.Names}} {{.Labels}} {{.Mounts}} {{.Networks}}",
    "table {{.Names}}\\t{{.Image}}\\t{{.State}}\\t{{.LocalVolumes}}",
    'table {{.Label "fmt.one-two"}}\t{{upper .Names}}',
    '{{.Label "fmt.one-two"}}{{range split .Names "-"}}[{{.}}]{{end}}{{title .Names}}',
    "{{json .}}",
    "json",
    "table",
    "raw",
    "table{{.Names}}",
    '{{if eq .State "running"}}{{.Names}}{{else if .Labels}}labelled{{else}}-{{end}}',
    '{{printf "%-12s|%5.2f|%q" .Names 3.14159 .Image}}',
    "{{with .Labels}}{{len .}}{{else}}none{{end}} {{truncate .ID 3}} {{pad .Names 1 2}}|",
    '{{define "n"}}<{{.Names}}>{{end}}{{template "n" .}}{{- /* trimmed */ -}}  x',
    "{{$n := .Names}}{{and $n (not .Labels)}} {{or .Labels $n | lower | println}}",
    "{{.Nonsense}}",
    "{{.Label}}",
    "{{.Names.x}}",
)

INSPECT_FORMATS = (
    "{{.Name}} {{.State.Status}} {{.Config.Env}} {{.Config.Labels}}",
    "{{json .Config.Labels}} {{json .State.Running}} {{json .NetworkSettings.Ports}}",
    "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}",
    '{{index .Config.Labels "fmt.one-two"}} {{index .Config.Env 0}} {{slice .Id 0 4}}',
    '{{join .Config.Env ","}} {{len .Config.Env}} {{.Config.Labels.nonsense}}',
    "{{range .Config.Env}}{{if eq . `A=1`}}{{continue}}{{end}}{{.}}{{break}}{{end}}",
    '{{printf "%v %d %t %T" .State.ExitCode .RestartCount .State.Paused .Name}}',
    "{{html .Name}} {{js `<a>`}} {{urlquery `a b`}} {{print 1 2 `x`}}",
    "{{.Nonsense}}",
    "{{.Config.Env.Nonsense}}",
    "{{upper 3}}",
    "{{lt 1}}",
    "{{if}}",
    "{{nonsense .Name}}",
    "{{index .Config.Env 99}}",
)

WORDS = [
    *(call.split() for call in CALLS),
    *(["ps", "-a", "--format", template] for template in PS_FORMATS),
    *(["inspect", "-f", template, "fmt-a"] for template in INSPECT_FORMATS),
    ["volume", "ls", "--format", '{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Label "q"}}'],
    ["network", "ls", "--format", "{{.ID}} {{.Name}} {{.Driver}} {{.Internal}} {{.CreatedAt}}"],
    ["images", "--format", "{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}} {{.CreatedAt}} {{.Size}}"],
    ["images", "--format", "{{"],
    ["volume", "ls", "--format", "{{"],
]


@pytest.fixture(scope="module")
def furnished(engine: PrivateDaemon) -> Iterator[PrivateDaemon]:
    """An engine with something in every listing."""
    engine.docker("tag", "busybox", "fmt-image:1")
    engine.docker("tag", "busybox", "fmt-image")
    labels = ["--label", "fmt.one-two=x y", "--label", "b=2"]
    run = ["run", "-d", "--network", "none", "-e", "A=1", "-e", "B=a b", *labels, "--name", "fmt-a", "fmt-image:1"]
    engine.docker(*run, "sleep", "600")
    engine.docker("create", "--name", "fmt-b", "-v", "fmt-volume:/v", "fmt-image", "sh", "-c", "echo a long command")
    engine.docker("volume", "create", "--label", "q=w", "fmt-labelled")
    yield engine
    engine.docker("rm", "-fv", "fmt-a", "fmt-b")
    engine.docker("rmi", "fmt-image:1", "fmt-image")
    engine.docker("volume", "rm", "fmt-volume", "fmt-labelled")


def _timeless(text: str) -> str:
    """Take out how long ago things were, which goes on between two calls, and the widths that hang on it."""
    shown = re.sub(r"(Less than a second|\d+ seconds?|About a minute|\d+ minutes)( ago)?", "T", text)
    return text if shown == text else re.sub(r" {2,}", "  ", shown)


def test_every_listing_and_format_reads_the_same(furnished: PrivateDaemon) -> None:
    def both(words: list[str]) -> tuple[tuple[object, ...], tuple[object, ...]]:
        results = []
        for client in (furnished.docker, furnished.windlass):
            done = client(*words, check=False)
            results.append((done.returncode, _timeless(done.stdout), done.stderr.replace("docker", "windlass")))
        return results[0], results[1]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(both, WORDS))
    different = {" ".join(words): pair for words, pair in zip(WORDS, found, strict=True) if pair[0] != pair[1]}
    assert not different
