"""The tables that stand within ``report.toml``: categories, contexts, models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tokviz.config.fields import (
    LONGEST_LABEL,
    MOST_CONTEXTS,
    MOST_NOTES,
    Device,
    Label,
    Markdown,
    MemorySize,
    Mistakes,
    Name,
    Revision,
    Source,
    Template,
    Text,
    Word,
    at_most,
    composed,
    refuse_repeats,
    seen,
    stands_twice,
)
from tokviz.config.names import (
    SAME_LABEL,
    ContextName,
    context_slug,
    default_label,
    find_alike,
    find_same,
    find_taken_names,
    slug,
)
from tokviz.records import Context
from tokviz.text import shown

DtypeName = Literal["auto", "float32", "bfloat16"]
MOST_TEMPLATES = 100
_NO_TEMPLATE = 'expected a text with {word} in it, got none; add template = " {word}"'


def _with_one_word(template: str) -> str:
    if template.count("{word}") != 1:
        raise ValueError(f"expected a template that holds {{word}} exactly once, got {shown(template)}")
    return template


def _has_models(untrained: bool, info: ValidationInfo) -> bool:
    if untrained and info.data.get("models") == []:
        raise ValueError(
            "expected no untrained models where there is no [[models]], as checkpoints are held against the first one; remove it"
        )
    return untrained


Untrained = Annotated[bool, AfterValidator(_has_models)]
"""Of a report, whose models are known by then."""


class Table(BaseModel):
    """A table of the file: unknown keys are refused, nothing changes after loading, strings aren't made numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CategoryConfig(Table):
    """``[words.months]`` with a ``label`` of its own; ``months = [ … ]`` is the short form."""

    label: Label | None = None
    """How readers see the category; made of its key by default."""
    reads_as: Text | None = None
    """What a model would say for it, whose first token the lens reads: `` month``, with the space that it follows in a text; by
    default the label after a space."""
    words: list[Word]
    """Each once, however its accents are written and whatever in it is invisible, without space around it, in any script. A word may
    stand in several categories."""

    @field_validator("words")
    @classmethod
    def _differ(cls, words: list[str]) -> list[str]:
        mistakes = Mistakes()
        if not words:
            mistakes.add((), "expected at least one word, got an empty list")
        first: dict[str, str] = {}
        for index, word in enumerate(words):
            same = first.get(seen(word))
            if not word.strip() or word != word.strip():
                mistakes.add((index,), f"expected words without space around them, got {shown(word)}")
            elif same is not None:
                twice = f"{shown(word)} stands twice; remove one" if same == word else stands_twice(word, same)
                mistakes.add((index,), f"the word {twice}")
            first.setdefault(seen(word), word)
        mistakes.refuse()
        return words


class ContextConfig(Table):
    """``[[contexts]]``: the text around each word."""

    name: ContextName
    """Stands in addresses and folders, in lower-case letters, digits, ``.``, ``_`` and ``-``: ``In a text`` as ``in-a-text``."""
    label: Label | None = None
    """How readers see it; the name by default."""
    template: Annotated[Template, AfterValidator(_with_one_word)] | None = None
    """Holds ``{word}`` exactly once. A leading space is part of it: ``" {word}"`` is how a word follows another."""
    templates: (
        Annotated[
            list[Annotated[Template, AfterValidator(_with_one_word)]],
            Field(min_length=1),
            at_most(MOST_TEMPLATES, "templates"),
        ]
        | None
    ) = None
    """In place of ``template``: several sentences, each once. The first is drawn. All are measured: charts show their median and
    the range between them, and what a report says of the context holds for the median."""

    @model_validator(mode="after")
    def _has_templates(self) -> ContextConfig:
        mistakes = Mistakes()
        if self.template is not None and self.templates is not None:
            mistakes.add(("templates",), 'expected "template" or "templates", got both; remove one')
        elif self.template is None and self.templates is None:
            mistakes.add(("template",), _NO_TEMPLATE)
        for index, each in enumerate(self.templates or ()):
            if each in (self.templates or ())[:index]:
                mistakes.add(
                    ("templates", index), f"expected templates that differ, got {shown(each)} twice; remove one"
                )
        mistakes.refuse()
        return self

    @property
    def record(self) -> Context:
        """Its label is in lower case, as it stands within sentences, unless its author wrote it otherwise."""
        first, *further = self.templates or [self.template or ""]
        label = default_label(self.name).lower() if self.name == self.slug else self.name
        return Context(name=self.slug, label=self.label or label, template=first, further_templates=tuple(further))

    @property
    def template_key(self) -> str:
        return "template" if self.templates is None else "templates"

    @property
    def slug(self) -> str:
        """Its name in addresses and folders."""
        return context_slug(self.name)


SENTENCES = (
    "The word is {word}",
    "I saw {word}",
    "We talked about {word}",
    "She wrote the word {word}",
    "They often mention {word}",
)
"""In which words are read where no contexts are configured."""
MOST_FOREIGN = 0.1
"""The largest share of words with letters that English doesn't have for which these sentences are taken."""


