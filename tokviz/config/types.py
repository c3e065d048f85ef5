"""The whole of ``report.toml``: validated, and handed on as one frozen object."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tokviz.config.addresses import check_addresses
from tokviz.config.fields import (
    MOST_CATEGORIES,
    MOST_LAYERS,
    MOST_MARKS,
    MOST_MODELS,
    MOST_WORDS,
    Color,
    FilledMarkdown,
    FilledText,
    Mistakes,
    Name,
    Text,
    TokenRead,
    WebAddress,
    at_most,
    refuse_alike,
    refuse_repeats,
    site_address,
)
from tokviz.config.files import expanded
from tokviz.config.finding import FindingConfig, Known
from tokviz.config.finding import fitting as fitting_finding
from tokviz.config.interventions import AutoOrByHand, InterventionConfig, Interventions, fitting
from tokviz.config.lens import LensOrTrue
from tokviz.config.loss import LossConfig
from tokviz.config.names import SAME_LABEL, category_slug, default_label, find_alike, find_same
from tokviz.config.pairs import Pairs, compared_pairs, fitting_pairs
from tokviz.config.relations import (
    FITTING,
    MOST_RELATIONS,
    OrderConfig,
    RelationConfig,
    order_records,
    relation_records,
)
from tokviz.config.series import MOST_SERIES, RENAME, SeriesConfig, refuse_shared_folders
from tokviz.config.tables import NO_CONTEXTS, CategoryConfig, Contexts, ModelConfig, Table, Untrained
from tokviz.records import Category, Context, HiddenStates, Look, Marks, Order, Relation, WordList
from tokviz.records.axes import Aspect
from tokviz.records.look import PALETTE, PLATE_SIZE, SHAPES, ShapeName
from tokviz.text import shown

ProjectionName = Literal["standardized", "centered", "unit_norm", "without_massive"]
PROJECTIONS: tuple[str, ...] = get_args(ProjectionName)
LEAST_PLATE, MOST_PLATE = 750, 3_000
"""Pixels of a plate's width."""
NO_MODEL = 'expected at least one model, got none; add a table [[models]] with a line source = "…"'
REPLACED = "models are replaced"
"""In the context of a validation: whether the command line gave other models, so that what speaks of theirs is left out."""


