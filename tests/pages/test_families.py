"""What the families of tests are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from related_fixture import related_report

from tokviz.pages.text.families import family_labels
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
