"""Models captured in contexts: from sources, from a configuration, or from a model that is loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokviz import config as configuration
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import ConfigError, TokvizError
from tokviz.models import AtHand
from tokviz.notebook import arguments
from tokviz.notebook.arguments import Named
from tokviz.notebook.capture import Capture
from tokviz.notebook.loaded import identified
from tokviz.run import pipeline, prune
from tokviz.run.making import named_failure
from tokviz.run.plan.options import FORMS, Options
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.work.progress import Quiet, reporter
from tokviz.text import one_line, shown, suggestion


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

    def __init__(self, plan: Plan, in_memory: Sequence[AtHand] = (), *, quiet: bool = False) -> None:
        given: dict[str, Any] = {"plan": plan, "quiet": quiet}
        at_hand = {each.source: each for each in in_memory}
        super().__init__(
            "model",
            {
                model.model.display_name: Named(
                    "context",
                    {
                        configured.name: Capture(
                            context=context,
                            captured=context.captured,
                            in_memory=at_hand.get(model.model.source),
                            **given,
                        )
                        for configured, context in zip(plan.config.contexts, model.contexts, strict=True)
                        if context.captured is not None
                    },
                )
                for model in plan.models
            },
        )
        self._plan, self._in_memory, self._quiet = plan, tuple(in_memory), quiet

    def __getstate__(self) -> dict[str, Any]:
        """Without the models."""
        return {**vars(self), "_in_memory": ()}

    def __repr__(self) -> str:
        return "\n".join(repr(capture) for contexts in self.values() for capture in contexts.values())

    def _repr_html_(self) -> str:
        return "".join(capture._repr_html_() for contexts in self.values() for capture in contexts.values())

    def report(self, output: Path | str = "site", **options: Any) -> pipeline.Outcome:
        """Write a site of what was captured; see ``build``."""
        options = {"cache": self._plan.options.cache, "quiet": self._quiet, **options}
        with _evaluated(self._in_memory):
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
    model : a source, as ``--model`` takes it, or a list of them; a model of transformers that is loaded, on any device; name →
        source or loaded model, for several; a loaded configuration, or the path of a ``report.toml``.
    words : category → words, or a data frame with a column for each category or with the columns ``word`` and ``category``, or
        words alone; a configuration has its own.
    contexts : name → template, or a list of several; by default as in a configuration: each word alone, and in five sentences if
        these fit the words.
    tokenizer : of models that are loaded; of others, the source of another tokenizer; name → tokenizer where they differ.
    cache : where hidden states, projections and metrics are kept.
    device : where models are loaded to, such as ``"cuda"``, or the number of a GPU; one that is loaded stays where it is.
    quiet : whether nothing is said, here and by what is made of the captures.
    settings : with a source or a loaded model, other keys of ``[[models]]``, such as ``name``, ``revision`` or ``dtype``; and of a
        configuration ``read`` (which of a word's tokens), ``groups``, ``orders``, ``relations``, ``palette`` and ``markers``.

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
    in_memory: tuple[AtHand, ...] = ()
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
        for name in sorted(set(settings) - _KNOWN):
            hint = suggestion(name, sorted(_KNOWN)) or f"; it knows {', '.join(sorted(_KNOWN))}"
            raise TokvizError(f"study: expected arguments that it knows, got {name!r}{hint}")
        of_report = {key: settings.pop(key) for key in list(settings) if key in _OF_REPORT}
        tables, in_memory = _models(_named(model, settings), tokenizer, settings, quiet=quiet)
        config = _config({**of_report, "models": tables}, words, contexts)
    return _captured(config, in_memory, cache, device, quiet=quiet)


def _named(model: Any, settings: Mapping[str, Any]) -> list[tuple[str | None, Any]]:
    """Each model with its name, or None where the mapping is of no names."""
    if isinstance(model, Mapping | list | tuple) and not model:
        raise TokvizError("model: expected at least one model, got none")
    if isinstance(model, Mapping):
        if all(type(each).__name__ in _OF_STATE_DICTS for each in model.values()):
            raise TokvizError(
                "model: expected a model or its source, got a state dict; load it into its model first, with "
                "model.load_state_dict(…)"
            )
        if "name" in settings:
            raise TokvizError(f"name: expected each model's name before it, in the mapping, got {settings['name']!r}")
        return list(model.items())
    if not isinstance(model, list | tuple):
        return [(None, model)]
    if unfit := [each for each in model if not isinstance(each, str | Path)]:
        raise TokvizError(
            f"model: expected sources in a list, got {type(unfit[0]).__name__}; name loaded models, such as "
            '{"Base": base, "Tuned": tuned}'
        )
    return [(None, each) for each in model]


_OF_STATE_DICTS = {"Tensor", "Parameter"}


def _models(
    named: Sequence[tuple[str | None, Any]], tokenizer: Any, settings: Mapping[str, Any], *, quiet: bool
) -> tuple[list[dict[str, Any]], tuple[AtHand, ...]]:
    """Their tables in a configuration, and those that are loaded."""
    tokenizers = tokenizer if isinstance(tokenizer, Mapping) else {name: tokenizer for name, _ in named}
    if unknown := [name for name in tokenizers if name not in dict(named)]:
        raise TokvizError(f"tokenizer: expected names of models, got {shown(unknown[0])}")
    are_loaded = [not isinstance(each, str | Path) for _, each in named]
    alone = [
        name for (name, _), is_loaded in zip(named, are_loaded, strict=True) if is_loaded and name not in tokenizers
    ]
    if alone:
        raise TokvizError(f"tokenizer: expected one of each loaded model, got none of {shown(alone[0])}")
    if any(are_loaded) and (unfit := sorted(set(settings) - _OF_LOADED)):
        raise TokvizError(
            f"{unfit[0]}: expected {', '.join(sorted(_OF_LOADED))} only, as the model is loaded already"
            + _INSTEAD.get(unfit[0], suggestion(unfit[0], _OF_LOADED))
        )
    tables, in_memory = [], []
    with reporter(quiet=quiet) as progress:
        for (name, model), is_loaded in zip(named, are_loaded, strict=True):
            table, own = dict(settings) if name is None else {**settings, "name": name}, tokenizers.get(name)
            if is_loaded:
                in_memory.append(identified(model, own, progress))
                table = {"name": _name_of(in_memory[-1].model), **table}
            elif isinstance(own, str | Path):
                table["tokenizer"] = str(own)
            elif own is not None and not any(are_loaded):
                raise TokvizError(f"tokenizer: expected a source, as the model is one, got {type(own).__name__}")
            tables.append({"source": in_memory[-1].source if is_loaded else str(model), **table})
    return tables, tuple(in_memory)


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


@contextmanager
def _evaluated(in_memory: Iterable[AtHand]) -> Iterator[None]:
    """All of them known to ``load``, and ready to be captured."""
    with ExitStack() as models:
        for each in in_memory:
            models.enter_context(each.evaluated())
        yield


def _captured(config: ReportConfig, in_memory: Sequence[AtHand], cache: Path, device: str, *, quiet: bool) -> Study:
    options = Options(base=config.file.parent, output=Path("site"), cache=cache, device=device, draws=False)
    store = Store(options.cache)
    with reporter(quiet=quiet) as progress, _evaluated(in_memory):
        outcome = pipeline.capture_only(config, options, Quiet() if quiet else progress, refuses=False)
    if outcome.failures:
        failures = (named_failure(failed.name, failed.failure) for failed in outcome.failures)
        raise TokvizError("; ".join(failures))
    plan = Plan(config, replace(options, forms=FORMS[:1]), store)
    if in_memory:
        prune.note_use(store, config, options, prune.place_of(config, options))
    return Study(plan, in_memory, quiet=quiet)


_OF_REPORT = {"read", "groups", "orders", "relations", "palette", "markers"}
"""Keys of a configuration that aren't a model's."""
_KNOWN = _OF_REPORT | set(ModelConfig.model_fields) - {"source"} | {"words", "contexts", "cache", "device", "quiet"}


def _config(values: dict[str, Any], words: Any, contexts: Mapping[str, str | Sequence[str]] | None) -> ReportConfig:
    if contexts is not None and not isinstance(contexts, Mapping):
        raise TokvizError(
            f'contexts: expected names and templates, such as {{"alone": " {{word}}"}}, got {shown(contexts)}'
        )
    values["models"] = [
        {**each, "dtype": arguments.dtype(each["dtype"])} if "dtype" in each else dict(each)
        for each in values["models"]
    ]
    values["words"] = arguments.words(words)
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
        error.args = (_in_python(str(error), list(contexts or ())),)
        raise


def _in_python(text: str, contexts: Sequence[str]) -> str:
    """What is said of a configuration, for those who wrote arguments; they named contexts, which have numbers there."""
    names = {str(index): one_line(str(name)) for index, name in enumerate(contexts)}

    def named(found: re.Match[str]) -> str:
        return f": contexts.{names[found[1]]}" if found[1] in names else found[0]

    text = re.sub(r": contexts\.([0-9]+)\.templates?\b", named, text)
    text = re.sub(r"study\(…\): models\.[0-9]+\.", "study(…): ", text)
    text = re.sub(r"\[\[\w+\]\] with two brackets, as often as there are", "a list of mappings", text)
    return text.replace("expected text in quotes", "expected text").replace("a table", "a mapping")


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
