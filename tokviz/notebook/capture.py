"""One model in one context, as notebooks have it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.models import AtHand
from tokviz.models.location import GIVEN
from tokviz.notebook import arguments, beside, frames, inline, methods, plates
from tokviz.notebook.as_arrays import AsArrays
from tokviz.notebook.changed import ModelChange
from tokviz.notebook.drawn import Drawn
from tokviz.notebook.lens import LensReading
from tokviz.notebook.methods import Placement
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.stage_facts import stage_facts
from tokviz.records import (
    ContextReport,
    Geometry,
    Grid,
    HiddenStates,
    ModelReport,
    ModelSimilarity,
    Picture,
    Plate,
    Projection,
    ProjectionReport,
    Strip,
    Updates,
    WordList,
    depth_name,
    named_with_quantization,
)
from tokviz.run.kinds import Interventions, Lenses, UntrainedModels
from tokviz.run.plan import captures
from tokviz.run.plan.pairs import Comparer, Comparison, similarity
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import Captured, ContextPlan
from tokviz.run.publishing import deciding, site
from tokviz.run.publishing.public import public_source, public_states
from tokviz.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Capture(AsArrays):
    """One model in one context: its hidden states, and what can be made of them.

    ``capture[depth]`` is an array ``(n_words, width)``, the embedding at depth 0, the state after layer k at k + 1 and after
    the last layer at −1; ``numpy.asarray(capture)`` has all depths, ``capture["red"]`` one word. ``X`` and ``y`` are what
    scikit-learn takes.

    Examples
    --------
    >>> import tokviz
    >>> own = tokviz.study("report.toml", quiet=True)["Tiny"]["alone"]
    >>> own.states.n_depths, own.project("centered").coordinates.shape
    (4, (4, 6, 2))
    >>> own.shape, own[-1].shape, own.y[:4].tolist()
    ((4, 6, 32), (6, 32), ['colors', 'colors', 'colors', 'months'])
    >>> own.to_pandas()[["word", "layer"]].iloc[0].tolist()
    ['red', 'embedding']
    >>> own.draw(-1)
    Tiny · alone · layer 2. 6 words in 2 categories, each at its first two principal components: PC1 holds ...
    """

    plan: Plan
    context: ContextPlan
    captured: Captured
    in_memory: AtHand | None = None
    """The model itself, where the caller had loaded it."""
    quiet: bool = False
    """Whether nothing is said of what is done with it."""

    def __dir__(self) -> list[str]:
        """Without the fields, which are for tokviz itself."""
        own = {field.name for field in fields(self)}
        return [name for name in super().__dir__() if name not in own]

    def __getstate__(self) -> dict[str, Any]:
        """Without the model: what is made of the states is found in the cache, by its full path."""
        return {**vars(self), "in_memory": None}

    @property
    def templates(self) -> dict[str, Capture]:
        """By their text the context's templates, each as a capture of its own; the first is the one that plots show."""
        inputs = self.captured.inputs
        branches = (self.plan.branch(states, inputs.ordinary) for states in inputs.further)
        first = self.plan.branch(inputs.states, inputs.ordinary) if inputs.further else self.captured
        every = (replace(self, captured=each) for each in (first, *branches))
        return arguments.Named("template", {each.states.context.template: each for each in every})

    # --- what it shows -----------------------------------------------------------------------------------------------

    @property
    def states(self) -> HiddenStates:
        """What was captured: ``.states[depth]`` is an array, a row for each word; ``.card`` says what the model is."""
        return self.captured.states

    @property
    def words(self) -> WordList:
        """The words and their categories, in the order of the rows."""
        return self.captured.inputs.words

    def __repr__(self) -> str:
        card, tokenization = self.states.card, self.states.tokenization
        name = named_with_quantization(self.context.model.display_name, card)
        said = (
            f"{name}, {self.states.context.label}: {counted(len(tokenization.words), 'word')}, "
            f"embedding and {counted(self.states.n_depths - 1, 'layer')} of {counted(card.least_and_most, 'dimension')}"
            f"{'' if tokenization.read == 'last' else f'; read: {tokenization.read}'}"
        )
        return "\n".join((said, *tokenization.notes))

    @overload
    def project(self, name: str = ...) -> Projection: ...

    @overload
    def project(self, name: Callable[[np.ndarray], Any] | Any) -> Placement: ...

    def project(self, name: Any = "standardized") -> Projection | Placement:
        """All depths in two dimensions: ``standardized``, ``centered``, ``unit_norm`` or ``without_massive``; or by another method.

        That is a transformer with scikit-learn's methods, such as ``TSNE()`` or ``umap.UMAP()``, or a function of an array
        ``(n_words, width)``. It gets each depth's standardized states by itself, and the categories if it needs them, which plots then
        say. A transformer is copied first, so the one you pass isn't fitted; without a ``random_state`` results may differ each time.

        Raises
        ------
        TokvizError : the method fails, or doesn't give two finite numbers for each word.
        """
        if not isinstance(name, str):
            return methods.placed(self, name, range(len(self)))
        name = arguments.one_of("projection", name, configuration.PROJECTIONS)
        return self.plan.steps(captures.projection(self.captured.inputs, name))

    def measure(self, *projections: str) -> Geometry:
        """All metrics per depth; those of plots for the projections that are named, the standardized by default.

        What is announced is decided among the values of this capture alone.
        """
        asked = projections or ("standardized",)
        names = tuple(arguments.one_of("projection", name, configuration.PROJECTIONS) for name in asked)
        step = captures.geometry(replace(self.captured.inputs, measured=names))
        return deciding.decide_alone(self.plan.steps(step))

    def stages(self, projection: str = "standardized") -> tuple[str, ...]:
        """Each stage of the geometry in a sentence, as the report's page has it."""
        geometry, shown = self.measure(projection), self.project(projection)
        at_position_0 = self.states.tokenization.reads_position_0
        return tuple(
            f"{depths_name(stage.first_depth, stage.last_depth)}: "
            f"{sentence(stage_facts(geometry, stage, shown, at_position_0=at_position_0))}"
            for stage in geometry.stages
        )

    def updates(self) -> Updates:
        """What each layer's attention and MLP add to the hidden states, as measured when these were captured."""
        if self.states.updates is None:
            raise TokvizError(f"updates: {beside.why_no_updates(self.context, self.states)}")
        return self.states.updates

    def writers(self, layer: int | None = None) -> dict[int, dict[int, float]]:
        """Who writes the largest changes of a marked layer: dimension → neuron → its share of what the MLP adds there.

        Parameters
        ----------
        layer : the one at which the largest |x| breaks by default.

        Raises
        ------
        TokvizError : the layer's largest |x| doesn't change by a factor of two, or its neurons can't be told.
        """
        updates = self.updates()
        layer = updates.breaking.layer if layer is None and updates.breaking else layer
        marked = [index for index, each in enumerate(updates.layers) if each.marked]
        if layer not in marked:
            got = "as no small set of neurons writes a break here" if layer is None else f"got {layer!r}"
            raise TokvizError(f"layer: expected a marked one, {marked or 'of which there are none'}, {got}")
        shares = updates.layers[layer].neuron_shares
        if shares is None:
            raise TokvizError(f"layer {layer}: its MLP's neurons can't be separated")
        return shares

    @arguments.instead_of_options()
    def without(
        self,
        neurons: Sequence[int] | None = None,
        *,
        layer: int | None = None,
        value: float | str = "zero",
        quiet: bool | None = None,
    ) -> Capture:
        """The same words with neurons of a layer's MLP set to a value: captured, or taken from what the cache has.

        Of several templates that is the first: ``measure().in_first_template`` is what to compare it with.

        Parameters
        ----------
        neurons, layer : those that write the break by default.
        value : ``zero``, ``mean`` (at position 0 only, the mean over the reference words) or a number.
        quiet : whether nothing is said; as in the study by default.

        Raises
        ------
        TokvizError : there are no such neurons, or the model gives no finite states so.
        """
        self._require_model("without", "whose neurons can be set")
        if layer is None or neurons is None:
            breaking = beside.breaking(self.updates())
            layer = breaking.layer if layer is None else layer
            neurons = breaking.neurons if neurons is None else neurons
        layer, neurons = arguments.plain(layer), arguments.numbers("neurons", neurons)
        value = arguments.plain(value)
        known = (each.key for each in self.context.of(Interventions) if each.what.does(layer, neurons, value))
        if (found := next((key for key in known if key in self.context.all_captured), None)) is not None:
            return replace(self, captured=self.context.all_captured[found])
        model = self.context.model
        asked = {"model": model.display_name, "layer": layer, "neurons": neurons, "value": value}
        table = configuration.intervention(asked, Path(os.curdir) / "without(…)")
        config = self.plan.config.model_copy(update={"models": [model], "interventions": [table]})
        plan, context = self._captured_beside(config, quiet)
        made = next(each for each in context.of(Interventions) if each.what.rule == "by_hand")
        if made.key not in context.all_captured:
            raise TokvizError(f"{made.what.described}: {made.failure}")
        return replace(self, plan=plan, context=context, captured=context.all_captured[made.key])

    @arguments.instead_of_options()
    def untrained(self, *, quiet: bool | None = None) -> dict[str, Capture]:
        """The same words in untrained models of this form: captured, or taken from what the cache has.

        Parameters
        ----------
        quiet : whether nothing is said; as in the study by default.

        Returns
        -------
        ``random``, with all weights random; after the model's own embedding ``own embedding 1`` to ``5``, with random layers, and
        ``permuted 1`` to ``5``, with its own in another order.

        Raises
        ------
        TokvizError : there is no untrained model of this kind.
        """
        self._require_model("untrained", "that has an untrained form")
        model = self.context.model.model_copy(update={"untrained": True})
        config = self.plan.config.model_copy(update={"models": [model]})
        plan, context = self._captured_beside(config, quiet)
        tried, ordinary = context.of(UntrainedModels), self.captured.inputs.ordinary
        found = {
            each.what.name: replace(
                self,
                plan=plan,
                context=beside.named(context, f"untrained: {each.what.name}"),
                captured=plan.branch(each.states, ordinary),
            )
            for each in tried
            if each.states is not None
        }
        why = "; ".join(dict.fromkeys(each.failure for each in tried if each.failure))
        if why or not found:
            raise TokvizError(why or f"untrained: {beside.NOT_HERE}")
        return arguments.Named("model", found)

    @arguments.instead_of_options()
    def lens(self, *, quiet: bool | None = None) -> LensReading:
        """What each layer would say of these words: read by a Jacobian lens, which is fitted where the cache has none.

        That takes the model itself, and backward passes of four passages of 64 tokens: eight for each category, one for each word.

        Parameters
        ----------
        quiet : whether nothing is said; as in the study by default.

        Raises
        ------
        TokvizError : a lens can't be fitted to this kind of model, or its weights aren't here.
        """
        self._require_model("lens", "whose layers can be read")
        lens = self.captured.inputs.of(Lenses) or beside.fitted_lens(
            self.plan, self.context, self.states, self.in_memory, quiet=self.quiet if quiet is None else quiet
        )
        return LensReading.of(self.plan, self.context.model.display_name, self.captured, lens)

    def _require_model(self, what: str, kind: str) -> None:
        if self.context.model.source.startswith(GIVEN):
            raise TokvizError(f"{what}: expected a model {kind}, but these states were given as numbers")

    def _captured_beside(self, config: ReportConfig, quiet: bool | None) -> tuple[Plan, ContextPlan]:
        plan = beside.captured_beside(config, self.plan, self.in_memory, quiet=self.quiet if quiet is None else quiet)
        return plan, next(each for each in plan.models[0].contexts if each.key == self.context.key)

    def compare(self, other: Capture) -> ModelSimilarity:
        """The layers of this capture against those of another one, over the words that both share."""
        arguments.instance("compare", other, Capture)
        slugs = (self.context.model.slug, other.context.model.slug)
        inputs = self.captured.inputs, other.captured.inputs
        comparison = Comparison(slugs=slugs, inputs=inputs, in_detail=True, comparer=Comparer())
        return similarity(comparison, self.plan.steps)

    def changed(self, tuned: Capture) -> ModelChange:
        """What changed from this model to one of the same form, such as a fine-tuned copy, over the same words.

        Raises ``TokvizError`` where the other capture has other words, another context, other layers, dimensions or tokens.
        """
        return ModelChange.of(self, arguments.instance("changed", tuned, Capture))

    @overload
    def draw(self, layer: int | str = ..., projection: Any = ..., *, ax: None = None, names: bool = ...) -> Drawn: ...

    @overload
    def draw(self, layer: int | str = ..., projection: Any = ..., *, ax: Axes, names: bool = ...) -> Axes: ...

    def draw(
        self,
        layer: int | str = "embedding",
        projection: Any = "standardized",
        *,
        ax: Axes | None = None,
        names: bool = True,
    ) -> Drawn | Axes:
        """The labeled plot of a layer, numbered from 0, or of the ``embedding``; −1 is the last layer.

        Parameters
        ----------
        projection : its name; or another method, or what ``project`` gave of one.
        ax : Matplotlib axes of your own to draw on; these are returned.
        names : with ``ax``, whether the words stand next to their marks.
        """
        found = self._plate(layer, projection)
        if ax is None:
            return Drawn(picture=found)
        from matplotlib.axes import Axes

        from tokviz.draw import on_axes

        if not isinstance(ax, Axes):
            raise TokvizError(f"ax: expected axes of Matplotlib, such as plt.subplots()[1], got {type(ax).__name__}")
        return on_axes.draw(ax, found, names=names)

    def _plate(self, layer: int | str, projection: Any) -> Plate:
        if isinstance(projection, str):
            known = {each.depth: each for each in self._pictures(projection) if isinstance(each, Plate)}
            return known[depth_name(arguments.layer(layer, len(self), list(known)))]
        return plates.by_method(self, layer, projection)

    def draw_beside(self, other: Capture, layer: int | str = -1) -> Drawn:
        """Two captures of the same words next to each other, on the same axes: in another context, or of a model of this form.

        The axes are those of PCA of both captures' standardized states together.

        Raises
        ------
        TokvizError : the other has other words, layers, dimensions or another architecture.
        """
        return plates.on_common_axes(self, other, layer)

    def draw_grid(self, projection: str = "standardized") -> Drawn:
        """All layers in the embedding's axes."""
        projection = arguments.one_of("projection", projection, configuration.PROJECTIONS)
        found = next((picture for picture in self._pictures(projection) if isinstance(picture, Grid)), None)
        if found is None:
            raise TokvizError("grid: the embedding can't be projected, so there are no axes to show the layers in")
        return Drawn(picture=found)

    def _pictures(self, projection: str) -> list[Picture]:
        jobs = self.plan.pictures(self.context.model, self.captured, self.project(projection))
        return [job.picture for job in jobs]

    def to_pandas(self, table: str = "coordinates", *, projections: Sequence[str] = ("standardized",)) -> DataFrame:
        """A data frame, as the CSV file of that name on a site.

        Parameters
        ----------
        table : ``states``, all of them, a row for each layer and word; or ``coordinates``, ``geometry``, ``words_by_layer``,
            ``templates``, ``relations``, ``tokens``, ``updates``, ``writers``, ``attention`` or ``lens``, which is fitted first.
        projections : those whose coordinates, and whose metrics, are wanted.
        """
        asked = arguments.names("projections", projections, "a list of projections")
        projections = [arguments.one_of("projections", each, configuration.PROJECTIONS) for each in asked]
        if table == "states":
            return frames.all_states(list(self), self.states.tokenization.words, self.y)
        report = self._report(projections, measured=table in ("geometry", "templates", "relations"))
        if table == "words_by_layer":
            report = replace(report, same_category=self._recall("same_category"))
        if table == "lens":
            report = replace(report, lens=self.lens().lens)
        return frames.frame(table, report, self.words, self.plan.config)

    def explore(self, *, height: int = 760) -> inline.Explorer:
        """The explorer of this capture in a notebook: point at words, find them, follow them; ``height`` in pixels."""
        height = arguments.whole_number("height", height, "a number of pixels")
        of_words = {name: self._recall(name) for name in ("neighbours", "lens")}
        captured = replace(self._report(self.plan.config.projections), **of_words)
        model = ModelReport(
            slug=self.context.model.slug,
            name=self.context.model.display_name,
            source=public_source(self.context.model.source),
            contexts=(captured,),
        )
        report = site.report_of((model,), self.plan)
        return inline.explorer(report, site.folders(self.plan), height)

    def _recall(self, measure: str) -> Any:
        step = self.captured.measures.get(measure)
        return step and self.plan.steps(step)

    def _report(self, projections: Sequence[str], *, measured: bool = False) -> ContextReport:
        """What a report has of this capture, without pictures."""
        nothing = (None,) * self.states.n_depths
        return ContextReport(
            states=public_states(self.states, self.context.model, self.plan.options.base),
            projections=tuple(
                ProjectionReport(projection=self.project(name), plates=nothing, grid=None, strip=None)
                for name in projections
            ),
            geometry=self.measure(*projections) if measured else None,
            added=tuple(self.plan.steps.all(self.captured.added)) if measured else (),
            relations=deciding.decide_alone(self._recall("relations")) if measured else None,
        )

    def _repr_html_(self) -> str:
        """The facts, and all depths as small plots."""
        card, tokenization = self.states.card, self.states.tokenization
        strip = next((picture for picture in self._pictures("standardized") if isinstance(picture, Strip)), None)
        rows = (
            ("Model", named_with_quantization(self.context.model.display_name, card)),
            ("Words", f"{len(tokenization.words):,}, {self.states.context.label}"),
            (
                "Depths",
                f"embedding and {counted(self.states.n_depths - 1, 'layer')} of {counted(card.least_and_most, 'dimension')}",
            ),
            ("Computed in", card.dtype),
            *(("Tokens", note) for note in tokenization.notes),
        )
        return inline.facts(rows, Drawn(picture=strip)._repr_png_()[0] if strip else None)
