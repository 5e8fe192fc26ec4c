"""What is wrong with a template, or with a value it was run over."""

from __future__ import annotations


class TemplateError(Exception):
    """Base of template errors; the text begins with `template: NAME:LINE`, as Go's does."""


class ParseError(TemplateError):
    """The template's text is malformed."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"template: {name}:{line}: {reason}")


class ExecutionError(TemplateError):
    """The template does not suit the value."""

    def __init__(self, name: str, line: int, column: int, source: str, reason: str) -> None:
        super().__init__(f'template: {name}:{line}:{column}: executing "{name}" at <{source}>: {reason}')
