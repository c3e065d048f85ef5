"""What the families of tests are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from related_fixture import related_report

from tokviz.pages.text.families import family_labels
from tokviz.pages.text.glossary import decisions
from tokviz.pages.text.wording import NBSP
from tokviz.records import Family


def test_further_questions_are_named_with_the_relation_or_the_order() -> None:
    keys = ("categories", "relation 0", "relation 0, offset", "order 1", "order 0, ends meet", "order 0, circle")
    families = tuple(
        Family(key=key, highest=np.zeros(1), n_values=1, p_value=0.5, least_p_value=0.5, level=0.01) for key in keys
    )
    assert list(family_labels(replace(related_report(), families=families)).values()) == [
        "categories against chance",
        "the relation “First → second”",
        "the relation “First → second”: what the difference adds",
        "the order “A line”",
        "the order “A circle”: whether its ends meet",
        "the order “A circle”: whether it is a circle",
    ]


@pytest.mark.parametrize("level", [0.01 / 3, 0.01 / 2])
def test_the_method_page_says_where_relations_and_orders_are_one_question(level: float) -> None:
    keys = ("categories", "order 0", "order 1", "order 1, ends meet")
    families = [
        Family(key=key, highest=np.zeros(1999), n_values=7, p_value=0.5, least_p_value=0.0005, level=level)
        for key in keys
    ]
    said = str(decisions(families, {key: key for key in keys}))
    assert f"from p ≤ {level:.2g} in 4" in said.replace(NBSP, " ")
    assert ("all relations and orders are one question" in said) == (level > 0.004)
