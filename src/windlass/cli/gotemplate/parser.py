"""Tokens to nodes.

Source: https://pkg.go.dev/text/template#hdr-Actions, #hdr-Arguments and #hdr-Pipelines
"""

from __future__ import annotations

from windlass.cli.gotemplate import lexer as lex
from windlass.cli.gotemplate.errors import ParseError
from windlass.cli.gotemplate.lexer import Lexer, Token, line_of
from windlass.cli.gotemplate.nodes import (
    Action,
    Branch,
    Command,
    Dot,
    Field,
    Function,
    Invocation,
    Jump,
    Literal,
    Node,
    Pipeline,
    Text,
    Variable,
)
from windlass.cli.gotext import parse_int, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_BRANCHES = ("if", "with", "range")
_JUMPS = ("break", "continue")
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "nil": None}


def parse(name: str, source: str, functions: Container[str], named: dict[str, list[Node]]) -> list[Node]:
    """Parse a template in which `functions` are known; what it defines goes to `named`. Raises ParseError."""
    parser = _Parser(name, source, functions, named)
    nodes, ended_by = parser.block(("",))
    assert ended_by == ""
    return nodes


def _float(text: str) -> int | float:
    """Return a constant with a fraction or an exponent; a whole one is an integer, as Go's ideal constants are."""
    value = float(text)
    exact = value.is_integer() and "." not in text and abs(value) < 2**63
    return int(value) if exact else value


