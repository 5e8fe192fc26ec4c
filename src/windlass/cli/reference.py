"""Image names as users write them.

Source: https://github.com/distribution/reference, the grammar of references.
"""

from __future__ import annotations

DEFAULT_DOMAIN = "docker.io"
LEGACY_DOMAIN = "index.docker.io"
OFFICIAL = "library/"
DEFAULT_TAG = "latest"
MAX_NAME_LENGTH = 255
MAX_TAG_LENGTH = 128
ID_LENGTH = 64
_HEX = frozenset("0123456789abcdef")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Reference:
    """A parsed name: `domain/path[:tag][@digest]`, domain and path complete."""

    __slots__ = ("digest", "domain", "path", "tag")

    def __init__(self, domain: str, path: str, tag: str, digest: str) -> None:
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest

    @property
    def name(self) -> str:
        """The repository in full: `docker.io/library/busybox`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as users write it: `busybox`."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        short = self.path.removeprefix(OFFICIAL)
        return self.path if "/" in short else short

    @property
    def familiar(self) -> str:
        """The reference as users write it, tag and digest included."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.familiar_name}{tag}{f'@{self.digest}' if self.digest else ''}"

    def with_default_tag(self) -> Reference:
        """The same with `latest` where neither tag nor digest is given."""
        return self if self.tag or self.digest else Reference(self.domain, self.path, DEFAULT_TAG, "")


def is_id(text: str) -> bool:
    """Tell whether `text` is an image id in full, with or without its algorithm."""
    digits = text.removeprefix("sha256:")
    return len(digits) == ID_LENGTH and _HEX.issuperset(digits)


def parse_reference(text: str) -> Reference:
    """Parse a name and complete it; raises ValueError in the words Docker uses."""
    if is_id(text) and ":" not in text:
        raise ValueError(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, remainder = _split_domain(text)
    rest, at, digest = remainder.partition("@")
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    path, tag = (rest, "") if colon < 0 else (rest[:colon], rest[colon + 1 :])
    if path.lower() != path:
        raise ValueError(f"invalid reference format: repository name ({path}) must be lowercase")
    well_formed = (
        _is_domain(domain)
        and all(map(_is_component, path.split("/")))
        and (colon < 0 or _is_tag(tag))
        and (not at or _is_digest(digest))
    )
    if not well_formed:
        raise ValueError("invalid reference format")
    if len(path) + len(domain) + 1 > MAX_NAME_LENGTH:
        raise ValueError(f"repository name must not be more than {MAX_NAME_LENGTH} characters")
    return Reference(domain, path, tag, digest)


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    names_host = "." in first or ":" in first or first == "localhost" or first.lower() != first
    if not slash or not names_host:
        domain, rest = DEFAULT_DOMAIN, text
    else:
        domain = DEFAULT_DOMAIN if first == LEGACY_DOMAIN else first
    if domain == DEFAULT_DOMAIN and "/" not in rest:
        rest = OFFICIAL + rest
    return domain, rest


def _is_domain(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        return len(text) > 2
    if colon and not port.isdecimal():
        return False
    name = host if colon else text
    if name.startswith("["):
        return name.endswith("]")
    labels = name.split(".")
    return all(
        label and label[0] != "-" and label[-1] != "-" and label.isascii() and label.replace("-", "a").isalnum()
        for label in labels
    )


def _is_component(text: str) -> bool:
    """Lower-case words joined by one period, one or two underscores, or any number of dashes."""
    if not text or text[0] not in _LOWER or text[-1] not in _LOWER:
        return False
    separator = ""
    for character in text:
        if character in _LOWER:
            if separator not in ("", ".", "_", "__") and separator.strip("-"):
                return False
            separator = ""
        elif character in "._-":
            separator += character
        else:
            return False
    return True


def _is_tag(text: str) -> bool:
    rest = text.replace(".", "_").replace("-", "_")
    return 0 < len(text) <= MAX_TAG_LENGTH and text[0] in _WORD and _WORD.issuperset(rest)


def _is_digest(text: str) -> bool:
    algorithm, colon, digits = text.partition(":")
    return bool(algorithm and colon) and len(digits) >= 32 and _HEX.issuperset(digits.lower())
