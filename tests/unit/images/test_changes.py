"""Instructions of `docker import --change`."""

from __future__ import annotations

import pytest

from windlass.images.changes import InvalidChange, apply_changes
from windlass.images.words import expand, split_words


def test_commands_in_both_forms() -> None:
    assert apply_changes(["CMD echo $HOME"]).cmd == ["/bin/sh", "-c", "echo $HOME"]
    assert apply_changes(['ENTRYPOINT ["a", "b c"]']).entrypoint == ["a", "b c"]
    assert apply_changes(["CMD [not json"]).cmd == ["/bin/sh", "-c", "[not json"]


def test_environment_in_both_forms_with_variables() -> None:
    config = apply_changes(['ENV A=1 B="x y" C=$A', "ENV D the rest ${A}", "ENV A=2", r"ENV E=\$A F='$A' G=${N:-d}"])
    assert config.env == ["A=2", "B=x y", "C=", "D=the rest 1", "E=$A", "F=$A", "G=d"]


def test_labels_ports_volumes_and_the_rest() -> None:
    config = apply_changes(
        [
            'LABEL a=b "c d"="e f"',
            "EXPOSE 80 53/udp 8000-8001",
            'VOLUME ["/a", "/b c"]',
            "VOLUME /d",
            "WORKDIR /w",
            "workdir x",
            "USER me:us",
            "STOPSIGNAL SIGINT",
            "ONBUILD RUN true",
        ]
    )
    assert config.labels == {"a": "b", "c d": "e f"}
    assert set(config.exposed_ports or ()) == {"80/tcp", "53/udp", "8000/tcp", "8001/tcp"}
    assert set(config.volumes or ()) == {"/a", "/b c", "/d"}
    assert config.working_dir == "/w/x"
    assert (config.user, config.stop_signal, config.on_build) == ("me:us", "SIGINT", ["RUN true"])


def test_health_checks() -> None:
    config = apply_changes(["HEALTHCHECK --interval=5s --timeout=1m30s --retries=3 CMD curl -f x"])
    assert config.healthcheck is not None
    assert config.healthcheck.test == ["CMD-SHELL", "curl -f x"]
    assert (config.healthcheck.interval, config.healthcheck.timeout) == (5_000_000_000, 90_000_000_000)
    assert config.healthcheck.retries == 3
    none = apply_changes(["HEALTHCHECK NONE"]).healthcheck
    assert none is not None
    assert none.test == ["NONE"]
    listed = apply_changes(['HEALTHCHECK CMD ["a", "b"]']).healthcheck
    assert listed is not None
    assert listed.test == ["CMD", "a", "b"]


def test_several_lines_and_comments() -> None:
    config = apply_changes(["ENV A=1\n# no\nENV B=2 \\\n C=3\n"])
    assert config.env == ["A=1", "B=2", "C=3"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("FROM x", "from is not a valid change command"),
        ("RUN x", "run is not a valid change command"),
        ("EXPOSE abc", "invalid containerPort: abc"),
        ("EXPOSE 70000", "invalid containerPort: 70000"),
        ("CMD", "CMD requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV A=1 B", "Syntax error - can't find = in 'B'. Must be of the form: name=value"),
        ("ENV =1", "ENV names can not be blank"),
        ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK FOO", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK --interval=x CMD a", 'time: invalid duration "x"'),
        ("HEALTHCHECK --interval=1us CMD a", 'Interval "interval" cannot be less than 1ms'),
        ("STOPSIGNAL not/a/signal", "invalid signal: not/a/signal"),
    ],
)
def test_refused(change: str, message: str) -> None:
    with pytest.raises(InvalidChange) as raised:
        apply_changes([change])
    assert raised.value.message == message


def test_words() -> None:
    assert split_words(r"""a "b c" d\ e 'f g'h""") == ["a", '"b c"', r"d\ e", "'f g'h"]
    env = {"A": "1", "EMPTY": ""}
    assert expand('"$A ${A} $NONE"x', env) == "1 1 x"
    assert expand("'$A'", env) == "$A"
    assert expand(r"\$A \"", env) == '$A "'
    assert expand("${EMPTY:-d}${A:+y}${EMPTY:+n}", env) == "dy"
    assert expand("$ $1 ${bad", env) == "$ $1 ${bad"