class _Parser:
    def __init__(self, name: str, source: str, functions: Container[str], named: dict[str, list[Node]]) -> None:
        self._name = name
        self._source = source
        self._functions = functions
        self._named = named
        self._tokens = Lexer(name, source).tokens()
        self._index = 0
        self._variables = ["$"]
        self._loops = 0

    def block(self, enders: tuple[str, ...]) -> tuple[list[Node], str]:
        """Parse up to one of the words in `enders`, which is consumed with its action's opening."""
        nodes: list[Node] = []
        while self._index < len(self._tokens):
            token = self._next()
            if token.kind == lex.TEXT:
                nodes.append(Text(token.position, token.text))
                continue
            word = self._peek_word()
            if word in ("end", "else"):
                if word not in enders:
                    raise self._error(f"unexpected {{{{{word}}}}}", token)
                self._next()
                return nodes, word
            if word == "define":
                self._next()
                self._define(token, "define clause")
                continue
            nodes.append(self._action(token, word))
        if "" not in enders:
            raise self._error("unexpected EOF", None)
        return nodes, ""

    def _action(self, opening: Token, word: str) -> Node:
        if word in _BRANCHES:
            self._next()
            return self._branch(opening, word)
        if word in _JUMPS and word not in self._functions:
            self._next()
            if not self._loops:
                raise self._error(f"{{{{{word}}}}} outside {{{{range}}}}", opening)
            self._expect_close(word)
            return Jump(opening.position, word)
        if word in ("template", "block"):
            return self._invocation(word)
        pipeline = self._pipeline("command")
        self._expect_close("command")
        return Action(opening.position, pipeline)

    def _template_name(self, context: str) -> str:
        token = self._next()
        if token.kind != lex.STRING:
            raise self._error(f"unexpected {quoted(token.text)} in {context}", token)
        return token.text

    def _define(self, opening: Token, context: str) -> None:
        if len(self._variables) > 1:
            raise self._error("unexpected {{define}}", opening)
        name = self._template_name(context)
        self._expect_close(context)
        self._named[name] = self._body_of_template()

    def _body_of_template(self) -> list[Node]:
        """Parse up to the closing `end`, with nothing known of the variables and loops outside."""
        outer, self._variables = self._variables, ["$"]
        loops, self._loops = self._loops, 0
        body, _ = self.block(("end",))
        self._expect_close("end")
        self._variables, self._loops = outer, loops
        return body

    def _invocation(self, word: str) -> Node:
        """Parse `template "name" pipeline`, or `block`, which defines it on the spot."""
        self._next()
        context = f"{word} clause"
        named = self._peek()
        name = self._template_name(context)
        position = named.position if named is not None else 0
        token = self._peek()
        pipeline = None
        if word == "block" or token is None or token.kind != lex.CLOSE:
            pipeline = self._pipeline(context)
        self._expect_close(context)
        if word == "block":
            self._named.setdefault(name, self._body_of_template())
        return Invocation(position, name, pipeline)

    def _branch(self, opening: Token, keyword: str) -> Branch:
        outer = len(self._variables)
        pipeline = self._pipeline(keyword, in_range=keyword == "range")
        self._expect_close(keyword)
        self._loops += keyword == "range"
        body, ended_by = self.block(("end", "else"))
        self._loops -= keyword == "range"
        otherwise: list[Node] = []
        if ended_by == "else":
            word = self._peek_word()
            if word == keyword and keyword != "range":
                self._next()
                otherwise = [self._branch(opening, keyword)]
                del self._variables[outer:]
                return Branch(opening.position, keyword, pipeline, body, otherwise)
            self._expect_close("else")
            otherwise, _ = self.block(("end",))
        self._expect_close("end")
        del self._variables[outer:]
        return Branch(opening.position, keyword, pipeline, body, otherwise)

    def _pipeline(self, context: str, *, in_range: bool = False) -> Pipeline:
        start = self._peek()
        variables, assigns = self._declaration(in_range=in_range)
        commands: list[Command] = []
        while True:
            token = self._peek()
            if token is None or token.kind == lex.CLOSE or (token.text == ")" and token.kind == lex.PUNCTUATION):
                break
            commands.append(self._command())
            if not self._take("|"):
                break
            token = self._peek()
            if token is None or token.kind == lex.CLOSE:
                raise self._error(f"missing value for {context}", token)
        if not commands:
            raise self._error(f"missing value for {context}", start)
        for command in commands[1:]:
            if isinstance(command.words[0], Literal | Dot):
                raise self._error(f"non executable command in pipeline stage {commands.index(command) + 1}", start)
        if not assigns:
            self._variables += variables
        return Pipeline(start.position if start else 0, variables, assigns, commands)

    def _declaration(self, *, in_range: bool) -> tuple[list[str], bool]:
        """Read `$x :=`, `$x =` or, for a range, `$i, $x :=` where one stands."""
        ahead = self._tokens[self._index : self._index + 4]
        names = [ahead[0].text] if ahead and ahead[0].kind == lex.VARIABLE else []
        if len(ahead) > 2 and names and in_range and ahead[1].text == "," and ahead[2].kind == lex.VARIABLE:
            names.append(ahead[2].text)
        after = 2 * len(names) - 1
        if (
            not names
            or len(ahead) <= after
            or ahead[after].kind != lex.PUNCTUATION
            or ahead[after].text not in (":=", "=")
        ):
            return [], False
        self._index += after + 1
        return names, ahead[after].text == "="

    def _command(self) -> Command:
        words: list[Node] = []
        first = self._peek()
        while True:
            token = self._peek()
            if token is None or token.kind == lex.CLOSE:
                break
            if token.kind == lex.PUNCTUATION and token.text != "(":
                if token.text in ("|", ")"):
                    break
                raise self._error(f"unexpected {quoted(token.text)} in {'operand' if words else 'command'}", token)
            words.append(self._operand())
        if not words:
            raise self._error("empty command", first)
        return Command(first.position if first else 0, words)

    def _operand(self) -> Node:
        node = self._term()
        names: list[str] = []
        position = -1
        while (token := self._peek()) and token.kind == lex.FIELD and not token.spaced and len(token.text) > 1:
            position = token.position if position < 0 else position
            names.append(self._next().text[1:])
        if not names:
            return node
        if isinstance(node, Literal):
            raise self._error(f"unexpected . after term {quoted(str(node))}", token)
        if isinstance(node, Field):
            return Field(position, node.base, node.names + names)
        return Field(position, node, names)

    def _term(self) -> Node:
        token = self._next()
        if token.kind == lex.FIELD:
            dot = Dot(token.position)
            return dot if token.text == "." else Field(token.position, dot, [token.text[1:]])
        if token.kind == lex.VARIABLE:
            if token.text not in self._variables:
                raise self._error(f"undefined variable {quoted(token.text)}", token)
            return Variable(token.position, token.text)
        if token.kind == lex.STRING:
            return Literal(token.position, token.text)
        if token.kind in (lex.NUMBER, lex.CHAR):
            return Literal(token.position, self._number(token), token.text if token.kind == lex.NUMBER else "")
        if token.kind == lex.WORD:
            return self._word(token)
        pipeline = self._pipeline("parenthesized pipeline")
        if not self._take(")"):
            raise self._error("unclosed left paren", token)
        return pipeline

    def _word(self, token: Token) -> Node:
        if token.text in _CONSTANTS:
            return Literal(token.position, _CONSTANTS[token.text])
        if token.text not in self._functions:
            raise self._error(f"function {quoted(token.text)} not defined", token)
        return Function(token.position, token.text)

    def _number(self, token: Token) -> int | float:
        for convert in (lambda text: parse_int(text, base=0), _float):
            try:
                return convert(token.text)
            except ValueError:
                continue
        raise self._error(f"bad number syntax: {quoted(token.text)}", token)

    def _peek(self) -> Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def _peek_word(self) -> str:
        token = self._peek()
        return token.text if token is not None and token.kind == lex.WORD else ""

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise self._error("unexpected EOF", None)
        self._index += 1
        return token

    def _take(self, mark: str) -> bool:
        token = self._peek()
        if token is None or token.kind != lex.PUNCTUATION or token.text != mark:
            return False
        self._index += 1
        return True

    def _expect_close(self, context: str) -> None:
        token = self._next()
        if token.text == ")" and token.kind == lex.PUNCTUATION:
            raise self._error("unexpected right paren", token)
        if token.kind != lex.CLOSE:
            raise self._error(f"unexpected {quoted(token.text)} in {context}", token)

    def _error(self, reason: str, token: Token | None) -> ParseError:
        position = token.position if token is not None else len(self._source)
        return ParseError(self._name, line_of(self._source, position), reason)
