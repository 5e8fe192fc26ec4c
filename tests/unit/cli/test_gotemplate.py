"""Go templates over the engine's JSON; the results were compared with the stock command line's."""

from __future__ import annotations

import pytest

from windlass.cli.gotemplate import ExecutionError, ParseError, Template
from windlass.cli.gotemplate.values import typed

CONTAINER = typed(
    {
        "Name": "/x",
        "Config": {"Labels": {"b": "2", "a.b-c": "1"}, "Env": ["A=1", "B"], "Entrypoint": None, "Volumes": None},
        "State": {"Status": "running", "Running": True, "ExitCode": 0},
        "HostConfig": {"Memory": 0, "PidsLimit": None},
        "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None}},
        "Mounts": [],
    }
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Name}}", "/x"),
        ("{{json .Config}}", '{"Labels":{"a.b-c":"1","b":"2"},"Env":["A=1","B"],"Entrypoint":null,"Volumes":null}'),
        ("{{.State}}", "{running true 0}"),
        (
            "{{.Config.Labels}} {{.Config.Env}} {{.Config.Entrypoint}} {{.Config.Volumes}}",
            "map[a.b-c:1 b:2] [A=1 B] [] map[]",
        ),
        ("{{.State.Health}} {{.HostConfig.PidsLimit}}", "<nil> <nil>"),
        ("{{.NetworkSettings.Ports}}", "map[80/tcp:[{0.0.0.0 8080}] 81/tcp:[]]"),
        ('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "8080"),
        ('{{index .Config.Labels "a.b-c"}}{{index .Config.Labels "zz"}}|{{.Config.Labels.zz}}', "1|<no value>"),
        ("{{range .Config.Env}}{{.}};{{end}}", "A=1;B;"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a.b-c=1 b=2 "),
        ("{{range .Mounts}}x{{else}}none{{end}}", "none"),
        ("{{range $i, $e := .Config.Env}}{{if $i}}{{break}}{{end}}{{$e}}{{end}}", "A=1"),
        ("{{range .Config.Env}}{{if eq . `B`}}{{continue}}{{end}}{{.}}{{end}}", "A=1"),
        ("{{if and .State.Running (eq .State.ExitCode 0)}}up{{else}}down{{end}}", "up"),
        ("{{if not .State.Running}}a{{else if gt 2 1}}b{{else}}c{{end}}", "b"),
        ("{{with .State.Health}}{{.Status}}{{else}}none{{end}}", "none"),
        ("{{with $s := .State}}{{$s.Status}}{{end}}", "running"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ('{{join .Config.Env ", " | upper}}', "A=1, B"),
        (
            '{{split "a,b" ","}} {{title "hello world"}} {{lower "ABC"}} {{truncate "abcdef" 3}}',
            "[a b] Hello World abc abc",
        ),
        ('{{printf "%-6s|%05d|%q|%v|%x|%%" .Name 42 "a" true 255}}', '/x    |00042|"a"|true|ff|%'),
        ('{{.Name | printf "%s|%v|%q" 1}}', "%!s(int=1)|/x|%!q(MISSING)"),
        ('{{println 1 "a" true}}', "1 a true\n"),
        ('{{len .Name}} {{len .Config.Env}} {{slice "abcdef" 1 3}}', "2 2 bc"),
        ("{{eq .Name `/x` `/y`}} {{ne 1 2}} {{le 1 1}} {{ge 1 2}} {{lt `a` `b`}}", "true true true false true"),
        ("{{or .Config.Entrypoint `none`}}", "none"),
        ("a {{- /* nothing */ -}} b {{- `c` -}}\n d", "abcd"),
        ("{{true}} {{'a'}} {{1.5}} {{0x10}}", "true 97 1.5 16"),
        ('{{define "x"}}[{{.}}]{{end}}{{template "x" .Name}}{{block "b" .State}}<{{.Status}}>{{end}}', "[/x]<running>"),
        ("{{js `a'<b>`}} {{'\\n'}} {{0755}} {{1e3}} {{0b101}} {{1_000}}", "a\\'\\u003Cb\\u003E 10 493 1000 5 1000"),
        ('{{printf "%*d|%[2]d %[1]d" 4 7}}', "   7|7 4"),
        ('{{printf "%U %#v %q" 65 "a" .Config.Env}}', 'U+0041 "a" ["A=1" "B"]'),
        ('{{"\\101\\x42"}}{{.Config.Labels.no.more}}', "AB<no value>"),
        ("{{json .Name}} {{html `<a>`}} {{urlquery `a b&c`}}", '"/x" &lt;a&gt; a+b%26c'),
    ],
)
def test_renders(template: str, text: str) -> None:
    assert Template(template).render(CONTAINER) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Foo", "template: :1: unclosed action"),
        ("{{foo .Foo}}", 'template: :1: function "foo" not defined'),
        ("{{if}}", "template: :1: missing value for if"),
        ("{{range .Config.Env}}", "template: :1: unexpected EOF"),
        ("x\n{{end}}", "template: :2: unexpected {{end}}"),
        ("{{$x}}", 'template: :1: undefined variable "$x"'),
        ("{{'ab'}}", "template: :1: malformed character constant: 'ab'"),
        ('{{"a}}', "template: :1: unterminated quoted string"),
    ],
)
def test_malformed_templates(template: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        Template(template)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Foo}}", 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'),
        ("{{.State.Foo}}", 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"'),
        ("{{len .Foo}}", 'template: :1:6: executing "" at <.Foo>: map has no entry for key "Foo"'),
        (
            "{{.State.Health.Status}}",
            'template: :1:8: executing "" at <.State.Health.Status>: map has no entry for key "Health"',
        ),
        (
            "{{index .Config.Env 7}}",
            'template: :1:2: executing "" at <index .Config.Env 7>: error calling index: index out of range: 7',
        ),
        (
            "{{eq .Name 1}}",
            'template: :1:2: executing "" at <eq .Name 1>: error calling eq: incompatible types for comparison',
        ),
        ("{{template `no`}}", 'template: :1:11: executing "" at <{{template "no"}}>: template "no" not defined'),
        ("{{lt 1}}", 'template: :1:2: executing "" at <lt>: wrong number of args for lt: want 2 got 1'),
        ("{{and}}", 'template: :1:2: executing "" at <and>: wrong number of args for and: want at least 1 got 0'),
        ("{{upper 3}}", 'template: :1:8: executing "" at <3>: expected string; found 3'),
        (
            '{{join .Name ","}}',
            'template: :1:7: executing "" at <.Name>: wrong type for value; expected []string; got string',
        ),
        ("{{nil}}", 'template: :1:2: executing "" at <nil>: nil is not a command'),
        (
            "{{eq 1 1.0}}",
            'template: :1:2: executing "" at <eq 1 1.0>: error calling eq: incompatible types for comparison',
        ),
        ("{{.Name.x}}", 'template: :1:7: executing "" at <.Name.x>: can\'t evaluate field x in type interface {}'),
    ],
)
def test_templates_that_do_not_suit_the_value(template: str, message: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        Template(template).render(CONTAINER)
    assert str(caught.value) == message


def test_a_template_that_calls_itself_ends() -> None:
    with pytest.raises(ExecutionError, match="exceeded maximum template depth"):
        Template('{{define "x"}}{{template "x"}}{{end}}{{template "x"}}').render(CONTAINER)
