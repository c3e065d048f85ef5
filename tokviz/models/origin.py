"""Where a model's files are, in the form in which transformers asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.location import Location, cached_commit, commit_in_cache, is_whole_in_cache, locate, own_cache


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

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of every ``from_pretrained``; code from a checkpoint is never trusted.

        The Hub isn't asked for a model that the local Hugging Face cache has: where there is no network, each optional file that
        the repository lacks would be waited for, which takes minutes.
        """
        if self.path is None:
            files: dict[str, Any] = {"pretrained_model_name_or_path": self.model.source, "revision": self.revision}
            if is_whole_in_cache(self.model, self.own_cache):
                files["local_files_only"] = True
            if self.own_cache is not None:
                files["cache_dir"] = str(self.own_cache)
        elif self.gguf_file is not None:
            files = {"pretrained_model_name_or_path": str(self.path.parent), "gguf_file": self.path.name}
        else:
            files = {"pretrained_model_name_or_path": str(self.path)}
        return {"trust_remote_code": False} | files
