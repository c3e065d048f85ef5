"""What a report asks of each model: any process can capture it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tokviz import models
from tokviz.config import CheckpointConfig, ModelConfig, ReportConfig
from tokviz.records import Context, WordList
from tokviz.run.kinds import KINDS
from tokviz.run.kinds.base import Kind, once_each
from tokviz.run.plan.options import Options
from tokviz.run.store import keys

Asked = TypeVar("Asked", bound=Kind[Any, Any])


@dataclass(frozen=True, kw_only=True)
class Template:
    """A context's words in one of its templates."""

    key: str
    """Under which its states are stored."""
    context: Context
    """With this template; of the first one with all."""
    is_measured_only: bool = False
    """Whether it is one of the context's further templates: nothing is asked but its states."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of one model."""

    model: ModelConfig
    base: Path
    """The config's folder; absolute when another process is to look there."""
    device: str
    contexts: tuple[tuple[Template, ...], ...]
    """The templates of each, the one that is drawn first; all contexts, in the order of the configuration."""
    n_breaking: int = 0
    """So many of the first contexts may have the break that is to be switched off; none after the one that has it."""
    words: WordList
    read: str
    token_budget: int
    n_depths: int | None = None
    """How many depths are asked for, from the embedding on; None for all."""
    asked: tuple[Kind[Any, Any], ...] = ()
    """Which kinds of captures beside the states, with their settings."""
    is_forced: bool = False
    """Whether what is stored is made again."""
    waits: bool = True
    """Whether to wait for another run that captures the same."""
    epoch: str | None = field(default_factory=lambda: os.environ.get("SOURCE_DATE_EPOCH"))
    identity: str | None = None
    """Of the model's weights as they are where the report is made; None when they aren't on that machine."""
    captured_from: str | None = None
    """The identity of the model that stored states come from which are to stay; None where all are captured now."""
    due: frozenset[str] | None = None
    """By their keys the templates that the model is to run for, or for what follows from them; None before that is known."""
    anew: frozenset[str] = frozenset()
    """Those of them whose own states are to be captured; the others' are where they aren't stored."""

    @property
    def templates(self) -> list[Template]:
        return once_each((each.key, each) for context in self.contexts for each in context)

    @property
    def templates_due(self) -> list[Template]:
        return [each for each in self.templates if self.due and each.key in self.due]

    def asks(self, kind: type[Asked]) -> Asked | None:
        """How a kind is asked for; None where it isn't."""
        return next((each for each in self.asked if isinstance(each, kind)), None)


def requests(config: ReportConfig, options: Options) -> Iterator[Request]:
    """What a report asks of each of its models, and of the checkpoints of its series.

    Where nothing is measured, nothing is captured to be compared with.
    """
    for model in config.all_models:
        switches_off = config.switches_off and options.measures and not isinstance(model, CheckpointConfig)
        asked = (kind.asked(config, model) for kind in KINDS) if options.measures else ()
        yield Request(
            model=model,
            base=options.base.resolve(),
            device=options.device,
            contexts=tuple(tuple(_templates(each, model, config, options)) for each in config.context_list),
            n_breaking=len(config.contexts) if switches_off else 0,
            words=config.word_list,
            read=str(config.read),
            token_budget=config.token_budget,
            n_depths=config.n_depths,
            asked=tuple(filter(None, asked)),
            is_forced=options.force,
            waits=options.waits,
            identity=models.identity(model, options.base),
        )


def _templates(context: Context, model: ModelConfig, config: ReportConfig, options: Options) -> Iterator[Template]:
    """The context itself, then what it is in each of its further templates, which are measured, if anything is."""
    further = context.further_templates if options.measures else ()
    first = replace(context, further_templates=further)
    for each in (first, *(replace(context, template=text, further_templates=()) for text in further)):
        measured_only = each is not first
        key = keys.states_key(
            model, each, config.word_list, str(config.read), config.n_depths, is_measured_only=measured_only
        )
        yield Template(key=key, context=each, is_measured_only=measured_only)
