"""Names of images, whatever is typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from windlass.base.errors import InvalidParameter
from windlass.spec.reference import ImageRef, parse_reference

# Three of them and `library/` stay below the limit of a path.
_COMPONENT = st.from_regex(r"[a-z0-9]{1,9}(?:(?:\.|_|__|-{1,4})[a-z0-9]{1,9}){0,4}", fullmatch=True)
_TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
_DIGEST = st.binary(min_size=32, max_size=32).map(lambda data: f"sha256:{data.hex()}")
_DOMAIN = st.sampled_from(["docker.io", "localhost", "localhost:5000", "r.example.com", "127.0.0.1:1", "[::1]:2"])


@st.composite
def _refs(draw: st.DrawFn) -> ImageRef:
    domain = draw(_DOMAIN)
    parts = draw(st.lists(_COMPONENT, min_size=1, max_size=3))
    if domain == "docker.io" and len(parts) == 1:
        parts.insert(0, "library")
    return ImageRef(domain, "/".join(parts), draw(_TAG | st.just("")), draw(_DIGEST | st.just("")))


@given(_refs())
def test_both_forms_read_back(ref: ImageRef) -> None:
    assert parse_reference(str(ref)) == ref
    assert parse_reference(ref.familiar) == ref


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        ref = parse_reference(text)
    except InvalidParameter:
        return
    assert parse_reference(str(ref)) == ref
    assert parse_reference(ref.familiar) == ref
    assert ".." not in ref.path.split("/")
    assert ref.path == ref.path.lower()
