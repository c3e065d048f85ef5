"""The types of ``report.toml``: loaded, validated, and handed on as frozen objects.

Every mistake is one ``ConfigError`` line that names the file and the key, says what was expected and what came.
"""

from __future__ import annotations

import difflib
import itertools
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from tokviz.errors import ConfigError
from tokviz.records import Category, Context, HiddenStates, WordList

ProjectionName = Literal["standardized", "centered", "unit_norm", "without_massive"]
PROJECTIONS: tuple[str, ...] = get_args(ProjectionName)
MOST_MODELS_COMPARED = 6
"""Up to so many models every pair is shown layer by layer without being asked for."""
DtypeName = Literal["auto", "float32", "bfloat16"]

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1)]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
MemorySize = Annotated[str, Field(pattern=r"^\d+(\.\d+)?[KMG]i?B$")]

MARKDOWN_FILE = (".md", ".markdown")
"""One line that ends so, where Markdown may stand, is the name of a file that holds it."""


def slugify(name: str) -> str:
    """A model's name as it stands in file names and addresses: ``Qwen3-4B-Instruct-2507`` → ``qwen3-4b-instruct-2507``."""
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-._")


class _Table(BaseModel):
    """A table of the file: unknown keys are refused, nothing changes after loading, strings aren't made numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CategoryConfig(_Table):
    """``[words.months]`` with a ``label`` of its own; ``months = [ … ]`` is the short form."""

    label: Text | None = None
    words: list[Text]


class ContextConfig(_Table):
    """``[[contexts]]``: the text around each word."""

    name: Name
    """Stands in addresses and folders: lower-case letters, digits, ``.``, ``_``, ``-``."""
    label: Text | None = None
    """How readers see it; the name by default."""
    template: str
    """Holds ``{word}`` exactly once. A leading space is part of it: ``" {word}"`` is how a word follows another."""

    @field_validator("template")
    @classmethod
    def _holds_one_word(cls, template: str) -> str:
        if template.count("{word}") != 1:
            raise ValueError(f"expected a template that holds {{word}} exactly once, got {template!r}")
        return template


class ModelConfig(_Table):
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
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the one weights file; a file with another hash is refused."""
    note: Text | None = None
    """The author's words on the model: Markdown, or the name of a ``.md`` file."""
    notes: dict[str, Text] = {}
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
        return slugify(self.display_name)


class ReportConfig(_Table):
    """The whole of ``report.toml``."""

    title: Text = "Tokens, layer by layer"
    subtitle: Text | None = None
    author: Text | None = None
    description: Text | None = None
    """For search engines and for cards where the report is linked to; the subtitle by default."""
    license: Text | None = None
    """Under which readers may use text and pictures: ``CC BY 4.0``."""
    license_url: WebAddress | None = None
    site_url: WebAddress | None = None
    """Where the report will stand: for canonical links, cards, the sitemap and the 404 page."""
    intro: Text | None = None
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

    @property
    def file(self) -> Path:
        """Where the configuration was read, to name it in what is said of it."""
        return self._file or Path("report.toml")

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
        _refuse_repeats("contexts", "name", [context.name for context in self.contexts])
        _refuse_repeats("projections", "entry", list(self.projections))
        for index, model in enumerate(self.models):
            if not model.slug:
                raise ValueError(
                    f"models.{index}.name: expected a name with a letter or digit, got {model.display_name!r}"
                )
        _refuse_repeats(
            "models", "slug", [model.slug for model in self.models], hint='; give one of them another "name"'
        )
        if self.license_url and not self.license:
            raise ValueError("license: expected the licence's name beside license_url, got none; add it")
        names = [model.display_name for model in self.models]
        for index, pair in enumerate(self.compare or ()):
            for name in pair:
                if name not in names:
                    raise ValueError(
                        f"compare.{index}: expected the name of a model, one of {', '.join(names)}, got {name!r}"
                    )
            if pair[0] == pair[1]:
                raise ValueError(f"compare.{index}: expected two different models, got {pair[0]!r} twice")
        return self

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


# --- loading -----------------------------------------------------------------------------------------------------


