"""The types of ``report.toml``: validated, and handed on as frozen objects."""

from __future__ import annotations

import hashlib
import itertools
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from tokviz.config.fields import Markdown, MemorySize, Name, Text, WebAddress, site_address, without_controls
from tokviz.records import Category, Context, HiddenStates, WordList

ProjectionName = Literal["standardized", "centered", "unit_norm", "without_massive"]
PROJECTIONS: tuple[str, ...] = get_args(ProjectionName)
MOST_MODELS_COMPARED = 6
"""Up to so many models every pair is shown layer by layer without being asked for."""
DtypeName = Literal["auto", "float32", "bfloat16"]

LONGEST_SLUG = 100


def slugify(name: str) -> str:
    """A model's name as it stands in file names and addresses: ``Qwen3-4B-Instruct-2507`` → ``qwen3-4b-instruct-2507``."""
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-._")


class Table(BaseModel):
    """A table of the file: unknown keys are refused, nothing changes after loading, strings aren't made numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CategoryConfig(Table):
    """``[words.months]`` with a ``label`` of its own; ``months = [ … ]`` is the short form."""

    label: Text | None = None
    words: list[Text]


class ContextConfig(Table):
    """``[[contexts]]``: the text around each word."""

    name: Name
    """Stands in addresses and folders: lower-case letters, digits, ``.``, ``_``, ``-``."""
    label: Text | None = None
    """How readers see it; the name by default."""
    template: Annotated[str, AfterValidator(without_controls)]
    """Holds ``{word}`` exactly once. A leading space is part of it: ``" {word}"`` is how a word follows another."""

    @field_validator("template")
    @classmethod
    def _holds_one_word(cls, template: str) -> str:
        if template.count("{word}") != 1:
            raise ValueError(f"expected a template that holds {{word}} exactly once, got {template!r}")
        return template


class ModelConfig(Table):
    """``[[models]]``: where a model comes from and how it runs."""

    source: Text
    """A hub id (``Qwen/Qwen3-4B-Instruct-2507``), a folder, a ``.gguf`` file, or ``package:NAME/PATH`` for weights
    that an installed Python package carries."""
    name: Text | None = None
    """How readers see it; the last part of the source by default."""
    revision: Text | None = None
    """Of a hub model: a commit, tag or branch. Pin a commit to make the report repeatable."""
    dtype: DtypeName = "auto"
    """``auto`` is the checkpoint's own; float16 weights run in float32, since hidden states overflow float16."""
    device_map: Text | None = None
    """Handed to transformers: ``auto`` spreads a model over GPUs, memory and disk."""
    max_memory: dict[Annotated[str, Field(pattern=r"^(cpu|mps|\d+)$")], MemorySize] | None = None
    """How much of each device the weights may take: ``{ cpu = "2GiB", 0 = "20GiB" }``, where 0 is the first GPU. What
    doesn't fit is read from the checkpoint, layer by layer, in every forward pass. Implies ``device_map = "auto"``."""
    tokenizer: Text | None = None
    """A hub id or a folder that holds the tokenizer, where it doesn't come with the model; relative to the config."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the one weights file; a file with another hash is refused."""
    note: Markdown | None = None
    """The author's words on the model: Markdown, or the name of a ``.md`` file."""
    notes: dict[str, Markdown] = {}
    """Address on the model's page (``alone/layer-11``, ``alone/stage-4``, ``alone/grid``, ``curves``) → Markdown, or the
    name of a ``.md`` file."""

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
        return last.removesuffix(".gguf") or self.source

    @property
    def slug(self) -> str:
        """A name without Latin letters or digits has none of its own: a hash of it takes its place."""
        name = self.display_name
        return slugify(name) or f"model-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class ReportConfig(Table):
    """The whole of ``report.toml``."""

    title: Text = "Tokens, layer by layer"
    subtitle: Text | None = None
    author: Text | None = None
    description: Text | None = None
    """For search engines and for cards where the report is linked to; the subtitle by default."""
    license: Text | None = None
    """Under which readers may use text and pictures: ``CC BY 4.0``."""
    license_url: WebAddress | None = None
    site_url: Annotated[WebAddress, AfterValidator(site_address)] | None = None
    """Where the report will stand: for canonical links, cards, the sitemap and the 404 page."""
    intro: Markdown | None = None
    """Markdown, or the name of a ``.md`` file, relative to the config; after loading the text itself."""
    words: dict[Name, CategoryConfig]
    """Category → list of words, or a file that holds the same. With ``vocabulary = true`` beside them, every token of each
    model's vocabulary is a word, and the categories' words are landmarks among them."""
    vocabulary: bool = False
    """Stands in the table of words."""
    layers: list[Literal["embedding"] | Annotated[int, Field(ge=0)]] | None = None
    """Stands beside ``vocabulary``: the embedding, and layers from 0 on; all by default."""
    contexts: list[ContextConfig] = Field(default=[ContextConfig(name="alone", template=" {word}")], min_length=1)
    projections: list[ProjectionName] = Field(default=["standardized", "centered"], min_length=1)
    """The first is shown first."""
    read: Literal["last", "first", "mean"] = "last"
    """Which of a word's tokens is read, or the mean over all of them."""
    models: list[ModelConfig] = Field(min_length=1)
    compare: list[Annotated[list[Text], Field(min_length=2, max_length=2)]] | None = None
    """Pairs of models, by name, that are shown layer by layer; all pairs by default, up to six models. The summary has
    every pair."""
    token_budget: Annotated[int, Field(ge=64)] = 65_536
    """The most tokens, padding included, of one forward pass."""

    _file: Path | None = PrivateAttr(default=None)
    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def file(self) -> Path:
        """Where the configuration was read, to name it in what is said of it."""
        return self._file or Path("report.toml")

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read to make the configuration, as it was opened: the config itself, words, Markdown.

        None of them may be replaced or removed by what a run writes. Empty where no file was read, as in a notebook.
        """
        return self._files

    @model_validator(mode="before")
    @classmethod
    def _vocabulary_among_words(cls, values: Any) -> Any:
        """``[words] vocabulary = true`` says what the words are; a list of that name is a category."""
        words = values.get("words") if isinstance(values, dict) else None
        if not isinstance(words, dict) or not isinstance(words.get("vocabulary"), bool):
            return values
        taken = {key: words[key] for key in ("vocabulary", "layers") if key in words}
        return {**values, **taken, "words": {key: value for key, value in words.items() if key not in taken}}

    @field_validator("words", mode="before")
    @classmethod
    def _short_forms(cls, words: Any) -> Any:
        if not isinstance(words, dict):
            return words
        return {key: {"words": value} if isinstance(value, list) else value for key, value in words.items()}

    @model_validator(mode="after")
    def _makes_sense(self) -> ReportConfig:
        self._check_words()
        _refuse_repeats("contexts", "name", [context.name for context in self.contexts])
        _refuse_repeats("projections", "entry", list(self.projections))
        for index, model in enumerate(self.models):
            if len(model.slug) > LONGEST_SLUG:
                raise ValueError(
                    f"models.{index}.name: expected at most {LONGEST_SLUG} letters, since files are named after it, got "
                    f"{len(model.slug)}"
                )
            self._refuse_unknown_addresses(index, model)
        _refuse_repeats(
            "models", "slug", [model.slug for model in self.models], hint='; give one of them another "name"'
        )
        if self.license_url and not self.license:
            raise ValueError("license: expected the licence's name beside license_url, got none; add it")
        self._check_pairs()
        return self

    def _check_words(self) -> None:
        if self.layers is not None:
            _refuse_gaps(self.layers)
            if not self.vocabulary:
                raise ValueError('words.layers: expected "vocabulary = true" beside it, got none')
        if self.vocabulary and self.read == "mean":
            raise ValueError(
                'read: expected "last" or "first" for a vocabulary, whose words are single tokens, got "mean"'
            )
        if not self.words and not self.vocabulary:
            raise ValueError("words: expected at least one category, got none")
        for key, category in self.words.items():
            _refuse_empty_or_repeated(key, category.words)

    def _check_pairs(self) -> None:
        names = [model.display_name for model in self.models]
        for index, pair in enumerate(self.compare or ()):
            for name in pair:
                if name not in names:
                    raise ValueError(
                        f"compare.{index}: expected the name of a model, one of {', '.join(names)}, got {name!r}"
                    )
            if pair[0] == pair[1]:
                raise ValueError(f"compare.{index}: expected two different models, got {pair[0]!r} twice")

    def _refuse_unknown_addresses(self, index: int, model: ModelConfig) -> None:
        """As far as known before anything is captured: the number of layers and stages is checked later."""
        contexts = "|".join(re.escape(context.name) for context in self.contexts)
        projections = "|".join(self.projections)
        depth = rf"(embedding|layer-\d+|grid)(/({projections}))?"
        for address in model.notes:
            if address != "curves" and not re.fullmatch(rf"({contexts})/({depth}|stage-\d+)", address):
                first = self.contexts[0].name
                raise ValueError(
                    f"models.{index}.notes: expected an address on the model's page, such as {first}/embedding, "
                    f"{first}/layer-3, {first}/layer-3/{self.projections[-1]}, {first}/stage-2, {first}/grid or curves, "
                    f"got {address!r}"
                )

    @property
    def pairs(self) -> tuple[tuple[tuple[str, str], bool], ...]:
        """The slugs of every pair of models, and whether it is shown layer by layer or in the summary only."""
        slugs = {model.display_name: model.slug for model in self.models}
        named = [(slugs[a], slugs[b]) for a, b in self.compare or ()]
        known = {frozenset(pair) for pair in named}
        others = [pair for pair in itertools.combinations(slugs.values(), 2) if frozenset(pair) not in known]
        all_in_detail = self.compare is None and len(slugs) <= MOST_MODELS_COMPARED
        return (*((pair, True) for pair in named), *((pair, all_in_detail) for pair in others))

    @property
    def word_list(self) -> WordList:
        return WordList(
            categories=tuple(
                Category(key=key, label=category.label or _label(key), words=tuple(category.words))
                for key, category in self.words.items()
            ),
            vocabulary=() if self.vocabulary else None,
        )

    def words_of(self, states: HiddenStates) -> WordList:
        """The words that a capture holds: those of the file or, for a vocabulary, the model's own."""
        return self.word_list.of(states.tokenization)

    @property
    def drawn_texts(self) -> tuple[str, ...]:
        """Every text that pictures may show."""
        words = self.word_list
        return (
            *words.words,
            *(category.label for category in words.categories),
            *(word for category in words.categories for word in category.words),  # landmarks of a vocabulary
            *(context.label for context in self.context_list),
            *(model.display_name for model in self.models),
        )

    @property
    def n_depths(self) -> int | None:
        """How many depths are asked for, from the embedding on; None for all."""
        return None if self.layers is None else len(self.layers)

    @property
    def context_list(self) -> tuple[Context, ...]:
        return tuple(
            Context(name=context.name, label=context.label or _label(context.name).lower(), template=context.template)
            for context in self.contexts
        )


def _label(key: str) -> str:
    return key.replace("_", " ").replace("-", " ").capitalize()


def _refuse_gaps(layers: list[Any]) -> None:
    expected: list[Any] = ["embedding", *range(len(layers) - 1)]
    if not layers or set(layers) != set(expected):
        raise ValueError(
            'words.layers: expected "embedding" and the layers from 0 on without a gap, such as ["embedding", 0, 1], '
            f"got {layers}"
        )


def _refuse_empty_or_repeated(key: str, words: list[str]) -> None:
    if not words:
        raise ValueError(f"words.{key}: expected at least one word, got an empty list")
    seen: set[str] = set()
    for word in words:
        if not word.strip() or word != word.strip():
            raise ValueError(f"words.{key}: expected words without space around them, got {word!r}")
        if word in seen:
            raise ValueError(f"words.{key}: the word {word!r} stands twice; remove one")
        seen.add(word)


def _refuse_repeats(key: str, what: str, values: list[str], hint: str = "; remove or rename one") -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(
                f"{key}.{index}: the {what} {value!r} is already taken by {key}.{values.index(value)}{hint}"
            )
