"""What every sentence that is made of facts must do: hold their values, and change with each of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from claims import NUMBER, close, plain, require, says

from tokviz.pages.text.facts import Fact

Sentence = Callable[[tuple[Fact, ...]], str]
DECIMAL = r"−?\d+\.\d{2,}"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def check_sentence(stated: Sequence[Fact], text: str) -> None:
    """It names what each fact is about, and has each of its numbers."""
    said = plain(text)
    for fact in stated:
        for name in fact.subject:
            require(name in said or f"{name[0].upper()}{name[1:]}" in said, said, name)
        for value in filter(math.isfinite, (*fact.values, *(fact.bounds or ()))):  # what isn't known isn't said
            require(_has(said, value), said, value)


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
    """Each field of each fact changed once; ``names`` and ``kinds`` that are possible elsewhere."""
    for index, fact in enumerate(stated):
        for place, value in enumerate(fact.values):
            other = value + 1 if isinstance(value, int) else value + 0.37 * max(abs(value), 1)
            yield index, replace(fact, values=(*fact.values[:place], other, *fact.values[place + 1 :]))
        for place in range(2 if fact.bounds else 0):
            low, high = fact.bounds or (0.0, 0.0)
            yield index, replace(fact, bounds=(low - 0.37, high) if place == 0 else (low, high + 0.37))
        for place in range(len(fact.subject)):
            for other_name in names:
                if other_name not in fact.subject:
                    yield index, replace(fact, subject=(*fact.subject[:place], other_name, *fact.subject[place + 1 :]))
        if len(fact.subject) > 1:
            yield index, replace(fact, subject=fact.subject[::-1])
        for kind in kinds:
            if kind != fact.kind:
                yield index, replace(fact, kind=kind)


def require_a_change(stated: tuple[Fact, ...], index: int, other: Fact, sentence: Sentence) -> None:
    """No sentence, or another one."""
    try:
        text = sentence((*stated[:index], other, *stated[index + 1 :]))
    except (LookupError, ValueError):
        return
    require(text != sentence(stated), text, other)


def check_form(stated: tuple[Fact, ...], text: str, sentence: Sentence, kinds: Sequence[str]) -> None:
    """These facts make this text, and each change of one makes another or none."""
    require(plain(sentence(stated)) == text, sentence(stated), text)
    for index, other in changed(stated, ("in a sentence", "layer 3", "another"), kinds):
        require_a_change(stated, index, other, sentence)
