"""What callers pass, looked at before any work: each mistake is one line that names the argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tokviz.config import expanded
from tokviz.errors import TokvizError, UnknownNameError
from tokviz.records import depth_name
from tokviz.run.plan.options import DRAFT, FORMS, SVG
from tokviz.text import shown, suggestion

Value = TypeVar("Value")

_WHOLE = (FORMS[0], DRAFT)
"""Forms of which a site needs one: the other forms stand beside it."""


class Named(dict[str, Value]):
    """What is found by its name; the error about a name that isn't there lists those that are."""

    def __init__(self, kind: str, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self.kind = kind

    def __missing__(self, name: object) -> Value:
        known = list(self)
        shown_names = ", ".join(known[:_MOST_NAMES]) + (" …" if len(known) > _MOST_NAMES else "")
        raise UnknownNameError(
            f"{self.kind}: expected one of {shown_names}, got {shown(name)}{suggestion(name, known)}"
        )


_MOST_NAMES = 10


_OPTIONS = {
    "address": "address",
    "cache": "cache",
    "config": "path",
    "context": "contexts",
    "device": "device",
    "jobs": "jobs",
    "model": "models",
    "output": "output",
    "site-url": "site_url",
    "words": "words_file",
}
"""Options of the command, and the arguments that say the same."""
_OPTION = re.compile(rf"--({'|'.join(_OPTIONS)})\b")


@contextmanager
def instead_of_options() -> Iterator[None]:
    """Errors name the arguments of functions where the command's would name its options."""
    try:
        yield
    except TokvizError as error:
        error.args = (_OPTION.sub(lambda option: _OPTIONS[option[1]], str(error)), *error.args[1:])
        raise


def path(name: str, value: Any) -> Path:
    """A path, ``~`` being the home of the user."""
    if not isinstance(value, str | Path):
        raise TokvizError(f"{name}: expected a path, got {shown(value)}")
    if value == "":  # it would be taken for the current folder
        raise TokvizError(f"{name}: expected a path, got an empty one; name one, or leave it out")
    found = expanded(value)
    try:
        found.lstat()
    except ValueError:  # NUL, or what the file system's encoding doesn't have
        raise TokvizError(
            f"{name}: expected a path, got one with characters that no path has: {shown(str(value))}; name another"
        ) from None
    except OSError:
        pass  # it is to be made, or what hinders that is told when it is made
    return found


def instance(name: str, value: Any, kind: type[Value]) -> Value:
    """The value, which must be of that kind; the error suggests a name where it is a mapping of such values."""
    if isinstance(value, kind):
        return value
    hint = f"; choose one of its {value.kind}s, such as [{next(iter(value), '')!r}]" if isinstance(value, Named) else ""
    raise TokvizError(f"{name}: expected another {kind.__name__.lower()}, got {type(value).__name__}{hint}")


def whole_number(name: str, value: Any, expected: str) -> int:
    """An integer of Python, NumPy or torch."""
    try:
        return index(value)
    except TypeError:
        raise TokvizError(f"{name}: expected {expected}, got {shown(value)}") from None


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """One of several names; the error about any other suggests the nearest."""
    if value not in known:
        raise TokvizError(f"{name}: expected one of {', '.join(known)}, got {shown(value)}{suggestion(value, known)}")
    return str(value)


def depth(value: Any, n_depths: int) -> int:
    """The number of a depth that is given by its number, from the end where it is negative, or by its name."""
    known = [depth_name(each) for each in range(n_depths)]
    if isinstance(value, str):
        return known.index(one_of("depth", value, known))
    expected = f"a depth from {-n_depths} to {n_depths - 1} (0 is the embedding), or a name such as {known[-1]!r}"
    number = whole_number("depth", value, expected)
    if not -n_depths <= number < n_depths:
        raise TokvizError(f"depth: expected {expected}, got {number}")
    return number % n_depths


NONE_DIFFER = "expected states of two dimensions or more that differ between three words or more, got none (in a decoder the tokens before a word don't know it)"


def layer(value: Any, n_depths: int, can_be_shown: Sequence[str] | None = None) -> int:
    """The depth of a layer that is given by its number, from the end where it is negative, or by the depth's name."""
    depths = [depth_name(each) for each in range(n_depths)]
    can_be_shown = depths if can_be_shown is None else can_be_shown
    if isinstance(value, str):
        wanted = value
    else:
        number = whole_number("layer", value, "a number, or embedding")
        wanted = depth_name(number + (1 if number >= 0 else n_depths))
    if not can_be_shown:
        raise TokvizError(f"layer: {NONE_DIFFER}")
    if wanted not in can_be_shown:
        known = f"{can_be_shown[0]} … {can_be_shown[-1]}"
        near = suggestion(value, can_be_shown) if isinstance(value, str) else ""
        raise TokvizError(f"layer: expected one that can be shown ({known}), got {value!r}{near}")
    return depths.index(wanted)


def device(value: Any) -> str:
    """A device as torch takes it: ``"cuda:1"``, ``torch.device("cuda:1")`` or 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"cuda:{value}"
    if type(value).__module__ == "torch":
        return str(value)
    if not isinstance(value, str):
        raise TokvizError(f"device: expected cpu, cuda, cuda:1 or mps, got {shown(value)}")
    return value


def dtype(value: Any) -> Any:
    """A dtype's name, also of torch's or NumPy's own."""
    if isinstance(value, type | np.dtype):
        return np.dtype(value).name
    return str(value).removeprefix("torch.") if type(value).__module__ == "torch" else value


def words(value: Any) -> dict[str, list[Any]]:
    """Category → words, as a configuration takes them; their order is that of the rows of all that is made of them.

    Words without categories are of one, which is called ``words``.
    """
    expected = 'words: expected categories and their words, such as {"colors": ["red", "green"]}, got '
    if value is None or isinstance(value, str | bytes | set | frozenset) or not isinstance(value, Iterable):
        raise TokvizError(expected + ("none" if value is None else shown(value)))
    if isinstance(value, np.ndarray) and value.ndim != 1:
        raise TokvizError(f"words: expected a list of words, got an array of the shape {value.shape}")
    table: Any = value
    if hasattr(table, "ngroups"):
        value = dict(iter(table))  # a series that is grouped by its categories
    elif hasattr(table, "columns"):
        value = _of_frame(table)
    elif hasattr(table, "to_dict") and any(isinstance(each, list | tuple) for each in table):
        value = table.to_dict()  # a series of lists, as grouping gives it
    if not isinstance(value, Mapping):
        value = {"words": value}
    found = {str(key): _word_list(f"words.{key}", each) for key, each in value.items()}
    if not any(found.values()):
        raise TokvizError(f"{expected}none")
    return found


def _of_frame(frame: Any) -> dict[Any, Any]:
    """Rows with the columns ``word`` and ``category``, as a CSV file of words has them; else a column for each category."""
    named = _word_and_category(frame)
    if not named:
        _refuse_a_row_for_each_word(frame)
        return {name: frame[name].dropna() for name in frame.columns}
    rows = frame[named].dropna(how="all")
    if (incomplete := rows[rows.isna().any(axis=1)]).size:
        raise TokvizError(
            f"words: expected a word and its category in each row, got only one of them in row {incomplete.index[0]}; add the other"
        )
    found: dict[Any, list[Any]] = {}
    for word, category in rows.itertuples(index=False, name=None):
        found.setdefault(category, []).append(word)
    return found


def _word_and_category(frame: Any) -> list[Any]:
    """The columns of these names, whatever their capital letters; none where both aren't there."""
    named = {str(name).lower(): name for name in getattr(frame, "columns", ())}
    return [named["word"], named["category"]] if {"word", "category"} <= set(named) else []


def require_order(value: Any) -> None:
    """Raise ``TokvizError`` where a data frame's rows aren't in the order of ``words``: rows of states would be those of other words."""
    if hasattr(value, "ngroups"):
        order = [row for _, group in value for row in group.index]
        if list(value.obj.index) == order:
            return
        expected, remedy = (
            "groups in the order of the frame's rows",
            "sort frame and states alike by category, then group",
        )
    else:
        named = _word_and_category(value)
        if not named:
            return
        categories = value[named[1]].dropna()
        if (categories != categories.shift()).sum() <= categories.nunique():
            return
        expected, remedy = "the rows of each category one after another", "sort frame and states alike by category"
    raise TokvizError(
        f"words: expected {expected}, as rows of states are read category by category, got another order; {remedy}"
    )


def _refuse_a_row_for_each_word(frame: Any) -> None:
    """Two columns of other names than ``word`` and ``category``, in one of which few values stand again and again: labels."""
    given = [frame.iloc[:, place].astype(str) for place in range(len(frame.columns))]
    if len(given) != 2 or frame.isna().to_numpy().any():
        return
    labels, words = sorted(given, key=lambda each: each.nunique())
    if 2 * labels.nunique() <= len(frame) and labels.nunique() < words.nunique():
        raise TokvizError(
            f"words: expected a column for each category, the columns word and category, or a mapping, got the columns {given[0].name!r} "
            f"and {given[1].name!r}, a row for each word; pass frame.rename(columns={{{words.name!r}: 'word', {labels.name!r}: 'category'}})"
        )


def _word_list(name: str, value: Any) -> list[Any]:
    unfit = isinstance(value, str | bytes | set | frozenset | Mapping) or hasattr(value, "columns")
    if unfit or not isinstance(value, Iterable):
        raise TokvizError(f"{name}: expected a list of words, got {type(value).__name__}")
    found = [str(each) if isinstance(each, str) else plain(each) for each in value]
    others = [index for index, each in enumerate(found) if not isinstance(each, str)]
    if others:
        more = f"; {len(others) - 1:,} more are no text" if len(others) > 1 else ""
        raise TokvizError(f"{name}.{others[0]}: expected text, got {shown(found[others[0]])}{more}")
    return found


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
    """A number of NumPy or torch as Python's own."""
    is_number = isinstance(value, np.generic) or (type(value).__name__ == "Tensor" and value.ndim == 0)
    return value.item() if is_number else value


def build_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a build that aren't paths."""
    if unknown := sorted(set(given) - _BUILD_OPTIONS):
        known = sorted(_BUILD_OPTIONS)
        raise TokvizError(
            f"build: expected options from {', '.join(known)}, got {unknown[0]!r}{suggestion(unknown[0], known)}"
        )
    found = dict(given)
    if "jobs" in found:
        expected = "a number of processes, from 1 on"
        found["jobs"] = whole_number("jobs", found["jobs"], expected)
        if found["jobs"] < 1:
            raise TokvizError(f"jobs: expected {expected}, got {found['jobs']}")
    if "device" in found:
        found["device"] = device(found["device"])
    if "forms" in found:
        expected = f"one of {' and '.join(map(repr, _WHOLE))}, with {', '.join(map(repr, (*FORMS[1:], SVG)))} beside it"
        forms = names("forms", found["forms"], expected)
        n_whole = sum(each in _WHOLE for each in forms)
        if n_whole != 1 or not set(map(str, forms)) <= {*FORMS, DRAFT, SVG}:
            raise TokvizError(f"forms: expected {expected}, got {shown(found['forms'])}")
        found["forms"] = forms
    return found


_BUILD_OPTIONS = {"cache", "jobs", "device", "force", "excerpts", "forms"}
