"""The captures of a loaded model's untrained controls, beside those of the model itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import CaptureError, SourceError
from tokviz.run.capturing.intervening import Ready, capture_again
from tokviz.run.capturing.lens_fitting import Fitted, fit_lens
from tokviz.run.plan.controls import CONTROLS, Control
from tokviz.run.plan.lenses import Fit
from tokviz.run.plan.tree import Following
from tokviz.run.store.artefacts import Store
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Reporter

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import Structure


def capture_controls(
    ready: Ready,
    model: ModelConfig,
    wanted: Sequence[Following[Control]],
    store: Store,
    reporter: Reporter,
    lens: tuple[Fit, Fitted] | None = None,
) -> None:
    """Capture and store the words of some contexts in untrained models; where one gives no states, keep why and say it.

    What fails for lack of memory is tried again in the next run.

    Parameters
    ----------
    lens : what of the lens is fitted in the model with all weights random, and on what it is in the model itself.
    """
    problems: set[str] = set()
    try:
        if wanted:
            step = reporter.step(f"{ready.name}: capturing, untrained", len(wanted))
            _capture_all(ready, model, wanted, store, problems, step.advance)
        if lens is not None:
            _fit_random(ready, model, lens, store, reporter)
    except models.TooLittleMemoryError as error:
        problems.add(str(error))
    for each in sorted(problems):
        reporter.say(f"{ready.name}: no untrained model: {each}")


def _fit_random(ready: Ready, model: ModelConfig, lens: tuple[Fit, Fitted], store: Store, reporter: Reporter) -> None:
    fit, fitted = lens
    for _, made, problem in _made(ready, model, CONTROLS[:1]):
        if made is None:
            store.put_failure(fit.key, problem)
            continue
        own = replace(
            fitted, module=made.module, structure=made.structure, matrix=made.matrix(fitted.matrix), head=None
        )
        fit_lens(own, [fit], store, reporter, ready.name)


def _capture_all(
    ready: Ready,
    model: ModelConfig,
    wanted: Sequence[Following[Control]],
    store: Store,
    problems: set[str],
    advance: Callable[[], None],
) -> None:
    for control, made, problem in _made(ready, model, [each.what for each in wanted]):
        for each in (each for each in wanted if each.what == control):
            try:
                if made is None:
                    raise CaptureError(problem)
                _capture(ready, made, each, store)
            except CaptureError as error:  # such as values that no longer are finite
                store.put_failure(each.key, str(error))
                problems.add(str(error))
            advance()


@dataclass(frozen=True, kw_only=True)
class _Made:
    """An untrained model."""

    module: nn.Module
    structure: Structure
    notes: tuple[str, ...]

    def matrix(self, trained: Any) -> Any:
        """Its output matrix: its embedding's where they are one, else random like it; ``trained`` is the model's, None without one."""
        import torch

        config: Any = self.module.config
        if trained is None or getattr(config, "tie_word_embeddings", False):
            return trained if trained is None else self.module.get_input_embeddings().weight  # type: ignore[operator]
        generator = torch.Generator().manual_seed(0)
        return torch.randn(trained.shape, generator=generator) * float(getattr(config, "initializer_range", 0.02))


def _made(ready: Ready, model: ModelConfig, wanted: Sequence[Control]) -> Iterator[tuple[Control, _Made | None, str]]:
    """Each control with its module, which holds until the next one is made; or why there is none."""
    from tokviz import capture

    try:
        untrained = models.UntrainedModel(ready.loaded, ready.structure.layers, model.initializer_range)
    except models.TooLittleMemoryError:
        raise
    except SourceError as error:
        yield from ((each, None, str(error)) for each in CONTROLS if each in wanted)
        return
    for each in CONTROLS:
        if each not in wanted:
            continue
        try:
            module = untrained.random(each.seed) if each.kind == "random" else untrained.own_embedding(each.seed)
            found = capture.find_structure(module, ready.loaded.base_model_prefix).up_to(ready.structure.n_layers + 1)
        except (SourceError, CaptureError) as error:
            yield each, None, str(error)
        else:
            yield each, _Made(module=module, structure=found, notes=untrained.notes), ""


def _capture(ready: Ready, made: _Made, asked: Following[Control], store: Store) -> None:
    intact = asked.intact
    captured = capture_again(ready, made.module, made.structure, intact)
    description = CaptureDescription(
        card=replace(intact.card, notes=made.notes),
        context=intact.context,
        tokenization=intact.tokenization,
        module_paths=intact.module_paths,
        captured_at=intact.captured_at,
        batch_check=intact.batch_check,
    )
    with store.states_writer(asked.key, description) as writer:
        for batch in captured:
            writer.add(batch)
