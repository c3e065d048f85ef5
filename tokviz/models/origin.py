"""A configured model, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.location import Location, cached_commit, commit_in_cache, locate, own_cache


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A configured model and where its files are."""

    model: ModelConfig
    base: Path
    """The config's folder."""
    location: Location
    downloads: Path | None = None
    """Where what isn't in the shared Hugging Face cache is downloaded to; None for that cache."""

    @classmethod
    def of(cls, model: ModelConfig, base: Path, downloads: Path | None = None) -> Origin:
        """Find the model's files; raises ``SourceError`` as ``locate`` does."""
        return cls(model=model, base=base, location=locate(model, base), downloads=downloads)

    @property
    def of_tokenizer(self) -> Origin:
        """Where the tokenizer is: with the model, unless the configuration names another place.

        Raises ``SourceError`` when there is nothing at that place.
        """
        named = self.model.tokenizer
        if named is None:
            return self
        values = {"source": named, "revision": None, "sha256": None, "tokenizer": None, "keep_weights": True}
        elsewhere = self.model.model_copy(update=values)
        if self.downloads is not None:  # as the shared cache has it, which the next run looks at
            elsewhere = elsewhere.model_copy(update={"revision": commit_in_cache(elsewhere)})
        try:
            return Origin.of(elsewhere, self.base, self.downloads)
        except SourceError as error:
            raise SourceError(f"{self.model.source}: tokenizer: {error}") from None

    @property
    def path(self) -> Path | None:
        """The folder or GGUF file; None for a hub id."""
        return self.location.path

    @property
    def gguf_file(self) -> Path | None:
        """The GGUF file; None for every other source."""
        return self.location.path if self.location.is_gguf else None

    @property
    def revision(self) -> str:
        """Of a hub model: the commit that ``identity`` names, even if the branch has moved on since."""
        return cached_commit(self.model, self.own_cache) or self.model.revision or "main"

    @property
    def own_cache(self) -> Path | None:
        """Of a hub model: the cache that it is downloaded into and loaded from; None for the shared one."""
        return own_cache(self.model, self.downloads)