def load(
    path: Path, *, models: tuple[str, ...] = (), words_file: Path | None = None, site_url: str | None = None
) -> ReportConfig:
    """Read and validate a report's configuration.

    Parameters
    ----------
    path : the TOML file.
    models : sources that replace the configured models.
    words_file : a TOML file of categories that replaces the configured words.
    site_url : replaces the configured address.

    Raises
    ------
    ConfigError : one line with file, key, what was expected and what came.
    """
    values = _read_toml(path)
    if models:
        values["models"] = [{"source": source} for source in models]
        for key in ("compare", "intro"):  # they speak of the models that are replaced
            values.pop(key, None)
    if site_url:
        values["site_url"] = site_url
    words_source = path
    if words_file is not None:
        values["words"] = _read_toml(words_file)
        words_source = words_file
    elif isinstance(values.get("words"), str):
        words_source = path.parent / values["words"]
        values["words"] = _read_toml(words_source)
    _read_markdown(values, path)
    return validated(values, path, words_source)


def validated(values: dict[str, Any], path: Path, words_source: Path | None = None) -> ReportConfig:
    """The configuration that the values of a file say, or of anything else that ``path`` names.

    Raises ``ConfigError``, as ``load`` does.
    """
    try:
        config = ReportConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_one_line(error, path, words_source or path)) from None
    config._file = path
    return config


def _read_markdown(values: dict[str, Any], config: Path) -> None:
    """Put the text of ``.md`` files in place of their names, where authors may write Markdown."""

    def text(value: Any, key: str) -> Any:
        named = isinstance(value, str) and value.endswith(MARKDOWN_FILE) and "\n" not in value
        return _read_text(config.parent / value, key, config) if named else value

    if "intro" in values:
        values["intro"] = text(values["intro"], "intro")
    models = values.get("models")
    for index, model in enumerate(models if isinstance(models, list) else ()):
        if not isinstance(model, dict):
            continue
        if "note" in model:
            model["note"] = text(model["note"], f"models.{index}.note")
        if isinstance(model.get("notes"), dict):
            model["notes"] = {
                address: text(note, f"models.{index}.notes.{address}") for address, note in model["notes"].items()
            }


def _read_text(path: Path, key: str, config: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config}: {key}: expected a readable UTF-8 file, got {path}: {_reason(error)}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected a TOML file, found none; create it (report.toml in the project's folder is an example) "
            "or name another"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable UTF-8 TOML file: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _one_line(error: ValidationError, path: Path, words_source: Path) -> str:
    """The first mistake as one line; how many more there are is said at its end."""
    mistakes = error.errors(include_url=False)
    first = mistakes[0]
    location = [part for part in first["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in location)
    file = words_source if location[:1] == ["words"] else path
    kind, value = first["type"], first.get("input")
    if kind == "extra_forbidden":
        text = f"unknown key{_nearest(str(location[-1]), location[:-1])}"
    elif kind == "missing":
        text = "expected a value, got none; add it"
    elif kind == "value_error":
        text = str(first["ctx"]["error"])
        # Checks over several keys name their own key at the start of the text.
        file = words_source if text.startswith("words") else file
    elif kind == "string_pattern_mismatch":
        text = f"expected {_pattern_in_words(first['ctx']['pattern'])}, got {value!r}"
    else:
        text = f"{first['msg'][0].lower()}{first['msg'][1:]}, got {_shown(value)}"
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return ": ".join(part for part in (str(file), key, text) if part) + more


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"


_PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]*$": "lower-case letters, digits, '.', '_' or '-'",
    r"^https?://\S+$": "an address that starts with https:// or http://",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^(cpu|mps|\d+)$": "'cpu', 'mps' or the number of a GPU",
    r"^\d+(\.\d+)?[KMG]i?B$": "a size such as '2GiB'",
}


def _pattern_in_words(pattern: str) -> str:
    return _PATTERNS.get(pattern, f"text that matches {pattern}")


def _nearest(key: str, table: list[Any]) -> str:
    """``; did you mean 'contexts'?`` when a key of that table is near."""
    tables: dict[str, type[_Table]] = {"models": ModelConfig, "contexts": ContextConfig, "words": CategoryConfig}
    owner: type[_Table] = tables.get(str(table[0]), ReportConfig) if table else ReportConfig
    known = list(owner.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys are {', '.join(known)}"