class ReportConfig(Table):
    """The whole of ``report.toml``."""

    title: FilledText = "Tokens, layer by layer"
    """This, the subtitle, the description and the introduction may hold ``{n_words}``, ``{n_categories}``, ``{n_models}`` and
    ``{n_layers}``, which the report fills with its numbers."""
    subtitle: FilledText | None = None
    """Below the title, on the first page."""
    author: Text | None = None
    """Among the facts on the first page, and in the citation on the method page."""
    description: FilledText | None = None
    """For search engines and for previews where the report is linked to; the subtitle by default."""
    license: Text | None = None
    """Under which readers may use text and images: ``CC BY 4.0``."""
    license_url: WebAddress | None = None
    """Where the license can be read; stands next to ``license``."""
    site_url: Annotated[WebAddress, AfterValidator(site_address)] | None = None
    """Where the report will stand: for canonical links, link previews, the sitemap and the 404 page."""
    intro: FilledMarkdown | None = None
    """Markdown, or the name of a ``.md`` file, relative to the config; after loading the text itself."""
    vocabulary: bool = False
    """Stands in the table of words: whether every token of a model's vocabulary is a word."""
    words: Annotated[dict[Name, CategoryConfig], at_most(MOST_CATEGORIES, "categories")]
    """Category → list of words, or a TOML, TXT, CSV or JSON file that holds the same. With ``vocabulary = true`` next to them,
    every token of each model's vocabulary is a word, and the categories' words are landmarks among them."""
    layers: (
        Annotated[list[Literal["embedding"] | Annotated[int, Field(ge=0)]], at_most(MOST_LAYERS, "layers")] | None
    ) = None
    """Stands next to ``vocabulary``: the embedding, and layers from 0 on; all by default."""
    contexts: Contexts = Field(default_factory=lambda: NO_CONTEXTS, validate_default=True)
    """The texts around each word, in the order in which pages have them. By default each word alone and in five English sentences;
    only alone where over a tenth of the words have letters that English doesn't, and with ``vocabulary = true``."""
    projections: Annotated[list[ProjectionName], at_most(100, "projections")] = Field(
        default=["standardized", "centered"], min_length=1
    )
    """How the hidden states of a layer are scaled before PCA. The first is shown first."""
    read: TokenRead = "last"
    """Which of a word's tokens is read, or the mean over all of them; a number: that token of each text, 0 the first, −1 the last."""
    series: Annotated[list[SeriesConfig], at_most(MOST_SERIES, "series")] = Field(default=[])
    """Models at several steps of their training; ``--model`` takes their place, too."""
    models: Annotated[list[ModelConfig], at_most(MOST_MODELS, "models")] = Field(default=[], validate_default=True)
    """In the order in which pages have them; ``--model`` takes their place. At least one, where there is no series."""
    compare: Pairs | None = None
    """Pairs of models, by name, that are shown layer by layer; all pairs by default, up to six models. The summary has
    every pair of up to eight models; of more, each with the first one, and these pairs."""
    changes: Pairs | None = None
    """Pairs of models of one form, by name, before and after a training or another change: each has a page of its own. By default
    each model with the first one that has as many layers and dimensions and the same tokens; ``[]`` for none."""
    interventions: Interventions = "auto"
    """Whether neurons that write a break are switched off, to see what is then; or which ones are set to what, besides."""
    loss: LossConfig | None = None
    """The text on which it is measured how well a model predicts the next token without these neurons."""
    untrained: Untrained = False
    """Whether each model of at most a billion parameters is also captured without its training, as a control: with all weights
    random, and with random layers after its own embedding. A model's own table may say otherwise."""
    lens: LensOrTrue = None
    """``true``, or a table ``[lens]`` with a ``text``: whether it is also read what each layer of a model would say (Jacobian lens).
    Of decoders whose weights fit in memory; it takes about as long as a training step on each of the words. A model's own table may
    say ``lens = false``."""
    relations: Annotated[list[RelationConfig], at_most(MOST_RELATIONS, "relations")] = Field(default=[])
    """Pairs of words, to measure whether they differ by one and the same vector."""
    orders: Annotated[list[OrderConfig], at_most(MOST_RELATIONS, "orders")] = Field(default=[])
    """Words in an order, to measure whether it can be read from their hidden states."""
    groups: Annotated[list[Annotated[list[Text], Field(min_length=2)]], at_most(MOST_WORDS, "groups")] = Field(
        default=[]
    )
    """Words that belong together, such as synonyms, so that they count as one where captures are compared word by word. Forms of one
    word, and words of the same first token or of nearly the same states, are found without."""
    finding: FindingConfig | None = None
    """What the first page opens with; by default a sentence made of the metrics."""
    early: bool = True
    """Whether the first plots are published as soon as they are there, where no complete report stands; never where ``CI`` is set."""
    theme: Text | None = None
    """A folder with templates and assets of your own, relative to the config: they come before those of tokviz."""
    palette: Annotated[list[Color], at_most(MOST_MARKS, "colors")] = Field(default=list(PALETTE), min_length=1)
    """The colors of the categories, in their order; they begin again where there are more categories. Marks on white have them as
    they are; names, and all on a dark ground, are darkened or lightened as far as is needed to be read. The default ones differ
    for readers who don't see all colors, too."""
    markers: Annotated[list[ShapeName], at_most(MOST_MARKS, "markers")] = Field(default=list(SHAPES), min_length=1)
    """The shapes of the categories' marks, in their order; they begin again, too."""
    plate_size: list[Annotated[int, Field(ge=LEAST_PLATE // 2, le=MOST_PLATE)]] = Field(
        default=list(PLATE_SIZE), min_length=2, max_length=2
    )
    """Width and height of a layer's plot as an image, in pixels; in pages its plots have the same shape. From as high as wide to
    twice as wide. Text and marks are enlarged with the width. Phones have upright ones of their own."""
    aspect: Aspect = "equal"
    """``equal``: both axes of a plot have one scale, so that distances in it are distances in its plane. ``fill``: each axis is
    stretched to the plot, and the plot says by what factor."""
    font: Text | None = None
    """A font of your own for labels and numbers, in plots and on pages: a ``.ttf`` or ``.otf`` file of at most 2 MB, relative to the
    config. It is published with the site. What it lacks is taken from the included fonts."""
    token_budget: Annotated[int, Field(ge=64, le=1_000_000_000)] = 65_536
    """The most tokens, padding included, of one forward pass."""

    _file: Path | None = PrivateAttr(default=None)
    _files: tuple[Path, ...] = PrivateAttr(default=())
    _intro_file: Path | None = PrivateAttr(default=None)

    def __repr__(self) -> str:
        return (
            f"ReportConfig({self.title!r}: {len(self.models)} models, {len(self.contexts)} contexts, {self.word_list})"
        )

    __str__ = __repr__

    @property
    def file(self) -> Path:
        """Where the configuration was read, to name it in what is said of it."""
        return self._file or Path("report.toml")

    @property
    def intro_file(self) -> Path | None:
        """Where the introduction was read; None where the configuration itself has it."""
        return self._intro_file

    @property
    def theme_folder(self) -> Path | None:
        """Where the author's own templates and assets are."""
        return self.file.parent / expanded(self.theme) if self.theme is not None else None

    @property
    def font_file(self) -> Path | None:
        """Where the author's own font is."""
        return self.file.parent / expanded(self.font) if self.font is not None else None

    @property
    def look(self) -> Look:
        """What pictures and pages have of the author's choice."""
        width, height = self.plate_size
        font = self.font_file
        return Look(
            marks=Marks(palette=tuple(self.palette), shapes=tuple(self.markers)),
            plate_size=(width, height),
            aspect=self.aspect,
            font=None if font is None else f"assets/fonts/own{font.suffix.lower()}",
        )

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
        refuse_alike("the category", [key for key in words if isinstance(key, str)])
        full = {key: {"words": value} if isinstance(value, list) else value for key, value in words.items()}
        lists = [value["words"] for value in full.values() if isinstance(value, dict) and "words" in value]
        n_words = sum(len(value) for value in lists if isinstance(value, list))
        if n_words > MOST_WORDS:
            raise ValueError(f"expected at most {MOST_WORDS:,} words in all categories together, got {n_words:,}")
        return full

    @field_validator("license_url")
    @classmethod
    def _has_a_license(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and info.data.get("license", "") is None:
            raise ValueError("expected the license's name with it, as license, got none; add it")
        return url

    @field_validator("words")
    @classmethod
    def _are_some(cls, words: dict[str, CategoryConfig], info: ValidationInfo) -> dict[str, CategoryConfig]:
        if not words and not info.data.get("vocabulary"):
            raise ValueError("expected at least one category, got none")
        mistakes = Mistakes()
        find_alike(mistakes, "words", list(words), [category_slug(key) for key in words])
        mistakes.refuse()
        find_same(mistakes, {(key, "label"): _label(key, each) for key, each in words.items()}, SAME_LABEL)
        mistakes.refuse()
        return words

    @field_validator("layers")
    @classmethod
    def _have_no_gaps(cls, layers: list[Any] | None, info: ValidationInfo) -> list[Any] | None:
        if layers is None:
            return None
        if not layers or set(layers) != {"embedding", *range(len(layers) - 1)}:
            raise ValueError(
                'expected "embedding" and the layers from 0 on without a gap, such as ["embedding", 0, 1], '
                f"got {shown(layers)}"
            )
        if not info.data.get("vocabulary"):
            raise ValueError('expected "vocabulary = true" beside it, got none')
        return layers

    @field_validator("read")
    @classmethod
    def _fits_the_vocabulary(cls, read: str | int, info: ValidationInfo) -> str | int:
        if read not in {"last", "first"} and info.data.get("vocabulary"):
            raise ValueError(f'expected "last" or "first" for a vocabulary of single tokens, got {shown(read)}')
        return read

    @field_validator("projections")
    @classmethod
    def _stand_once(cls, projections: list[str]) -> list[str]:
        refuse_repeats("projections", "entry", projections)
        return projections

    @field_validator("plate_size")
    @classmethod
    def _is_neither_upright_nor_flat(cls, size: list[int]) -> list[int]:
        width, height = size
        if not (width >= LEAST_PLATE and height <= width <= 2 * height):
            raise ValueError(
                f"expected width and height in pixels, the width {LEAST_PLATE:,} or more and once to twice the height, such as "
                f"[1500, 1000], got {shown(size)}"
            )
        return size

    @field_validator("models")
    @classmethod
    def _have_folders_and_notes_addresses(cls, models: list[ModelConfig], info: ValidationInfo) -> list[ModelConfig]:
        mistakes = Mistakes()
        if not models and info.data.get("series") == []:
            mistakes.add((), NO_MODEL)
        if "contexts" in info.data and "projections" in info.data:  # else these are to be mended first
            for index, model in enumerate(models):
                of_report = (info.data["contexts"], info.data["projections"], TOP_LEVEL)
                check_addresses(mistakes, index, model, *of_report)
        checkpoints = {each.slug for of in info.data.get("series", ()) for each in of.models}
        for index, model in enumerate(models):
            if model.slug in checkpoints:
                mistakes.add((index,), f"the slug {shown(model.slug)} is already taken by a checkpoint{RENAME}")
        refuse_repeats("models", "slug", [model.slug for model in models], RENAME, mistakes)
        return models

    @field_validator("series")
    @classmethod
    def _have_names_of_their_own_too(cls, series: list[SeriesConfig], info: ValidationInfo) -> list[SeriesConfig]:
        if series and info.data.get("vocabulary"):
            raise ValueError('expected lists of words for a series, got "vocabulary = true"; remove one of them')
        refuse_shared_folders(series)
        return series

    @field_validator("compare", "changes")
    @classmethod
    def _names_models(cls, pairs: list[list[str]] | None, info: ValidationInfo) -> list[list[str]] | None:
        models = info.data.get("models")
        names = None if models is None else [model.display_name for model in models]
        return pairs and fitting_pairs(info.field_name or "", pairs, names)

    @field_validator("interventions")
    @classmethod
    def _fit_the_models(cls, value: AutoOrByHand, info: ValidationInfo) -> AutoOrByHand:
        if isinstance(value, str):
            return value
        if info.data.get("models") == []:
            raise ValueError(
                "expected none where there is no [[models]], as neurons of checkpoints are left as they are; remove them"
            )
        names = [model.display_name for model in info.data.get("models", ())]
        return fitting(
            value, names, vocabulary=bool(info.data.get("vocabulary")), drops=bool((info.context or {}).get(REPLACED))
        )

    @field_validator("relations", "orders", "groups")
    @classmethod
    def _fit_the_words(cls, value: Any, info: ValidationInfo) -> Any:
        return FITTING[info.field_name or ""](value, info.data["words"]) if "words" in info.data else value

    @field_validator("finding")
    @classmethod
    def _fits_the_captures(cls, finding: FindingConfig | None, info: ValidationInfo) -> FindingConfig | None:
        values = info.data
        if finding is None or not {"models", "contexts", "projections", "layers", "interventions"} <= values.keys():
            return finding  # these are to be mended first
        known = Known(
            models=[model.slug for model in values["models"]],
            contexts=[context.slug for context in values["contexts"]],
            projections=values["projections"],
            n_depths=None if values["layers"] is None else len(values["layers"]),
            has_changes=values["interventions"] != "off" and not values["vocabulary"],
        )
        return fitting_finding(finding, known)

    @property
    def all_models(self) -> tuple[ModelConfig, ...]:
        """All that are captured: the models, then the checkpoints of each series."""
        return (*self.models, *(model for each in self.series for model in each.models))

    @property
    def pairs(self) -> tuple[tuple[tuple[str, str], bool], ...]:
        """The slugs of the pairs of models that are compared, and whether one is shown layer by layer or in the summary only."""
        return self.pairs_among({model.slug for model in self.models})

    def pairs_among(self, known: Collection[str]) -> tuple[tuple[tuple[str, str], bool], ...]:
        """Those of models that can be compared; ``known``: their slugs."""
        return compared_pairs({model.display_name: model.slug for model in self.models}, self.compare, known)

    @property
    def changed_pairs(self) -> tuple[tuple[str, str], ...] | None:
        """The slugs of models before and after; None where the models' form decides."""
        slugs = {model.display_name: model.slug for model in self.models}
        return None if self.changes is None else tuple((slugs[a], slugs[b]) for a, b in self.changes)

    @property
    def word_list(self) -> WordList:
        return WordList(
            categories=tuple(
                Category(key=category_slug(key), label=_label(key, each), words=tuple(each.words))
                for key, each in self.words.items()
            ),
            vocabulary=() if self.vocabulary else None,
            groups=tuple(map(tuple, self.groups)),
        )

    @property
    def read_as(self) -> tuple[str, ...]:
        """What a model would say for each category."""
        return tuple(each.reads_as or f" {_label(key, each)}" for key, each in self.words.items())

    @property
    def relation_list(self) -> tuple[Relation, ...]:
        return relation_records(self.relations, self.words)

    @property
    def order_list(self) -> tuple[Order, ...]:
        return order_records(self.orders, self.words)

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
            *(model.display_name for model in self.all_models),
            *(each.label for each in self._listed if each.label),
        )

    @property
    def n_depths(self) -> int | None:
        """How many depths are asked for, from the embedding on; None for all."""
        return None if self.layers is None else len(self.layers)

    @property
    def switches_off(self) -> bool:
        """Whether captures with neurons switched off are made; of whole vocabularies they aren't."""
        return self.interventions != "off" and not self.vocabulary

    def by_hand(self, model: ModelConfig) -> tuple[InterventionConfig, ...]:
        """What the file asks to be set in this model, besides what a break does by itself."""
        return tuple(each for each in self._listed if each.model == model.display_name)

    @property
    def _listed(self) -> list[InterventionConfig]:
        return self.interventions if isinstance(self.interventions, list) else []

    @property
    def context_list(self) -> tuple[Context, ...]:
        return tuple(context.record for context in self.contexts)


def _label(key: str, category: CategoryConfig) -> str:
    return category.label or default_label(key)


TOP_LEVEL = frozenset(ReportConfig.model_fields) - {"words", "vocabulary", "layers"}
"""Keys that stand before the first table, or are tables; the other three may stand in the table of words."""
