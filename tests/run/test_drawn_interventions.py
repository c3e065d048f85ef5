"""Of a break's captures the one is drawn that leaves the model's predictions as they are; what an author asks for is drawn, too."""

from __future__ import annotations

import pytest

from tokviz.records import InterventionRule, InterventionValue
from tokviz.run.kinds.interventions import Wanted, drawn


def wanted(rule: InterventionRule, suffix: str | None = None) -> Wanted:
    value: InterventionValue = "mean" if rule == "mean" else "zero"
    return Wanted(rule=rule, layer=3, neurons=(1, 2), value=value, suffix=suffix or rule)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (("off", "mean", "control"), ["mean"]),
        (("off", "control"), ["off"]),  # the words aren't read at position 0, or the mean gave no states
        (("mean", "control"), ["mean"]),
        (("control",), []),
        ((), []),
    ],
)
def test_one_of_a_breaks_captures_is_drawn(made: tuple[InterventionRule, ...], shown: list[str]) -> None:
    assert [each.rule for each in drawn(wanted(rule) for rule in made)] == shown
    by_hand = (wanted("by_hand", "by-hand-1"), wanted("by_hand", "by-hand-2"))
    found = drawn([*(wanted(rule) for rule in made), *by_hand])
    assert [each.suffix for each in found] == [*shown, "by-hand-1", "by-hand-2"]
