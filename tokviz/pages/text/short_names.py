"""Names of models as short as where space is scarce, and no two alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tokviz.text import END, ISOLATE, isolated

_SEPARATOR = re.compile(r"[-_\s/:]+")


def short_names(names: Sequence[str], longest: int) -> tuple[str, ...]:
    """The shortest part of each name that no other name has: ``SmolLM2`` of ``SmolLM2-135M-Instruct``.

    It begins with the family, the first part that is written with a capital letter if there is one, and goes on until no other
    name has it. Where that is longer than ``longest`` characters, what lies between the family and the first part that differs
    is left out: ``DeepSeek…7B``. A name is whole where nothing shorter is its own.
    """
    plain = [name.removeprefix(ISOLATE).removesuffix(END) for name in names]
    others = [[other for other in plain if other != name] for name in plain]
    return tuple(isolated(_short(name, apart, longest)) for name, apart in zip(plain, others, strict=True))


def _short(name: str, others: Sequence[str], longest: int) -> str:
    for short, parts in _shorter(name):
        if len(short) <= longest and not any(all(_has(other, part) for part in parts) for other in others):
            return short
    return name


def _shorter(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a name may be shortened to, best first, each with the parts that it consists of."""
    spans = _spans(name)
    family = _family(name)
    start = spans[family][0] if spans else 0
    for _, stop in spans[family:]:
        yield name[start:stop], (name[start:stop],)
    head = name[start : spans[family][1]] if spans else ""
    for first, stop in spans[family + 2 :]:
        yield f"{head}…{name[first:stop]}", (head, name[first:stop])


def _spans(name: str) -> list[tuple[int, int]]:
    """Where the parts of a name begin and end."""
    edges = [0, *(edge for found in _SEPARATOR.finditer(name) for edge in found.span()), len(name)]
    return [(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if stop > start]


def _family(name: str) -> int:
    """The part that names a model's family: ``all`` of ``all-MiniLM-L6-v2`` doesn't, and sizes and versions are short."""
    parts = [name[start:stop] for start, stop in _spans(name)]
    named = (index for index, part in enumerate(parts) if len(part) > 2 and any(map(str.isupper, part)))
    return next(named, 0)


def _has(name: str, part: str) -> bool:
    """Whether a name has a part, or one that goes on, as ``gpt2`` does after ``gpt``."""
    return any(name.startswith(part, start) for start, _ in _spans(name))
