"""What the curves of a chart say, in words, for those who don't see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tokviz.pages.text.wording import joined, the_depth


def alt_text(
    subject: str,
    curves: Sequence[tuple[str, np.ndarray]],
    write: Callable[[float], str],
    named: Callable[[int], str] = the_depth,
) -> str:
    """What a chart's curves say: where each begins and ends, and its extremes between."""
    return " ".join([f"{subject}.", *(said(name, values, write, named) for name, values in curves)])


def said(name: str, values: np.ndarray, write: Callable[[float], str], named: Callable[[int], str] = the_depth) -> str:
    """One curve in words."""
    return f"{name}: {_course(values, write, named)}."


def _course(values: np.ndarray, write: Callable[[float], str], named: Callable[[int], str]) -> str:
    known = np.flatnonzero(np.isfinite(values)).tolist()
    if not known:
        return "not defined"
    if len(known) > 1 and len({write(value) for value in values[known].tolist()}) == 1:
        return f"{write(values[known[0]])} throughout"
    ends = dict.fromkeys((known[0], known[-1]))
    extremes = (("lowest", known[np.argmin(values[known])]), ("highest", known[np.argmax(values[known])]))
    parts = [f"{write(values[depth])} at {named(depth)}" for depth in ends]
    parts += [f"{name} {write(values[depth])} at {named(depth)}" for name, depth in extremes if depth not in ends]
    return joined(parts)
