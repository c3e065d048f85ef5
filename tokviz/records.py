"""The records that stages hand to each other: frozen, keyword-only, with the shape of every array field.

Counts: ``n_words`` unique words, ``n_layers`` layers, ``n_depths`` = ``n_layers`` + 1 (depth 0 is the embedding,
depth k + 1 is after layer k), ``width`` the size of a hidden state (it may differ at the embedding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tokviz.measures import Geometry, LayerSimilarity

N_EXTREMES = 4
"""How many of the largest dimensions at position 0 are kept per word and depth."""


def _require_shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Raise ``ValueError`` with both shapes unless ``array`` has ``shape`` (``None`` stands for any size)."""
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=False))
    if not fits:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")


def depth_name(depth: int) -> str:
    """``embedding`` for depth 0, ``layer k`` for depth k + 1; a depth is spoken of in these words everywhere."""
    return "embedding" if depth == 0 else f"layer {depth - 1}"


# --- words and contexts ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Category:
    """A named list of words: the colour and shape of points."""

    key: str
    label: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WordList:
    """The categories of a report, and the unique words in order of first appearance (rows of every array)."""

    categories: tuple[Category, ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for category in self.categories for word in category.words))

    @cached_property
    def memberships(self) -> tuple[tuple[int, ...], ...]:
        """For each word the indices of its categories, ascending; nearly always one."""
        holders: dict[str, list[int]] = {word: [] for word in self.words}
        for index, category in enumerate(self.categories):
            for word in category.words:
                holders[word].append(index)
        return tuple(tuple(indices) for indices in holders.values())


@dataclass(frozen=True, kw_only=True)
class Context:
    """The text around a word. ``template`` holds ``{word}`` exactly once."""

    name: str
    label: str
    template: str

    def fill(self, word: str) -> tuple[str, int, int]:
        """The text, and where the word starts and ends in it, in characters."""
        before, after = self.template.split("{word}")
        return before + word + after, len(before), len(before) + len(word)


# --- tokens ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TokenizedWord:
    """One word in one context, as the model's tokenizer cuts it."""

    word: str
    text: str
    ids: tuple[int, ...]
    """The whole sequence fed to the model, special tokens included."""
    pieces: tuple[str, ...]
    """The tokenizer's own name of each id, as many as ``ids``."""
    start: int
    """Index in ``ids`` of the word's first token."""
    stop: int
    """One past the word's last token."""

    @property
    def n_tokens(self) -> int:
        return self.stop - self.start

    @property
    def word_pieces(self) -> tuple[str, ...]:
        return self.pieces[self.start : self.stop]


@dataclass(frozen=True, kw_only=True)
class Tokenization:
    """All words of one context for one tokenizer, in the order of ``WordList.words``."""

    words: tuple[TokenizedWord, ...]
    read: str
    """Which of a word's tokens is read: ``last``, ``first``, or the ``mean`` over all."""
    notes: tuple[str, ...] = ()
    """What a reader must know, such as a tokenizer that adds a space of its own; one sentence each."""

    def position(self, row: int) -> int:
        """The index of the token that is read; for ``mean`` the last of those averaged."""
        word = self.words[row]
        return word.start if self.read == "first" else word.stop - 1

    @cached_property
    def positions(self) -> np.ndarray:
        """``(n_words,)`` int64."""
        return np.array([self.position(row) for row in range(len(self.words))], dtype=np.int64)

    @cached_property
    def n_tokens(self) -> np.ndarray:
        """``(n_words,)`` int64: how many tokens each word has."""
        return np.array([word.n_tokens for word in self.words], dtype=np.int64)

    @cached_property
    def reference(self) -> np.ndarray:
        """``(n_words,)`` bool: the reference words, those read at the position that most words share.

        The lowest position wins a tie. A word read elsewhere may differ from the others by its position alone
        (an attention sink forms at position 0), and one such word can take nearly all of PC1's variance.
        """
        values, counts = np.unique(self.positions, return_counts=True)
        commonest: int = values[np.argmax(counts)]
        return np.asarray(self.positions == commonest)

    @property
    def reads_position_0(self) -> bool:
        """Whether the reference words are read there, where attention sinks form; they share one position."""
        return bool((self.positions[self.reference] == 0).any())


