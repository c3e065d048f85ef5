"""What a report announces depends on all that it has measured."""

from __future__ import annotations

from dataclasses import replace

from report_fixture import sample_report

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
