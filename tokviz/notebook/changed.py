"""What changed between two captures of one form, as notebooks have it."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tokviz.errors import TokvizError
from tokviz.notebook import arguments, frames, plates
from tokviz.notebook.drawn import Drawn
from tokviz.pages.change.change_data import csv_of, tables_of
from tokviz.pages.change.movers import all_movers
from tokviz.pages.change.page import caption
from tokviz.pages.findings.changes import Shift
from tokviz.pages.text.catalogue import sentence
from tokviz.records import ContextReport, ModelReport, depth_name
from tokviz.run.plan.pairs import Comparer, Comparison, compare_profiles, misfit
from tokviz.run.publishing import deciding, site
from tokviz.run.publishing.public import public_source

if TYPE_CHECKING:
    from pandas import DataFrame

    from tokviz.notebook.capture import Capture


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ModelChange:
    """What changed from one model to another of the same form, in one context: ``base.changed(tuned)``.

    What is announced is decided among the differences between these two captures alone.

    Examples
    --------
    >>> import tokviz
    >>> words = {"colors": ["red", "blue"], "months": ["May", "June"]}
    >>> both = tokviz.study({"Base": model, "Tuned": model}, words, tokenizer=tokenizer, quiet=True)
    >>> both["Base"]["alone"].changed(both["Tuned"]["alone"])
    Tuned and Base give identical states for these words (words alone).
    """

    before: Capture
    after: Capture
    shift: Shift
    """As the report has it."""

    @classmethod
    def of(cls, before: Capture, after: Capture) -> ModelChange:
        """Of two captures; raises ``TokvizError`` where they aren't of one form."""
        names = [each.context.model.display_name for each in (before, after)]
        _require_one_form(before, after, names[0])
        if names[0] == names[1]:  # such as one that was trained between two studies
            names = [f"{names[0]} (before)", f"{names[1]} (after)"]
        slugs = (before.context.model.slug, after.context.model.slug)
        comparison = Comparison(
            slugs=slugs,
            inputs=(before.captured.inputs, after.captured.inputs),
            in_detail=False,
            comparer=Comparer(),
            is_change=True,
        )
        try:
            differences = deciding.decide_alone(compare_profiles([comparison], before.plan.steps))
        except ValueError as error:  # given states may differ in the width of a layer between
            raise TokvizError(f"changed: {error}") from error
        models = tuple(_model(*each) for each in zip((before, after), names, strict=True))
        report = replace(site.report_of(models, before.plan), differences=differences)
        shift = Shift(report=report, pair=differences[0], before=models[0], after=models[1])
        return cls(before=before, after=after, shift=shift)

    @property
    def headline(self) -> str:
        """What changed, in a sentence: nothing is said that isn't tested."""
        return sentence([self.shift.headline])

    @property
    def evidence(self) -> tuple[str, ...]:
        """On what it rests: the difference of all words and of each category that it names, each with its band."""
        return tuple(sentence([each]) for each in self.shift.evidence)

    @property
    def depth(self) -> str:
        """Where the change is surest, ``layer 5``; where none is shown, where the difference over all words is largest, if it was measured."""
        return depth_name(self.shift.depth)

    def movers(self) -> DataFrame:
        """The words that are shown to have left their neighbors, a row for each, those that lost most first.

        ``layer`` is where it lost most of the depths at which it is shown, ``lost`` how many; ``before`` and ``after`` are the
        reference words nearest to it there, those read at the position that most words share: ``neighbors``, which ranks all words,
        may name others. ``where`` has all these depths.

        Raises
        ------
        TokvizError : pandas isn't installed.
        """
        columns = ["word", "layer", "lost", "before", "after", "where"]
        return frames.of_rows([[each[name] for name in columns] for each in all_movers(self.shift)], columns)

    def to_pandas(self, table: str = "depths") -> DataFrame:
        """A data frame, as the CSV file of that name in a report.

        In ``depths``, ``purity_change`` and ``silhouette_change`` are those of the model after less those of the model before, with the
        ends ``_low`` and ``_high`` of their bands, and whether they are announced; ``cka`` and ``neighbors_kept`` compare each layer
        with itself, the second by ten neighbors, or a fifth of fewer than 50 words.

        Parameters
        ----------
        table : ``depths``, a row for each; ``categories``, the same differences for each category; or ``words``, a row for each depth
            and word.

        Raises
        ------
        TokvizError : pandas isn't installed.
        """
        tables = [name.removesuffix(".csv") for name in tables_of(self.shift)]
        table = arguments.one_of("table", table, tables)
        texts = ("layer", "word", "text_safe", "category", "category_safe")
        found = frames.of_csv(csv_of(self.shift, f"{table}.csv"), texts=texts)
        return found.drop(columns=["text_safe", "category_safe"], errors="ignore")

    def draw(self, layer: int | str | None = None) -> Drawn:
        """Both models' words at a layer, next to each other on the same axes, at one scale.

        Parameters
        ----------
        layer : its number from 0, −1 being the last one, or ``embedding``; by default where the change is surest.

        Raises
        ------
        TokvizError : there is no such layer, or nothing can be shown of it.
        """
        changed = self.shift.changed
        shown = [depth_name(depth) for depth, problem in enumerate(changed.before.problems) if problem is None]
        depth = arguments.layer(self.depth if layer is None else layer, self.shift.n_depths, shown)
        reference = changed.before.reference
        sides = zip((self.before, self.after), self.shift.sides, strict=True)
        found = [
            plates.of_depth(
                capture,
                depth,
                "phone",
                reference,
                model=model.display_name,
                coordinates=shown.projection.coordinates[depth],
                explained_variance_ratio=tuple(shown.projection.explained_variance_ratio[depth].tolist()),
            )
            for capture, (model, _, shown) in sides
        ]
        return plates.at_one_scale(found, reference, caption(self.shift, depth))

    def __repr__(self) -> str:
        return "\n".join((self.headline, *self._said))

    @property
    def _said(self) -> tuple[str, ...]:
        alone = "Decided on this pair alone; a report decides among all of its pairs."
        return (*self.evidence, alone) if self.evidence else ()

    def _repr_html_(self) -> str:
        evidence = html.escape(" ".join(self._said))
        return f"<p><strong>{html.escape(self.headline)}</strong></p>" + (f"<p>{evidence}</p>" if evidence else "")


def _require_one_form(before: Capture, after: Capture, name: str) -> None:
    if before.plan.config.vocabulary:
        raise TokvizError("changed: expected a list of words, got a whole vocabulary")
    if before.plan.config.word_list != after.plan.config.word_list:
        raise TokvizError(f"changed: expected the words and categories of {name}, in the same order, got others")
    if before.states.tokenization.is_known != after.states.tokenization.is_known:
        raise TokvizError(
            "changed: expected two models that were captured, or states of both that were given as numbers, got one of each, whose tokens "
            "and templates can't be compared"
        )
    one, other = (each.states.context for each in (before, after))
    if one != other:
        got = "other templates" if one.label == other.label else other.label
        raise TokvizError(f"changed: expected the context of {name}, {one.label}, got {got}")
    if wrong := misfit(after.captured.inputs.templates, before.captured.inputs.templates, name):
        raise TokvizError(f"changed: {wrong}")


def _model(capture: Capture, name: str) -> ModelReport:
    """As a report has it, without pictures and measures."""
    model = capture.context.model
    context = ContextReport(states=capture.states, projections=())
    return ModelReport(slug=model.slug, name=name, source=public_source(model.source), contexts=(context,))
