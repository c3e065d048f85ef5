"""What can go wrong, as errors whose text is one line for the person at the keyboard; of a configuration, a line per mistake.

A message says what was expected, what came, where (file and key; model and layer) and what to do.
"""

from pathlib import Path


class TokvizError(Exception):
    """Base of every error that is reported without a traceback."""


class UnknownNameError(TokvizError, KeyError):
    """There is no model or context of that name."""

    __str__ = Exception.__str__  # not in quotes, as other keys are


class ConfigError(TokvizError):
    """The configuration is invalid; nothing has been written."""


class AddedMeasureError(TokvizError):
    """A measure of another package can't be loaded, or fails; the old site is untouched."""


class ThemeError(TokvizError):
    """A template of the author's own can't be filled; the old site is untouched."""


class ModelError(TokvizError):
    """One model can't be reported; the others go on."""


class SourceError(ModelError):
    """The model's weights or tokenizer can't be found, are refused, or can't be loaded."""


class StructureError(ModelError):
    """The model has no token embeddings and stack of layers where they were looked for."""


class CaptureError(ModelError):
    """The forward pass ran but what it gave can't be used (NaN, infinity, a word without a token)."""


class DeviceError(TokvizError):
    """The device that models should run on isn't there."""


class BackendError(TokvizError):
    """Where work should run can't be reached, or isn't fit for it."""


class UnguardedScriptError(TokvizError):
    """A script that starts processes would run once more in each of them."""


class LostWorkError(TokvizError):
    """A piece of work was lost with its process or worker, each time that it was tried."""


class StoreError(TokvizError):
    """A stored artefact is damaged or can't be written."""


class DiskFullError(StoreError):
    """There is no room for an artefact."""


class DamagedStatesError(StoreError):
    """Stored hidden states aren't as they were written."""

    def __init__(self, folder: Path, tensor: str) -> None:
        super().__init__(folder, tensor)  # so that it can be sent from another process
        self.folder, self.tensor = folder, tensor

    def __str__(self) -> str:
        return f"{self.folder}: {self.tensor} is damaged; delete that folder and run again"


class BusyError(TokvizError):
    """Another run uses the site or the cache, and this one doesn't wait."""


class PublishError(TokvizError):
    """The site can't be put in place; the old one is untouched."""
