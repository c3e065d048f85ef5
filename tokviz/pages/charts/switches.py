"""What a reader may add to charts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokviz.pages.charts.curves import Curve


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


def switches_of(curves: Iterable[Curve]) -> tuple[Switch, ...]:
    """Those that have something to show among these."""
    found = {name for curve in curves for name in (curve.switch, "raw" if curve.raw else "")}
    return tuple(each for each in SWITCHES if each.name in found)
