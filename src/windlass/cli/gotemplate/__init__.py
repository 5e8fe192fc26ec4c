"""Go's text/template, as far as `--format` needs it: parsed once, run over JSON values and rows.

Source: https://pkg.go.dev/text/template
"""

from __future__ import annotations

from windlass.cli.gotemplate.errors import ExecutionError, ParseError, TemplateError
from windlass.cli.gotemplate.evaluate import Template

__all__ = ["ExecutionError", "ParseError", "Template", "TemplateError"]
