"""Models captured in contexts: from sources, from a configuration, or from a model that is loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import ConfigError, TokvizError
from tokviz.models import AtHand
from tokviz.notebook import arguments
from tokviz.notebook.arguments import Named
from tokviz.notebook.capture import Capture
from tokviz.notebook.loaded import identified
from tokviz.run import pipeline, prune
from tokviz.run.plan.options import FORMS, Options
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.work.progress import Quiet, reporter
from tokviz.text import shown, suggestion


class Study(Named[Named[Capture]]):
    """Name of the model → name of the context → ``Capture``.

    Examples
    --------
    >>> import tokviz
    >>> study = tokviz.study("report.toml", quiet=True)
    >>> list(study), list(study["Tiny"])
    (['Tiny'], ['alone', 'sentence'])
    >>> study.report("site", jobs=1, quiet=True).n_captured
    0
    """

    def __init__(self, plan: Plan, in_memory: AtHand | None, *, quiet: bool = False) -> None:
        given: dict[str, Any] = {"plan": plan, "in_memory": in_memory, "quiet": quiet}
        super().__init__(
            "model",
            {
                model.model.display_name: Named(
                    "context",
                    {
                        configured.name: Capture(context=context, captured=context.captured, **given)
                        for configured, context in zip(plan.config.contexts, model.contexts, strict=True)
                        if context.captured is not None
                    },
                )
                for model in plan.models
            },
        )
        self._plan, self._in_memory, self._quiet = plan, in_memory, quiet

    def __getstate__(self) -> dict[str, Any]:
        """Without the model."""
        return {**vars(self), "_in_memory": None}

    def __repr__(self) -> str:
        return "\n".join(repr(capture) for contexts in self.values() for capture in contexts.values())

    def _repr_html_(self) -> str:
        return "".join(capture._repr_html_() for contexts in self.values() for capture in contexts.values())

    def report(self, output: Path | str = "site", **options: Any) -> pipeline.Outcome:
        """Write a site of what was captured; see ``build``."""
        options = {"cache": self._plan.options.cache, "quiet": self._quiet, **options}
        with self._in_memory.evaluated() if self._in_memory else nullcontext():
            return build(self._plan.config, output, **options)


@arguments.instead_of_options()
def study(
    model: Any,
    words: Any = None,
    contexts: Mapping[str, str | Sequence[str]] | None = None,
    *,
    tokenizer: Any = None,
    cache: Path | str = ".cache",
    device: Any = "cpu",
    quiet: bool = False,
    **settings: Any,
) -> Study:
    """Capture every model in every context, or take what the cache has.

    Parameters
    ----------
    model : a source, as ``--model`` takes it, or a list of them; a model of transformers that is loaded, on any device; a loaded
        configuration, or the path of a ``report.toml``.
    words : category → words, or a data frame with a column for each category or with the columns ``word`` and ``category``, or
        words alone; a configuration has its own.
    contexts : name → template, or a list of several; by default as in a configuration: each word alone, and in five sentences if
        these fit the words.
    tokenizer : of a model that is loaded; of others, the source of another tokenizer.
    cache : where hidden states, projections and metrics are kept.
    device : where models are loaded to, such as ``"cuda"``, or the number of a GPU; one that is loaded stays where it is.
    quiet : whether nothing is said, here and by what is made of the captures.
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
    cache, device = arguments.path("cache", cache), arguments.device(device)
    in_memory = None
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
                    + _INSTEAD.get(unfit[0], suggestion(unfit[0], _OF_LOADED))
                )
            with reporter(quiet=quiet) as progress:
                in_memory = identified(model, tokenizer, progress)
            settings = {"name": _name_of(in_memory.model), **settings}
            model = in_memory.source
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
    return _captured(config, in_memory, cache, device, quiet=quiet)


_OF_LOADED = {"name", "note", "notes"}
"""Keys of ``[[models]]`` that a loaded model may have."""
_INSTEAD = {
    "dtype": "; convert it first, such as model.to(torch.bfloat16)",
    "untrained": "; capture.untrained() gives its untrained models",
}
"""Keys that a loaded model may not have, and what to do."""


def _name_of(model: Any) -> str:
    """The last part of where it came from; of a model that was made here, its class."""
    return Path(str(getattr(model, "name_or_path", ""))).name or type(model).__name__


def _captured(config: ReportConfig, in_memory: AtHand | None, cache: Path, device: str, *, quiet: bool) -> Study:
    options = Options(base=config.file.parent, output=Path("site"), cache=cache, device=device, draws=False)
    store = Store(options.cache)
    with reporter(quiet=quiet) as progress, in_memory.evaluated() if in_memory else nullcontext():
        outcome = pipeline.capture_only(config, options, Quiet() if quiet else progress, refuses=False)
    if outcome.failures:
        failures = (pipeline.named_failure(failed.name, failed.failure) for failed in outcome.failures)
        raise TokvizError("; ".join(failures))
    plan = Plan(config, replace(options, forms=FORMS[:1]), store)
    if in_memory is not None:
        prune.note_use(store, config, options, prune.place_of(config, options))
    return Study(plan, in_memory, quiet=quiet)


def _config(
    sources: Sequence[str],
    words: Any,
    contexts: Mapping[str, str | Sequence[str]] | None,
    settings: dict[str, Any],
) -> ReportConfig:
    if contexts is not None and not isinstance(contexts, Mapping):
        raise TokvizError(
            f'contexts: expected names and templates, such as {{"alone": " {{word}}"}}, got {shown(contexts)}'
        )
    if "dtype" in settings:
        settings = {**settings, "dtype": arguments.dtype(settings["dtype"])}
    values: dict[str, Any] = {
        "models": [{"source": source, **settings} for source in sources],
        "words": arguments.words(words),
    }
    if contexts:
        values["contexts"] = [
            {
                "name": name,
                "template" if isinstance(given, str) else "templates": list(given)
                if isinstance(given, tuple)
                else given,
            }
            for name, given in contexts.items()
        ]
    try:
        return configuration.validated(values, Path(os.curdir) / "study(…)")
    except ConfigError as error:  # what is said of the table of a model is an argument here
        error.args = (_OF_MODEL.sub("study(…): ", str(error)),)
        raise


_OF_MODEL = re.compile(r"study\(…\): models\.[0-9]+\.")


@arguments.instead_of_options()
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
