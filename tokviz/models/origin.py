"""Where a model's files are, in the form in which transformers asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.location import Location, cached_commit, is_whole_in_cache, locate


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A configured model and where its files are."""

    model: ModelConfig
    base: Path
    """The config's folder."""
    location: Location

    @classmethod
    def of(cls, model: ModelConfig, base: Path) -> Origin:
        """Find the model's files; raises ``SourceError`` as ``locate`` does."""
        return cls(model=model, base=base, location=locate(model, base))

    @property
    def of_tokenizer(self) -> Origin:
        """Where the tokenizer is: with the model, unless the configuration names another place.

        Raises ``SourceError`` when there is nothing at that place.
        """
        named = self.model.tokenizer
        if named is None:
            return self
        elsewhere = self.model.model_copy(update={"source": named, "revision": None, "sha256": None, "tokenizer": None})
        try:
            return Origin.of(elsewhere, self.base)
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
        return cached_commit(self.model) or self.model.revision or "main"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of every ``from_pretrained``; code from a checkpoint is never trusted.

        The Hub isn't asked for a model that the local Hugging Face cache has: where there is no network, each optional file that
        the repository lacks would be waited for, which takes minutes.
        """
        if self.path is None:
            files: dict[str, Any] = {"pretrained_model_name_or_path": self.model.source, "revision": self.revision}
            if is_whole_in_cache(self.model):
                files["local_files_only"] = True
        elif self.gguf_file is not None:
            files = {"pretrained_model_name_or_path": str(self.path.parent), "gguf_file": self.path.name}
        else:
            files = {"pretrained_model_name_or_path": str(self.path)}
        return {"trust_remote_code": False} | files
