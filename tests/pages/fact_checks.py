"""What every sentence that is made of facts must do: hold their values, and change with each of them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from claims import NUMBER, close, plain, require, says

from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.wording import the_depth

Sentence = Callable[[tuple[Fact, ...]], str]
DEPTHS, SPAN = ("depth", "first", "last"), "depths"
"""Names of values that are depths, and of the first and the last one of a run."""
UNSAID = "how_many"
"""A number that only chooses between singular and plural."""
DECIMAL = r"−?\d+\.\d{2,}"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def check_sentence(stated: Sequence[Fact], text: str) -> None:
    """It names what each fact is about, and has each of its numbers."""
    said = plain(text)
    for fact in stated:
        for name, value in named_values(fact):
            require(_says(said, name, value), said, f"{name}: {value}")


def named_values(fact: Fact) -> Iterator[tuple[str, str | int | float]]:
    """All texts and numbers of a fact and of the facts that are parts of its sentence, each with its name."""
    for name, value in fact.values.items():
        if name == SPAN:
            yield name, depths_name(*value)
            continue
        for each in _several(value):
            if isinstance(each, Fact):
                yield from named_values(each)
            else:
                yield name, each


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def keys(page: str) -> Iterator[str]:
    """Of all sentences and terms of a file of the catalogue."""
    waiting = [(page, catalogue.read(page))]
    for place, found in waiting:
        for name, each in found.items():
            if isinstance(each, str) or "meaning" in each:
                yield f"{place}.{name}"
            else:
                waiting.append((f"{place}.{name}", each))


def kinds_of(fact: Fact) -> Iterator[str]:
    """Its own, and those of the facts that are parts of its sentence."""
    yield fact.kind
    for value in fact.values.values():
        for each in _several(value):
            if isinstance(each, Fact):
                yield from kinds_of(each)


def _says(said: str, name: str, value: str | float) -> bool:
    """What isn't known isn't said."""
    if name == UNSAID:
        return True
    if name in DEPTHS:
        value = the_depth(int(value))
    if isinstance(value, str):
        return value in said or f"{value[0].upper()}{value[1:]}" in said
    return not math.isfinite(value) or _has(said, value)


def _has(said: str, value: float) -> bool:
    """A count in digits or in words; else a size, a value with its decimals, or a share in percent, of which the first of a range has no sign."""
    if isinstance(value, int):
        return f"{value:,}" in said or any(word in said for word in WORDS[value : value + 1])
    sizes = re.findall(rf"(?=[−\d])−?{NUMBER}", said)
    shares = re.findall(r"(−?\d+(?:\.\d+)?)(?= %| percentage points|(?:–| to )−?[\d.]+ %)", said)
    return (
        any(says(size.rstrip(","), each) for size in sizes for each in (value, 100 * value))
        or any(close(size, value, 0.1 ** len(size.partition(".")[2])) for size in sizes if re.fullmatch(DECIMAL, size))
        or any(close(share, 100 * value, 0.1 ** len(share.partition(".")[2])) for share in shares)
    )


def changed(stated: tuple[Fact, ...], names: Sequence[str], kinds: Sequence[str]) -> Iterator[tuple[int, Fact]]:
    """Each part of each fact changed once; ``names`` and ``kinds`` that are possible elsewhere."""
    for index, fact in enumerate(stated):
        others = _other_facts(fact, names, kinds)
        yield from ((index, other) for other in others if other != fact)


def _other_facts(fact: Fact, names: Sequence[str], kinds: Sequence[str]) -> Iterator[Fact]:
    """With another value, with two values in each other's place, of another kind."""
    for name, value in fact.values.items():
        others = [1 if value > 1 else 2] if name == UNSAID else _other_values(value, names, kinds)
        for other in others:
            yield Fact(fact.kind, **{**fact.values, name: other})
    for (one, first), (two, second) in itertools.combinations(fact.values.items(), 2):
        if type(first) is type(second) and not isinstance(first, Fact):
            yield Fact(fact.kind, **{**fact.values, one: second, two: first})
    yield from (Fact(kind, **fact.values) for kind in kinds)


def _other_values(value: Any, names: Sequence[str], kinds: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, Fact):
        yield from _other_facts(value, names, kinds)
    elif isinstance(value, str):
        yield from names
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from ((*value[:place], other, *value[place + 1 :]) for other in _other_values(each, names, kinds))
    else:
        yield _other_number(value)


def _other_number(value: float) -> float:
    return value + 1 if isinstance(value, int) else value + 0.37 * max(abs(value), 1)


def require_a_change(stated: tuple[Fact, ...], index: int, other: Fact, sentence: Sentence) -> None:
    """No sentence, or another one."""
    facts = list(stated)
    facts[index] = other
    try:
        text = sentence(tuple(facts))
    except (LookupError, ValueError):
        return
    require(text != sentence(stated), text, other)


def check_form(stated: tuple[Fact, ...], text: str, sentence: Sentence, kinds: Sequence[str]) -> None:
    """These facts make this text, and each change of one makes another or none."""
    require(plain(sentence(stated)) == text, sentence(stated), text)
    for index, other in changed(stated, ("in a sentence", "layer 3", "another"), kinds):
        require_a_change(stated, index, other, sentence)