# --- models and their hidden states ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a reader must know of a model to trust or repeat its pictures; plain values, stored as JSON."""

    source: str
    """As configured: hub id, folder, file or ``package:NAME/PATH``; never an absolute path of this machine's."""
    identity: str
    """What tells these weights from others: hub commit, SHA-256, or size and time of the files."""
    revision: str | None
    architecture: str
    """Class name of the model that ran, such as ``LlamaModel``."""
    model_type: str
    n_layers: int
    width: int
    embedding_width: int
    n_parameters: int
    vocabulary_size: int
    dtype: str
    """Of the computation, such as ``float32``."""
    checkpoint_dtype: str | None
    """Of the weights on disk where they were not quantised, such as ``bfloat16``."""
    quantization: str | None
    """Such as ``Q4_1 GGUF``; named wherever the model is. None when the weights are not quantised."""
    tokenizer: str
    notes: tuple[str, ...] = ()
    """Sentences for the page: which experts' kernel ran, float16 weights that were run in float32, …"""
    versions: tuple[tuple[str, str], ...] = ()
    """Package and version, of those that made the states."""


@dataclass(frozen=True, kw_only=True)
class CapturedBatch:
    """The states of some words, as ``capture`` yields them; the batches of a capture cover each row once."""

    rows: np.ndarray
    """``(n_batch,)`` int64: which words."""
    states: tuple[np.ndarray, ...]
    """Per depth ``(n_batch, width)`` float32."""
    position0_values: np.ndarray
    """``(n_depths, n_batch, N_EXTREMES)`` float32: the largest |x| of the state *at position 0*, descending."""
    position0_dimensions: np.ndarray
    """``(n_depths, n_batch, N_EXTREMES)`` int32: in which dimensions."""

    def __post_init__(self) -> None:
        n_batch, n_depths = len(self.rows), len(self.states)
        for depth, state in enumerate(self.states):
            _require_shape(f"states[{depth}]", state, (n_batch, None))
        for name in ("position0_values", "position0_dimensions"):
            _require_shape(name, getattr(self, name), (n_depths, n_batch, N_EXTREMES))


@dataclass(frozen=True, kw_only=True)
class HiddenStates:
    """The hidden states of all words of one context in one model."""

    card: ModelCard
    context: Context
    tokenization: Tokenization
    module_paths: tuple[str, ...]
    """Per depth the module's path, as in the post: ``model.embed_tokens``, ``model.layers.0``, …"""
    states: Sequence[np.ndarray]
    """Per depth ``(n_words, width)`` float32; a stored capture reads one depth at a time from its file."""
    position0_values: np.ndarray
    """``(n_depths, n_words, N_EXTREMES)`` float32: the largest |x| at position 0 of each word's sequence, descending."""
    position0_dimensions: np.ndarray
    """``(n_depths, n_words, N_EXTREMES)`` int32: in which dimensions."""
    captured_at: str
    """ISO 8601, UTC."""
    digest: str
    """SHA-256 of the stored states; what is made from them is keyed by it."""

    def __post_init__(self) -> None:
        n_depths, n_words = len(self.module_paths), len(self.tokenization.words)
        if len(self.states) != n_depths:
            raise ValueError(f"states: expected {n_depths} depths, got {len(self.states)}")
        for name in ("position0_values", "position0_dimensions"):
            _require_shape(name, getattr(self, name), (n_depths, n_words, N_EXTREMES))

    @property
    def n_depths(self) -> int:
        return len(self.module_paths)


# --- projections -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The 2-D coordinates of all words at all depths, for one model × context × projection."""

    name: str
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, in each depth's own basis; NaN where a depth can't be projected."""
    explained_variance_ratio: np.ndarray
    """``(n_depths, 2)`` float64 in 0–1, of PC1 and PC2 over the reference words."""
    grid_coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, every depth in the *embedding's* basis; NaN where widths differ."""
    reference: np.ndarray
    """``(n_words,)`` bool: the words that the bases were fitted on."""
    problems: tuple[str | None, ...]
    """Per depth why it can't be projected, or None."""
    grid_problems: tuple[str | None, ...]
    """Per depth why it can't be shown in the embedding's basis, or None."""

    def __post_init__(self) -> None:
        n_depths, n_words = len(self.problems), len(self.reference)
        _require_shape("coordinates", self.coordinates, (n_depths, n_words, 2))
        _require_shape("grid_coordinates", self.grid_coordinates, (n_depths, n_words, 2))
        _require_shape("explained_variance_ratio", self.explained_variance_ratio, (n_depths, 2))
        if len(self.grid_problems) != n_depths:
            raise ValueError(f"grid_problems: expected {n_depths} depths, got {len(self.grid_problems)}")


