"""Random names."""

from __future__ import annotations

from windlass.base.ids import is_valid_name
from windlass.engine.names import _ADJECTIVES, _SURNAMES, random_name


def test_words_are_many_plain_and_different() -> None:
    for words in (_ADJECTIVES, _SURNAMES):
        assert len(words) >= 90 and len(set(words)) == len(words)
        assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_a_taken_name_is_not_given() -> None:
    given: set[str] = set()
    for _ in range(200):
        name = random_name(given.__contains__)
        assert name not in given and is_valid_name(name)
        given.add(name)


def test_when_chance_finds_none_the_name_grows() -> None:
    assert len(random_name(lambda _name: True).rpartition("_")[2]) == 8
