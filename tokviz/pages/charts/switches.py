"""What a reader may add to charts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What a reader may add to charts that show the model, its intervals, chance and the surface."""

    name: str
    label: str


SWITCHES = (
    Switch(name="raw", label="without scaling"),
    Switch(name="changed", label="neurons changed"),
    Switch(name="untrained", label="untrained"),
    Switch(name="logit", label="logit lens"),
)


def switches_of(names: Iterable[str]) -> tuple[Switch, ...]:
    """Those of these names, in their order."""
    found = set(names)
    return tuple(each for each in SWITCHES if each.name in found)
