"""Log options as they are refused and understood, in dockerd's words."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.log_options import (
    Rotation,
    cache_rotation,
    check_log_options,
    complete_log,
    go_duration_ns,
    log_size,
    rotation,
)
from windlass.engine.containers.log_tags import FIELDS, expand_tag
from windlass.engine.settings import EngineSettings
from windlass.spec.container import HostConfig, LogConfig

_UDP = {"gelf-address": "udp://127.0.0.1:1"}
_TCP = {"gelf-address": "tcp://127.0.0.1:1"}


# The texts are those of dockerd 20.10 for the same options.
@pytest.mark.parametrize(
    ("driver", "options", "text"),
    [
        ("splunk", {}, "logger: no log driver named 'splunk' is registered"),
        ("json-file", {"x": "1"}, "unknown log opt 'x' for json-file log driver"),
        ("json-file", {"max-size": "foo"}, "invalid size: 'foo'"),
        ("json-file", {"max-file": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("json-file", {"max-file": "0"}, "max-file cannot be less than 1"),
        ("json-file", {"compress": "maybe"}, 'strconv.ParseBool: parsing "maybe": invalid syntax'),
        (
            "json-file",
            {"compress": "true"},
            "compress cannot be true when max-file is less than 2 or max-size is not set",
        ),
        ("json-file", {"mode": "odd"}, "logger: logging mode not supported: odd"),
        (
            "json-file",
            {"max-buffer-size": "1m"},
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ),
        (
            "json-file",
            {"max-buffer-size": "x", "mode": "non-blocking"},
            "error parsing option max-buffer-size: invalid size: 'x'",
        ),
        ("json-file", {"tag": "{{"}, "template: log-tag:1: unclosed action"),
        (
            "json-file",
            {"tag": "{{.Foo}}"},
            'template: log-tag:1:2: executing "log-tag" at <.Foo>: can\'t evaluate field Foo in type *logger.Info',
        ),
        ("local", {"x": "1"}, "unknown log opt 'x' for log driver local"),
        ("local", {"max-size": "-1"}, "invalid value for max-size: -1: invalid size: '-1'"),
        ("local", {"max-file": "1", "compress": "true"}, "compression cannot be enabled when max file count is 1"),
        (
            "local",
            {"compress": "x"},
            'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax',
        ),
        ("syslog", {"x": "1"}, "unknown log opt 'x' for syslog log driver"),
        ("syslog", {"syslog-address": "foo"}, "syslog-address should be in form proto://address, got foo"),
        ("syslog", {"syslog-address": "unix:///nope"}, "stat /nope: no such file or directory"),
        ("syslog", {"syslog-facility": "99"}, "invalid syslog facility"),
        ("syslog", {"syslog-format": "x"}, "Invalid syslog format"),
        ("syslog", {"cache-disabled": "x"}, "invalid value for option cache-disabled: x"),
        ("journald", {"x": "1"}, "unknown log opt 'x' for journald log driver"),
        (
            "fluentd",
            {"fluentd-address": "127.0.0.1:x"},
            'invalid fluentd-address 127.0.0.1:x: strconv.Atoi: parsing "x": invalid syntax',
        ),
        ("fluentd", {"fluentd-retry-wait": "5"}, 'time: missing unit in duration "5"'),
        ("fluentd", {"fluentd-retry-wait": "x"}, 'time: invalid duration "x"'),
        ("fluentd", {"fluentd-max-retries": "-1"}, 'strconv.ParseUint: parsing "-1": invalid syntax'),
        (
            "fluentd",
            {"fluentd-async": "true", "fluentd-async-connect": "true"},
            "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect'",
        ),
        ("gelf", {}, "gelf-address is a required parameter"),
        ("gelf", {"gelf-address": "foo"}, "gelf-address should be in form proto://address, got foo"),
        ("gelf", {"gelf-address": "udp://x"}, "gelf: please provide gelf-address as proto://host:port"),
        (
            "gelf",
            {**_UDP, "gelf-compression-level": "10"},
            'unknown value "10" for log opt "gelf-compression-level" for gelf log driver',
        ),
        ("gelf", {**_UDP, "gelf-tcp-max-reconnect": "1"}, '"gelf-tcp-max-reconnect" is only valid for TCP'),
        ("gelf", {**_TCP, "gelf-compression-type": "gzip"}, "compression is only supported on UDP"),
        (
            "gelf",
            {**_TCP, "gelf-tcp-reconnect-delay": "x"},
            '"gelf-tcp-reconnect-delay" must be a positive integer',
        ),
    ],
)
def test_what_is_refused(driver: str, options: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_log_options(driver, options)
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("none", {"anything": "goes"}),
        ("json-file", {"max-size": "1t", "labels-regex": "^a", "mode": "non-blocking", "max-buffer-size": "4m"}),
        ("syslog", {"syslog-address": "tcp+tls://[::1]:6514", "syslog-facility": "23"}),
        ("syslog", {"syslog-address": "udp://host", "cache-max-size": "1m", "cache-max-file": "2"}),
        ("fluentd", {"fluentd-address": "unix:///run/fluent.sock", "fluentd-retry-wait": "1.5s"}),
        ("gelf", {**_UDP, "gelf-compression-type": "none", "gelf-compression-level": "-1"}),
    ],
)
def test_what_is_taken(driver: str, options: dict[str, str]) -> None:
    check_log_options(driver, options)


def test_rotation_is_the_rule() -> None:
    assert rotation({"max-size": "10m", "max-file": "5"}, "json-file") == Rotation(10 << 20, 5, compress=True)
    assert rotation({"max-size": "10m", "max-file": "5", "compress": "false"}, "json-file").compress is False
    assert rotation({}, "json-file") == Rotation(0, 1, compress=False)
    assert rotation({}, "local") == Rotation(20 << 20, 5, compress=True)
    assert cache_rotation({"cache-max-size": "1m", "cache-compress": "false"}) == Rotation(1 << 20, 5, compress=False)
    assert cache_rotation({"cache-disabled": "true"}) is None


@pytest.mark.parametrize(
    ("given", "default", "expected"),
    [
        (LogConfig(), "json-file", {"max-size": "1m"}),
        (LogConfig("json-file", {"max-file": "2"}), "json-file", {"max-size": "1m", "max-file": "2"}),
        (LogConfig("json-file"), "local", {"max-size": "10m", "max-file": "5"}),
        (LogConfig("local"), "json-file", {}),
        (LogConfig("none"), "json-file", {}),
    ],
)
def test_the_daemon_s_options_are_its_driver_s(given: LogConfig, default: str, expected: dict[str, str]) -> None:
    host = HostConfig(log_config=given)
    complete_log(host, EngineSettings("0", "/d", "/r", log_driver=default, log_options={"max-size": "1m"}))
    assert host.log_config.config == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("-1", 0),
        ("100", 100),
        ("10k", 10240),
        ("10m", 10 << 20),
        ("1G", 1 << 30),
        ("2kb", 2048),
        ("1t", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert log_size(text) == size


@pytest.mark.parametrize("text", ["x", "1z", "m", "-5"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid size"):
        log_size(text)


@pytest.mark.parametrize(("text", "ns"), [("1s", 10**9), ("1m30s", 90 * 10**9), ("1.5ms", 1_500_000), ("0", 0)])
def test_durations(text: str, ns: int) -> None:
    assert go_duration_ns(text) == ns


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("plain", "plain"),
        ("{{.Name}}/{{ .ID }}", "Name/ID"),
        ("{{upper .Name}}-{{truncate .FullID 2}}", "NAME-Fu"),
        ("a {{- .Name -}} b", "aNameb"),
        ('{{.Name | lower | print}}{{print "x y"}}', "namex y"),
    ],
)
def test_tags(template: str, tag: str) -> None:
    assert expand_tag(template, {name: name for name in FIELDS}) == tag


@pytest.mark.parametrize("template", ["{{}}", "{{ .Name | }}", "{{foo .ID}}", "{{upper}}", "{{truncate .ID .ID}}"])
def test_no_tags(template: str) -> None:
    with pytest.raises(InvalidParameter, match="template: log-tag"):
        expand_tag(template, dict.fromkeys(FIELDS, "x"))