def default_contexts(given: Mapping[str, Any]) -> list[ContextConfig]:
    """Alone, and in sentences, which don't fit a whole vocabulary, nor words of other languages.

    Parameters
    ----------
    given : the configuration's fields so far, without those that are mistaken.
    """
    alone = ContextConfig(name="alone", template=" {word}")
    words = [word for category in given.get("words", {}).values() for word in category.words]
    n_foreign = sum(any(letter.isalpha() and not letter.isascii() for letter in word) for word in words)
    if given.get("vocabulary") or not words or n_foreign > MOST_FOREIGN * len(words):
        return [alone]
    return [alone, ContextConfig(name="sentence", label="in a sentence", templates=list(SENTENCES))]


def differing(contexts: list[ContextConfig]) -> list[ContextConfig]:
    """The same, if readers can tell them apart; raises for others."""
    mistakes = Mistakes()
    names, slugs = [each.name for each in contexts], [each.slug for each in contexts]
    find_taken_names(mistakes, slugs)
    find_alike(mistakes, "contexts", names, slugs)
    refuse_repeats("contexts", "name", names, mistakes=mistakes)
    records = [each.record for each in contexts]
    find_same(mistakes, {(index, "label"): each.label for index, each in enumerate(records)}, SAME_LABEL)
    # The states of a text are captured once, and belong to one context.
    find_same(
        mistakes,
        {
            (index, each.template_key): record.template
            for index, (each, record) in enumerate(zip(contexts, records, strict=True))
        },
        "expected contexts that begin with different templates, got {} twice, whose plots would be the same; remove one, or begin "
        "with another",
    )
    mistakes.refuse()
    return contexts


NO_CONTEXTS: list[ContextConfig] = []
"""That none are configured, which isn't the same as an empty list of them."""


def _by_default(given: Any, info: ValidationInfo) -> Any:
    return default_contexts(info.data) if given is NO_CONTEXTS else given


Contexts = Annotated[
    list[ContextConfig],
    Field(min_length=1),
    at_most(MOST_CONTEXTS, "contexts"),
    BeforeValidator(_by_default),
    AfterValidator(differing),
]


class ModelConfig(Table):
    """``[[models]]``: where a model comes from and how it runs."""

    source: Source
    """A hub id (``Qwen/Qwen3-4B-Instruct-2507``), a folder, a ``.gguf`` file, or ``package:NAME/PATH`` for weights
    that an installed Python package carries."""
    name: Name | None = None
    """How readers see it; the last part of the source by default."""
    revision: Revision | None = None
    """Of a hub model: a commit, tag or branch. Pin a commit to make the report repeatable."""
    dtype: DtypeName = "auto"
    """``auto`` is the checkpoint's own; float16 weights run in float32, since hidden states overflow float16."""
    device_map: Text | None = None
    """Handed to transformers: ``auto`` spreads a model over GPUs, memory and disk."""
    max_memory: Annotated[dict[Device, MemorySize], at_most(1_000, "devices")] | None = None
    """How much of each device the weights may take: ``{ cpu = "2GiB", 0 = "20GiB" }``, where 0 is the first GPU. What
    doesn't fit is read from the checkpoint, layer by layer, in every forward pass. Implies ``device_map = "auto"``."""
    tokenizer: Source | None = None
    """A hub id or a folder that holds the tokenizer, where it doesn't come with the model; relative to the config."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the one weights file; a file with another hash is refused."""
    keep_weights: bool = True
    """Of a hub model: ``false`` downloads it into a folder of its own in tokviz' cache, which is removed when the model is captured.
    Nothing in the Hugging Face cache changes; a model that is there already is read from there."""
    untrained: bool | None = None
    """Whether it is also captured without its training; by default as the report says, of models of at most a billion parameters."""
    lens: bool | None = None
    """Whether it is read what its layers would say; by default as the report says."""
    initializer_range: Annotated[float, Field(gt=0, le=10)] | None = None
    """Of the untrained model's configuration, in place of the model's own: what its class draws most random weights with, as their
    standard deviation. To be given where the source doesn't hold it, as GGUF files don't."""
    note: Markdown | None = None
    """The author's words on the model: Markdown, or the name of a ``.md`` file."""
    notes: Annotated[dict[str, Markdown], at_most(MOST_NOTES, "notes")] = {}
    """Address on the model's page (``alone/layer-11``, ``alone/stage-4``, ``alone/grid``, ``curves``) → Markdown, or the
    name of a ``.md`` file."""

    @model_validator(mode="after")
    def _has_a_short_name(self) -> ModelConfig:
        if len(self.display_name) > LONGEST_LABEL:  # of a source; a name of its own has been checked
            mistakes = Mistakes()
            mistakes.add(
                ("source",),
                f'expected a "name" of at most {LONGEST_LABEL} characters beside a source whose last part is longer, got '
                f"{shown(self.source)}",
            )
            mistakes.refuse()
        return self

    @property
    def placement(self) -> dict[str, Any]:
        """Where transformers puts the weights, as its ``from_pretrained`` takes it; empty when the model is to be whole."""
        if self.device_map is None and self.max_memory is None:
            return {}
        sizes = self.max_memory
        return {
            "device_map": self.device_map or "auto",
            "max_memory": sizes and {int(key) if key.isdigit() else key: size for key, size in sizes.items()},
        }

    @property
    def display_name(self) -> str:
        if self.name:
            return self.name
        last = re.split(r"[/\\]", self.source.rstrip("/\\"))[-1]
        return composed(last.removesuffix(".gguf") or self.source)

    @property
    def slug(self) -> str:
        """Its folders' name."""
        return slug(self.display_name)
