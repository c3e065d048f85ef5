"""The same work step by step, for notebooks and scripts: ``import tokviz``.

What is captured is kept in the same cache as the command's, so a notebook opens what a report has captured at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.pages.sentences import depths_name, stage_sentence
from tokviz.records import (
    BreakingNeurons,
    Geometry,
    Grid,
    HiddenStates,
    ModelSimilarity,
    Picture,
    Plate,
    Projection,
    Updates,
    WordList,
    depth_name,
    named_with_quantization,
)
from tokviz.run import pipeline, results
from tokviz.run.options import FORMS, Options
from tokviz.run.plan import Captured, ContextPlan, Plan
from tokviz.run.progress import Quiet, reporter
from tokviz.run.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

load = configuration.load


def study(
    report: ReportConfig | str | Path,
    words: Mapping[str, Sequence[str]] | None = None,
    contexts: Mapping[str, str] | None = None,
    *,
    cache: Path | str = ".cache",
    device: str = "cpu",
    quiet: bool = False,
    **settings: Any,
) -> dict[str, dict[str, Capture]]:
    """Capture every model in every context, or take what the cache has.

    Parameters
    ----------
    report : a loaded configuration; or a model's source, as ``--model`` takes it.
    words : with a source, category → words.
    contexts : with a source, name → template; the word alone, after a space, by default.
    cache : where hidden states, projections and measures are kept.
    settings : with a source, other keys of ``[[models]]``, such as ``revision`` or ``dtype``.

    Returns
    -------
    Name of the model → name of the context → ``Capture``.

    Raises
    ------
    TokvizError : one line that says what was expected, what came and what to do.
    """
    config = report if isinstance(report, ReportConfig) else _config(str(report), words, contexts, settings)
    store = Store(Path(cache))
    options = Options(base=config.file.parent, output=Path("site"), cache=Path(cache), device=device, draws=False)
    with reporter(quiet=quiet) as progress:
        outcome = pipeline.capture_only(config, options, Quiet() if quiet else progress)
    if outcome.failures:
        raise TokvizError("; ".join(f"{failed.name}: {failed.failure}" for failed in outcome.failures))
    plan = Plan(config, replace(options, forms=FORMS[:1]), store)
    return {
        model.model.display_name: {
            name: Capture(plan=plan, context=context, captured=context.captured)
            for name, context in zip((each.name for each in config.contexts), model.contexts, strict=True)
            if context.captured is not None
        }
        for model in plan.models
    }


def _config(
    source: str, words: Mapping[str, Sequence[str]] | None, contexts: Mapping[str, str] | None, settings: dict[str, Any]
) -> ReportConfig:
    if not words or not isinstance(words, Mapping):
        raise TokvizError(
            'words: expected categories and their words, such as {"colors": ["red", "green"]}, got '
            + (repr(words) if words else "none")
        )
    if contexts is not None and not isinstance(contexts, Mapping):
        raise TokvizError(f'contexts: expected names and templates, such as {{"alone": " {{word}}"}}, got {contexts!r}')
    values: dict[str, Any] = {
        "models": [{"source": source, **settings}],
        "words": {key: each if isinstance(each, str) else list(each) for key, each in words.items()},
    }
    if contexts:
        values["contexts"] = [{"name": name, "template": template} for name, template in contexts.items()]
    return configuration.validated(values, Path(os.curdir) / "study(…)")


@dataclass(frozen=True, kw_only=True, repr=False)
class Capture:
    """One model in one context: its hidden states, and what can be made of them."""

    plan: Plan
    context: ContextPlan
    captured: Captured

    @property
    def states(self) -> HiddenStates:
        return self.captured.states

    @property
    def words(self) -> WordList:
        return self.captured.words

    def __repr__(self) -> str:
        card = self.states.card
        name = named_with_quantization(self.context.model.display_name, card)
        return (
            f"{name}, {self.states.context.label}: {len(self.states.tokenization.words):,} words, "
            f"embedding and {self.states.n_depths - 1} layers of {card.width:,} dimensions"
        )

    def project(self, name: str = "standardized") -> Projection:
        """All depths in two dimensions: ``standardized``, ``centered``, ``unit_norm`` or ``without_massive``."""
        if name not in configuration.PROJECTIONS:
            raise TokvizError(f"projection: expected one of {', '.join(configuration.PROJECTIONS)}, got {name!r}")
        captured = self.captured
        job = self.plan.projection(captured.states, captured.ordinary, name)
        return results.projection(captured, name, job, self.plan.store)

    def measure(self, *projections: str) -> Geometry:
        """All measures per depth; those of pictures for the projections that are named, the standardized by default."""
        names = projections or ("standardized",)
        shown = [self.project(name) for name in names]
        captured = self.captured
        job = self.plan.geometry(captured.states, captured.ordinary, captured.words, names)
        return results.geometry(captured, job, shown, self.plan.store)

    def stages(self, projection: str = "standardized") -> tuple[str, ...]:
        """Each stage of the geometry in a sentence, as the report's page has it."""
        geometry, shown = self.measure(projection), self.project(projection)
        at_position_0 = self.states.tokenization.reads_position_0
        return tuple(
            f"{depths_name(stage.first_depth, stage.last_depth)}: "
            f"{stage_sentence(geometry, stage, shown, at_position_0=at_position_0)}"
            for stage in geometry.stages
        )

    def updates(self) -> Updates:
        """What each layer's attention and MLP add to the hidden states, as measured when these were captured."""
        found = self.states.updates
        if found is None:
            raise TokvizError(
                "updates: not measured for a model whose weights are read in every pass, or moved to a GPU"
            )
        return found

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
        if layer is None:
            layer = self._breaking("layer").layer
        marked = [index for index, each in enumerate(updates.layers) if each.marked]
        if layer not in marked:
            raise TokvizError(f"layer: expected a marked one, {marked or 'of which there are none'}, got {layer!r}")
        update = updates.layers[layer]
        if update.mlp_and_neurons is None:
            raise TokvizError(f"layer {layer}: its MLP's neurons can't be separated")
        mlp, neurons = update.mlp_and_neurons
        return {
            dimension: {
                neuron: value / mlp.parts[place]
                for neuron, value in zip(neurons.indices[place], neurons.contributions[place], strict=True)
            }
            for place, dimension in enumerate(update.dimensions)
            if mlp.parts[place]
        }

    def _breaking(self, argument: str) -> BreakingNeurons:
        found = self.updates().breaking
        if found is None:
            raise TokvizError(f"{argument}: expected it to be named, as no few neurons write a break here")
        return found

    def without(
        self, neurons: Sequence[int] | None = None, *, layer: int | None = None, value: float | str = "zero"
    ) -> Capture:
        """The same words with neurons of a layer's MLP set to a value: captured, or taken from what the cache has.

        Parameters
        ----------
        neurons, layer : those that write the break by default.
        value : ``zero``, ``mean`` (at position 0 only, the mean over the reference words) or a number.

        Raises
        ------
        TokvizError : there are no such neurons, or the model gives no finite states so.
        """
        layer = self._breaking("layer").layer if layer is None else layer
        neurons = self._breaking("neurons").neurons if neurons is None else neurons
        known = (each for each in self.context.interventions if each.wanted.does(layer, neurons, value))
        if (found := next((each.captured for each in known if each.captured), None)) is not None:
            return replace(self, captured=found)
        model = self.context.model
        asked = {"model": model.display_name, "layer": layer, "neurons": list(neurons), "value": value}
        table = configuration.intervention(asked, Path(os.curdir) / "without(…)")
        config = self.plan.config.model_copy(update={"models": [model], "interventions": [table]})
        plan = Plan(config, self.plan.options, self.plan.store)
        if plan.models[0].due:
            with reporter(quiet=False) as progress:
                outcome = pipeline.capture_only(config, plan.options, progress)
            if outcome.failures:
                raise TokvizError("; ".join(str(failed.failure) for failed in outcome.failures))
            plan = Plan(config, plan.options, Store(self.plan.store.root))
        context = next(each for each in plan.models[0].contexts if each.key == self.context.key)
        made = next(each for each in context.interventions if each.wanted.rule == "by_hand")
        if made.captured is None:
            raise TokvizError(f"{made.wanted.described}: {made.failure}")
        return Capture(plan=plan, context=context, captured=made.captured)

    def compare(self, other: Capture) -> ModelSimilarity:
        """The layers of this capture against those of another one, over the words that both share."""
        slugs = (self.context.model.slug, other.context.model.slug)
        comparison = self.plan.comparison(slugs, (self.states, other.states), in_detail=True)
        return results.Comparer(self.plan.store).similarity(comparison)

    def draw(self, layer: int | str = "embedding", projection: str = "standardized") -> Drawn:
        """The labelled plate of a layer, numbered from 0, or of the ``embedding``."""
        wanted = layer if isinstance(layer, str) else depth_name(layer + 1)
        plates = [picture for picture in self._pictures(projection) if isinstance(picture, Plate)]
        found = next((plate for plate in plates if plate.depth == wanted), None)
        if found is None:
            shown = f"{plates[0].depth} … {plates[-1].depth}" if plates else "none"
            raise TokvizError(f"layer: expected one that can be shown ({shown}), got {layer!r}")
        return Drawn(picture=found)

    def draw_grid(self, projection: str = "standardized") -> Drawn:
        """All layers in the embedding's basis."""
        found = next((picture for picture in self._pictures(projection) if isinstance(picture, Grid)), None)
        if found is None:
            raise TokvizError("grid: the embedding can't be projected, so there are no axes to show the layers in")
        return Drawn(picture=found)

    def _pictures(self, projection: str) -> list[Picture]:
        jobs = self.plan.pictures(self.context.model, self.captured, self.project(projection))
        return [job.picture for job in jobs]


