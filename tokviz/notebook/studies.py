"""Models captured in contexts: from sources, from a configuration, or from a model that is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.models import AtHand
from tokviz.notebook import arguments
from tokviz.notebook.capture import Capture
from tokviz.notebook.loaded import Loaded, identified
from tokviz.run import pipeline, prune
from tokviz.run.plan.options import FORMS, Options
from tokviz.run.plan.plan import Plan
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Quiet, reporter


class Study(dict[str, dict[str, Capture]]):
    """Name of the model → name of the context → ``Capture``.

    Examples
    --------
    >>> import tokviz
    >>> study = tokviz.study("report.toml", quiet=True)
    >>> list(study), list(study["Tiny"])
    (['Tiny'], ['alone'])
    >>> study.report("site", jobs=1, quiet=True).n_captured
    0
    """

    def __init__(self, plan: Plan, in_memory: AtHand | None) -> None:
        super().__init__(
            {
                model.model.display_name: {
                    configured.name: Capture(plan=plan, context=context, captured=context.captured, in_memory=in_memory)
                    for configured, context in zip(plan.config.contexts, model.contexts, strict=True)
                    if context.captured is not None
                }
                for model in plan.models
            }
        )
        self._plan, self._in_memory = plan, in_memory

    def __repr__(self) -> str:
        return "\n".join(repr(capture) for contexts in self.values() for capture in contexts.values())

    def _repr_html_(self) -> str:
        return "".join(capture._repr_html_() for contexts in self.values() for capture in contexts.values())

    def report(self, output: Path | str = "site", **options: Any) -> pipeline.Outcome:
        """Write a site of what was captured; see ``build``."""
        with self._in_memory.evaluated() if self._in_memory else nullcontext():
            return build(self._plan.config, output, **{"cache": self._plan.options.cache, **options})


def study(
    model: Any,
    words: Mapping[str, Sequence[str]] | None = None,
    contexts: Mapping[str, str] | None = None,
    *,
    tokenizer: Any = None,
    cache: Path | str = ".cache",
    device: str = "cpu",
    quiet: bool = False,
    **settings: Any,
) -> Study:
    """Capture every model in every context, or take what the cache has.

    Parameters
    ----------
    model : a source, as ``--model`` takes it, or a list of them; a model of transformers that is loaded, on any device; a loaded
        configuration, or the path of a ``report.toml``.
    words : category → words; a configuration has its own.
    contexts : name → template; the word alone, after a space, by default.
    tokenizer : of a model that is loaded; of others, the source of another tokenizer.
    cache : where hidden states, projections and metrics are kept.
    device : where models are loaded to; one that is loaded stays where it is.
    settings : with a source or a loaded model, other keys of ``[[models]]``, such as ``name``, ``revision`` or ``dtype``.

    Raises
    ------
    TokvizError : one line that says what was expected, what came and what to do.

    Examples
    --------
    >>> import tokviz
    >>> words = {"colors": ["red", "blue"], "months": ["May", "June"]}
    >>> captured = tokviz.study(model, words, tokenizer=tokenizer, name="Mine", quiet=True)
    >>> captured["Mine"]["alone"].project().coordinates.shape[1:]
    (4, 2)
    """
    cache = arguments.path("cache", cache)
    loaded = None
    if isinstance(model, str | Path) and str(model).endswith(".toml"):
        model = configuration.load(model)
    if isinstance(model, ReportConfig):
        given = {"words": words, "contexts": contexts, "tokenizer": tokenizer, **settings}
        if superfluous := [name for name, value in given.items() if value is not None]:
            raise TokvizError(
                f"{superfluous[0]}: expected it in the configuration, which has words, contexts and models of its own"
            )
        config = model
    else:
        if not isinstance(model, str | Path | list | tuple):
            if unfit := sorted(set(settings) - _OF_LOADED):
                raise TokvizError(
                    f"{unfit[0]}: expected {', '.join(sorted(_OF_LOADED))} only, as the model is loaded already"
                )
            with reporter(quiet=quiet) as progress:
                loaded = identified(model, tokenizer, Store(cache), progress)
            settings = {"name": _name_of(loaded.at_hand.model), **settings}
            model = loaded.at_hand.source
        elif tokenizer is not None:
            if not isinstance(tokenizer, str | Path):
                raise TokvizError(f"tokenizer: expected a source, as the model is one, got {type(tokenizer).__name__}")
            settings["tokenizer"] = str(tokenizer)
        sources = list(model) if isinstance(model, list | tuple) else [model]
        if unfit := [each for each in sources if not isinstance(each, str | Path)]:
            raise TokvizError(
                f"model: expected sources in a list, got {type(unfit[0]).__name__}; a loaded model is passed by itself"
            )
        config = _config([str(source) for source in sources], words, contexts, settings)
    return _captured(config, loaded, cache, device, quiet=quiet)


def words_given(words: Any) -> dict[str, list[Any]]:
    """Category → words, as a configuration takes them; their order is that of the rows of all that is made of them."""
    if not words or not isinstance(words, Mapping):
        raise TokvizError(
            'words: expected categories and their words, such as {"colors": ["red", "green"]}, got '
            + (repr(words) if words else "none")
        )
    for key, each in words.items():
        if not isinstance(each, Sequence) or isinstance(each, str):
            raise TokvizError(f"words.{key}: expected a list of words, got {type(each).__name__}")
    return {str(key): list(each) for key, each in words.items()}


_OF_LOADED = {"name", "note", "notes"}
"""Keys of ``[[models]]`` that a loaded model may have."""


def _name_of(model: Any) -> str:
    """The last part of where it came from; of a model that was made here, its class."""
    return Path(str(getattr(model, "name_or_path", ""))).name or type(model).__name__


def _captured(config: ReportConfig, loaded: Loaded | None, cache: Path, device: str, *, quiet: bool) -> Study:
    in_memory = loaded.at_hand if loaded else None
    options = Options(base=config.file.parent, output=Path("site"), cache=cache, device=device, draws=False)
    store = Store(options.cache)
    with reporter(quiet=quiet) as progress, in_memory.evaluated() if in_memory else nullcontext():
        outcome = pipeline.capture_only(config, options, Quiet() if quiet else progress)
    if outcome.failures:
        failures = (pipeline.named_failure(failed.name, str(failed.failure)) for failed in outcome.failures)
        raise TokvizError("; ".join(failures))
    plan = Plan(config, replace(options, forms=FORMS[:1]), store)
    if loaded is not None:
        loaded.keep(store)
        prune.note_use(store, config, options, prune.place_of(config, options))
    return Study(plan, in_memory)


def _config(
    sources: Sequence[str],
    words: Mapping[str, Sequence[str]] | None,
    contexts: Mapping[str, str] | None,
    settings: dict[str, Any],
) -> ReportConfig:
    if contexts is not None and not isinstance(contexts, Mapping):
        raise TokvizError(f'contexts: expected names and templates, such as {{"alone": " {{word}}"}}, got {contexts!r}')
    values: dict[str, Any] = {
        "models": [{"source": source, **settings} for source in sources],
        "words": words_given(words),
    }
    if contexts:
        values["contexts"] = [{"name": name, "template": template} for name, template in contexts.items()]
    return configuration.validated(values, Path(os.curdir) / "study(…)")


def build(report: ReportConfig | str | Path, output: Path | str = "site", **options: Any) -> pipeline.Outcome:
    """Write the whole site, as the command does; gives what the run did.

    Parameters
    ----------
    options : ``quiet``, and what ``tokviz build`` takes: ``cache``, ``jobs``, ``device``, ``force``, ``excerpts``; and ``forms``, of
        each image: ``wide`` or ``draft``, with ``phone`` and ``svg`` next to it.

    Raises
    ------
    TokvizError : one line that says what was expected, what came and what to do; an older site is untouched.

    Examples
    --------
    >>> import tokviz
    >>> made = tokviz.build(tokviz.load("report.toml"), "site", jobs=1, quiet=True)
    >>> made.n_images > 0
    True
    """
    quiet = bool(options.pop("quiet", False))
    options = arguments.build_options(options)
    cache = arguments.path("cache", options.pop("cache", ".cache"))
    output = arguments.path("output", output)
    if not isinstance(report, ReportConfig):
        report = configuration.load(report)
    settings = Options(base=report.file.parent, output=output, cache=cache, command="")
    with reporter(quiet=quiet) as progress:
        return pipeline.run(report, replace(settings, **options), progress)
