"""The names of files, folders and addresses of a site, made of what authors call models, contexts and categories.

Every path of the site is one that Windows can hold, too: from the site's root it has at most 166 characters, and those of a
layer's module (``model.layers.6``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from tokviz.config.fields import (
    LONGEST_LABEL,
    Mistakes,
    composed,
    repeated,
    stands_twice,
    with_something_seen,
    without_controls,
    without_turns,
)
from tokviz.config.source import KeyPath
from tokviz.text import shown

LONGEST_SLUG = 48
"""A picture's path holds a model's slug twice: ``images/SLUG/CONTEXT/PROJECTION/SLUG__model.layers.6-phone.webp``."""
LONGEST_CONTEXT = 32
LONGEST_CATEGORY = 60

SAME_LABEL = "the label {} stands twice, and readers couldn't tell which is meant; change one"

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
"""What stands in addresses and folders as it is; of other names a form of this kind is made."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
"""What Windows takes for a device, whatever follows the first dot."""
_FILES = (".json", ".js", ".png", ".webp", ".svg", ".csv", ".html", ".txt", ".xml")
"""``data/report.json`` and ``images/preview.png`` stand beside the models' folders."""


def slugify(name: str) -> str:
    """A model's name as it stands in file names and addresses: ``Qwen3-4B-Instruct-2507`` → ``qwen3-4b-instruct-2507``."""
    return re.sub(r"[^a-z0-9._]+", "-", composed(name).lower()).strip("-._")


def slug(name: str, kind: str = "model", longest: int = LONGEST_SLUG) -> str:
    """A folder's name for a model of any name; always the same for the same name.

    A hash takes the place of a name without Latin letters or digits, and of what is too long of one. Names that would be
    taken for a device (``con``) or for a file of the site (``report.json``) get ``model-`` before them.
    """
    found = slugify(name)
    if not found:
        return f"{kind}-{_hash(name)}"
    if _DEVICES.fullmatch(found) or found.endswith(_FILES):
        found = f"{kind}-{found}"
    if len(found) > longest:
        found = f"{found[: longest - 9].rstrip('-._')}-{_hash(name)}"
    return found


def context_slug(name: str) -> str:
    """A context's name as it stands in addresses and folders: ``In a text`` → ``in-a-text``."""
    return name if _PLAIN.fullmatch(name) else slug(name, "context", LONGEST_CONTEXT)


def category_slug(key: str) -> str:
    """A category's key as it stands in addresses: ``Girls' names`` → ``girls-names``."""
    is_fit = _PLAIN.fullmatch(key) and len(key) <= LONGEST_CATEGORY
    return key if is_fit else slug(key, "category", LONGEST_CATEGORY)


def default_label(name: str) -> str:
    """How readers see what has a name but no label: ``action_verbs`` → ``Action verbs``; others as they are written."""
    return name.replace("_", " ").replace("-", " ").capitalize() if _PLAIN.fullmatch(name) else name


def _hash(name: str) -> str:
    return hashlib.sha256(composed(name).encode(errors="surrogatepass")).hexdigest()[:8]


def _fit_for_folders(name: str) -> str:
    if "/" in name or "\\" in name:
        raise ValueError(
            f"expected a name without slashes, which lead to other folders, got {shown(name)}; choose another"
        )
    if not _PLAIN.fullmatch(name):
        return name
    if len(name) > LONGEST_CONTEXT:
        raise ValueError(f"expected at most {LONGEST_CONTEXT} characters, got {len(name)}: {shown(name)}; shorten it")
    if name.endswith(".") or _DEVICES.fullmatch(name):
        raise ValueError(
            f"expected a name that every system takes for a folder, without a dot at its end and not that of a device as "
            f"on Windows (con, nul, com1 …), got {shown(name)}; choose another, the label may be anything"
        )
    return name


ContextName = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_LABEL, pattern=r"\S"),
    AfterValidator(without_controls),
    AfterValidator(without_turns),
    AfterValidator(with_something_seen),
    AfterValidator(_fit_for_folders),
]

_CHANGED = re.compile(r"(.+)-(?:off|mean|by-hand-[0-9]+)")
"""The name of a context, captured with neurons changed."""


def find_alike(mistakes: Mistakes, what: str, names: Sequence[str], slugs: Sequence[str]) -> None:
    """Note which names differ but would stand in addresses alike; ``what`` has names, ``contexts`` or ``words``."""
    first: dict[str, str] = {}
    for index, (name, found) in enumerate(zip(names, slugs, strict=True)):
        other = first.setdefault(found, name)
        if other != name:
            place = (index, "name") if what == "contexts" else (name,)
            text = f"{shown(name)} and {shown(other)} would both stand in addresses as {shown(found)}; rename one"
            mistakes.add(place, stands_twice(name, other) if composed(name) == composed(other) else text)


def find_same(mistakes: Mistakes, values: Mapping[KeyPath, str], text: str) -> None:
    """Note which values stand twice, by the place of each; ``text`` has room for the value."""
    places = list(values)
    for index, _ in repeated(list(values.values())):
        mistakes.add(places[index], text.format(shown(values[places[index]])))


def find_taken_names(mistakes: Mistakes, names: Sequence[str]) -> None:
    """Note which contexts have the name that captures of another one have in which neurons are changed."""
    known = set(names)
    for index, name in enumerate(names):
        found = _CHANGED.fullmatch(name)
        if found and found[1] in known:
            mistakes.add(
                (index, "name"),
                f"the name {shown(name)} is taken by captures of {shown(found[1])} with neurons changed; choose another name",
            )