@dataclass(frozen=True, kw_only=True, repr=False)
class Drawn:
    """A picture, as notebooks show it; ``figure`` is Matplotlib's."""

    picture: Picture

    def __repr__(self) -> str:
        from tokviz.draw import figures

        return ". ".join(figures.described(self.picture))

    @property
    def figure(self) -> Figure:
        """A new Matplotlib figure, to be changed or saved (``figure.savefig("layer.pdf")``)."""
        from tokviz.draw import figures, warm_up

        warm_up()
        return figures.draw(self.picture)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """At half its size, which is sharp on the screens of today."""
        from PIL import Image

        from tokviz.draw import encode

        pixels = Image.fromarray(encode.few_colors(encode.rendered(self.figure)))
        buffer = BytesIO()
        pixels.save(buffer, "PNG", optimize=True)
        return buffer.getvalue(), {"width": pixels.width // 2, "height": pixels.height // 2}


def build(report: ReportConfig, output: Path | str = "site", **options: Any) -> pipeline.Outcome:
    """Write the whole site, as the command does.

    Parameters
    ----------
    options : fields of ``tokviz.options.Options``, such as ``jobs`` or ``device``.
    """
    settings = Options(base=report.file.parent, output=Path(output), cache=Path(".cache"))
    with reporter(quiet=False) as progress:
        return pipeline.run(report, replace(settings, **options), progress)
