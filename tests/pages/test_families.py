"""What the families of tests are called."""

from __future__ import annotations

from dataclasses import replace

import claiming
from related_fixture import related_report

from tokviz.pages.text.glossary import decisions, family_labels
from tokviz.pages.text.wording import NBSP


def test_further_questions_are_named_with_the_relation_or_the_order() -> None:
    keys = ("categories", "relation 0", "relation 0, offset", "order 1", "order 0, ends meet", "order 0, circle")
    families = claiming.families(*keys, "lens", "lens, names")
    assert list(family_labels(replace(related_report(), families=families)).values()) == [
        "categories against chance",
        "the relation “First → second”",
        "the relation “First → second”: what the difference adds",
        "the order “A line”",
        "the order “A circle”: whether its ends meet",
        "the order “A circle”: whether it is a circle",
        "what the lens reads",
        "whether it reads categories by their own names",
    ]


def test_the_method_page_says_what_was_tested_at_which_level() -> None:
    surface, order, further, few = claiming.families("surface", "o", "o, further", too_few=("few",))
    families = [
        replace(order, level=0.0025),
        few,
        replace(surface, level=0.005, share="first"),
        replace(further, level=0.0025),
    ]
    said = decisions(families, {each.key: each.key for each in families}).meaning.replace(NBSP, " ")
    assert "Values are claimed from p ≤ 0.005 in 1 family: surface (62 values)." in said
    assert "Values are claimed from p ≤ 0.0025 in 2 families: o (62 values); o, further (62 values)." in said
    assert said.index("0.005 in") < said.index("0.0025 in")
    assert "so that nothing is claimed: few." in said
