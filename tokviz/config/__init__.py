"""``report.toml``: loaded, validated, and handed on as frozen objects."""

from tokviz.config.loading import load, read_toml, validated
from tokviz.config.mistakes import file_name
from tokviz.config.names import slugify
from tokviz.config.types import (
    MOST_MODELS_COMPARED,
    PROJECTIONS,
    CategoryConfig,
    ContextConfig,
    ModelConfig,
    ReportConfig,
)

__all__ = [
    "MOST_MODELS_COMPARED",
    "PROJECTIONS",
    "CategoryConfig",
    "ContextConfig",
    "ModelConfig",
    "ReportConfig",
    "file_name",
    "load",
    "read_toml",
    "slugify",
    "validated",
]
