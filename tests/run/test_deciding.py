"""What a report announces depends on all that it has measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_fixture import compared_report, sample_report

from tokviz.run.publishing.deciding import decide


def test_captures_with_neurons_set_to_a_value_count_among_the_values_of_their_families() -> None:
    report = sample_report()
    alone = replace(
        report,
        models=tuple(
            replace(model, contexts=tuple(replace(each, interventions=()) for each in model.contexts))
            for model in report.models
        ),
    )
    counts, without = ({each.key: each.n_values for each in decide(found).families} for found in (report, alone))
    assert counts.keys() == without.keys()
    assert any(counts[key] > without[key] for key in counts)
    assert all(counts[key] >= without[key] for key in counts)


def test_a_pair_of_which_no_page_says_whether_it_is_alike_beyond_categories_has_no_part_in_what_is_announced() -> None:
    """Reports of many models tell such pairs in a summary only."""
    report = compared_report()
    brief = decide(
        replace(report, similarities=tuple(replace(each, single_token=None) for each in report.similarities))
    )
    (family,) = (each for each in decide(report).families if each.key == "similarity")
    assert family.n_values > 0
    assert all(each.n_values == 0 for each in brief.families if each.key == "similarity")
    for pair in brief.similarities:
        assert np.isnan(pair.shared.beyond_categories.p_value).all()
        assert not pair.shared.beyond_categories.holds.any()
