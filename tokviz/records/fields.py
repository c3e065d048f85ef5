"""Types of fields that don't hold every value of their type, each with its rule: what is stored may come from somebody else."""

from __future__ import annotations

import re
from typing import Annotated


def _is_part_of_file_name(name: str) -> bool:
    return ".." not in name.split("/") and "\\" not in name and name.isprintable()


FileName = Annotated[str, _is_part_of_file_name]
"""Text that is part of a file's name in a site."""
Count = Annotated[int, lambda value: value >= 0]
"""How many, or which one, from 0."""
Length = Annotated[float, lambda value: value >= 0]
"""No negative number, and not NaN; it may be infinite."""
Tolerance = Annotated[float, lambda value: 0 < value < float("inf")]
"""Above 0, finite."""
FamilyKey = Annotated[
    str,
    re.compile(
        r"categories(, each)?|surface|differences( of relations)?|similarity|paired( by category)?|lens(, names)?|movers"
        r"|relation \d+(, offset)?|order \d+(, (ends meet|circle|beyond))?"
    ).fullmatch,
]
"""Of a family of tests."""
