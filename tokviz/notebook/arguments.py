"""What callers pass, looked at before any work: each mistake is one line that names the argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from tokviz.config import expanded
from tokviz.errors import TokvizError
from tokviz.run.plan.options import DRAFT, FORMS, SVG
from tokviz.text import shown

_WHOLE = (FORMS[0], DRAFT)
"""Forms of which a site needs one: the other forms stand beside it."""


def path(name: str, value: Any) -> Path:
    """A path, ``~`` being the home of the user."""
    if not isinstance(value, str | Path):
        raise TokvizError(f"{name}: expected a path, got {shown(value)}")
    return expanded(value)


def whole_number(name: str, value: Any, expected: str) -> int:
    """An integer of Python, NumPy or torch."""
    try:
        return index(value)
    except TypeError:
        raise TokvizError(f"{name}: expected {expected}, got {shown(value)}") from None


def names(name: str, value: Any, expected: str) -> tuple[Any, ...]:
    """Several texts; one by itself is meant as such."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable):
        raise TokvizError(f"{name}: expected {expected}, got {shown(value)}")
    return tuple(value)


def numbers(name: str, value: Any) -> list[Any]:
    """Several numbers, as Python has them: a configuration takes no others."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TokvizError(f"{name}: expected a list of numbers, such as [3, 7], got {shown(value)}")
    return [plain(each) for each in value]


def plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def build_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a build that aren't paths."""
    if unknown := sorted(set(given) - _BUILD_OPTIONS):
        raise TokvizError(f"build: expected options from {', '.join(sorted(_BUILD_OPTIONS))}, got {unknown[0]!r}")
    found = dict(given)
    if "jobs" in found:
        expected = "a number of processes, from 1 on"
        found["jobs"] = whole_number("jobs", found["jobs"], expected)
        if found["jobs"] < 1:
            raise TokvizError(f"jobs: expected {expected}, got {found['jobs']}")
    if "device" in found and not isinstance(found["device"], str):
        raise TokvizError(f"device: expected cpu, cuda, cuda:1 or mps, got {shown(found['device'])}")
    if "forms" in found:
        expected = f"one of {' and '.join(map(repr, _WHOLE))}, with {', '.join(map(repr, (*FORMS[1:], SVG)))} beside it"
        forms = names("forms", found["forms"], expected)
        n_whole = sum(each in _WHOLE for each in forms)
        if n_whole != 1 or not set(map(str, forms)) <= {*FORMS, DRAFT, SVG}:
            raise TokvizError(f"forms: expected {expected}, got {shown(found['forms'])}")
        found["forms"] = forms
    return found


_BUILD_OPTIONS = {"cache", "jobs", "device", "force", "excerpts", "forms"}