# --- what is drawn -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """The words of a picture: one object, shared by every picture of a model × context × projection."""

    words: tuple[str, ...]
    memberships: tuple[tuple[int, ...], ...]
    """Per word the indices of its categories."""
    categories: tuple[str, ...]
    """Labels, in the report's order: colour and marker go by index."""
    reference: np.ndarray
    """``(n_words,)`` bool: the others are drawn hollow and don't set the axis limits."""
    several_tokens: np.ndarray
    """``(n_words,)`` bool: drawn hollow."""

    @property
    def hollow(self) -> np.ndarray:
        """``(n_words,)`` bool."""
        return np.asarray(self.several_tokens | ~self.reference)


@dataclass(frozen=True, kw_only=True)
class Plate:
    """One depth's labelled scatter. ``form`` is ``wide`` (1500×1200) or ``phone`` (portrait)."""

    form: str
    model: str
    """Display name, quantisation included: ``SmolLM2-135M-Instruct (Q4_1 GGUF)``."""
    context: str
    """Its label."""
    depth: str
    """``embedding`` or ``layer 11``."""
    points: Points
    coordinates: np.ndarray
    """``(n_words, 2)`` float64."""
    explained_variance_ratio: tuple[float, float]
    labelled: bool = True

    def __post_init__(self) -> None:
        _require_shape("coordinates", self.coordinates, (len(self.points.words), 2))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All depths in the embedding's basis, a panel each with axis limits of its own."""

    form: str
    model: str
    context: str
    points: Points
    depths: tuple[str, ...]
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64; NaN where a depth can't be shown."""
    problems: tuple[str | None, ...]
    """Per depth a short reason in place of the points, or None."""
    explained_variance_ratio: tuple[float, float]
    """Of the embedding's own PC1 and PC2."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """All depths as small unlabelled panels along the depth axis, for the index and under the ruler."""

    form: str
    points: Points
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, each depth's own basis; NaN where a depth can't be projected."""


Picture = Plate | Grid | Strip


# --- the report, gathered: what views turn into pages ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture in the site."""

    path: str
    """From the site's root, with forward slashes."""
    width: int
    height: int
    n_bytes: int


@dataclass(frozen=True, kw_only=True)
class Renditions:
    """The same picture for wide screens and for phones."""

    wide: Image
    phone: Image


@dataclass(frozen=True, kw_only=True)
class ProjectionReport:
    """One model × context × projection: its numbers and its pictures."""

    projection: Projection
    plates: tuple[Renditions | None, ...]
    """Per depth; None where ``projection.problems`` says why."""
    grid: Renditions | None
    strip: Renditions | None


@dataclass(frozen=True, kw_only=True)
class ContextReport:
    """One model × context."""

    states: HiddenStates
    projections: tuple[ProjectionReport, ...]
    """In the order of ``Report.projections``."""
    geometry: Geometry | None = None


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """One configured model: captured, or failed with a message."""

    slug: str
    name: str
    """Without the quantisation; ``display_name`` has it."""
    source: str
    failure: str | None = None
    contexts: tuple[ContextReport, ...] = ()
    """In the order of ``Report.contexts``; empty when the model failed."""

    @property
    def card(self) -> ModelCard | None:
        return self.contexts[0].states.card if self.contexts else None

    @property
    def display_name(self) -> str:
        return named_with_quantization(self.name, self.card)


def named_with_quantization(name: str, card: ModelCard | None) -> str:
    """A model's name for readers: quantised weights are named as such wherever the model is."""
    return f"{name} ({card.quantization})" if card and card.quantization else name


@dataclass(frozen=True, kw_only=True)
class ModelSimilarity:
    """How like the layers of two models are to each other, in one context."""

    model_a: str
    """Slug; the rows of the matrices are its depths."""
    model_b: str
    """Slug; the columns."""
    context: str
    """Name."""
    shared: LayerSimilarity
    """Over the reference words of both."""
    single_token: LayerSimilarity | None
    """Over those of them that are one token in both: tokenisers differ, and so does what a token stands for. None for a
    pair that is summarised only."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the pages show."""

    title: str
    subtitle: str | None
    author: str | None
    site_url: str | None
    intro: str | None
    """The author's introduction as safe HTML."""
    words: WordList
    contexts: tuple[Context, ...]
    projections: tuple[str, ...]
    models: tuple[ModelReport, ...]
    command: str
    """What was typed, such as ``python generate.py``."""
    version: str
    """Of tokviz."""
    similarities: tuple[ModelSimilarity, ...] = ()
    """Of the pairs of models that were compared."""
    downloads: dict[str, str] = field(default_factory=dict)
    """``SLUG/CONTEXT/coordinates.csv`` and the like → path from the site's root."""
