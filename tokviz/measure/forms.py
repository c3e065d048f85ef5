"""Which words are forms of one word, by their letters: play, plays, Play."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LEAST_STEM, MOST_ENDING, MOST_INFLECTION = 4, 3, 2
"""Letters of what forms of a word have in common, of what each may have after it, and of an ending that begins with a vowel."""


def families(words: Sequence[str], groups: Sequence[int], declared: Sequence[Sequence[str]] = ()) -> list[list[int]]:
    """Rows of the words of each group that are forms of one word, by their letters alone or as declared; most words are alone.

    Two words are if, as ``plain`` has them, they are the same, or begin with the same ``LEAST_STEM`` letters, and at most ``MOST_ENDING``
    follow in either. One letter less is enough where that is all of one word but for a final e, or where vowels follow in both (gato,
    gatas). A letter that is doubled isn't counted (run, running), and a last y is also an i (city, cities). What merely looks like it, as
    Niger and Nigeria, costs a test some power, no more.
    """
    names, given = (
        [plain(word) for word in words],
        {word: number for number, own in enumerate(declared) for word in own},
    )
    found: list[list[int]] = []
    together: dict[tuple[int, int], list[int]] = {}
    alike: dict[tuple[int, str], list[list[int]]] = {}
    for row in sorted(range(len(words)), key=lambda row: (words[row] not in given, names[row])):
        near = alike.setdefault((groups[row], beginning(names[row])), [])
        if (number := given.get(words[row])) is not None:
            own = together.get((groups[row], number))
        else:
            own = next((each for each in near if any(are_forms(names[other], names[row]) for other in each)), None)
        if own is None:
            own = []
            found.append(own)
        if number is not None:
            together[groups[row], number] = own
        if all(own is not each for each in near):
            near.append(own)
        own.append(row)
    return sorted(sorted(family) for family in found)


def plain(word: str) -> str:
    """Without case, diacritics, skin tones, punctuation and spaces, in which forms of one word may differ; as it is where nothing else is left."""
    folded = _DIACRITICS.sub("", unicodedata.normalize("NFKD", word.casefold()))
    return "".join(each for each in folded if not _is_apart(unicodedata.category(each))) or word


_DIACRITICS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
"""Those of Latin, Greek and Cyrillic letters, the points of Hebrew and the vowel marks of Arabic; of other scripts they are letters."""


def _is_apart(kind: str) -> bool:
    """Whether characters of a category of Unicode's are punctuation, spaces or modifiers."""
    return kind[0] in "PZ" or kind == "Sk"


_VOWELS = frozenset("aeiouαεηιουωаеиоуыэюя")


def are_forms(one: str, other: str) -> bool:
    """Whether two words, as ``plain`` has them, are forms of one word by their letters; see ``families``."""
    return _begin_alike(one, other) or _begin_alike(_with_i(one), other) or _begin_alike(one, _with_i(other))


def beginning(word: str) -> str:
    """What all forms of a word, as ``plain`` has it, begin with."""
    return word[: LEAST_STEM - 2]


def _begin_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    n_alike = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    stem, endings = one[:n_alike], [one[n_alike:], other[n_alike:]]
    is_whole = stem in (one, other, one.removesuffix("e"), other.removesuffix("e"))
    is_inflected = all(each[:1] in _VOWELS and len(each) <= MOST_INFLECTION for each in endings)
    are_letters = all(each.isalpha() or unicodedata.category(each)[0] == "M" for each in one + other)
    n_more = max(len(each.removeprefix(stem[-1:])) for each in endings)
    return n_alike >= LEAST_STEM - (is_whole or is_inflected) and are_letters and n_more <= MOST_ENDING


def _with_i(word: str) -> str:
    return f"{word[:-1]}i" if word.endswith("y") else word
