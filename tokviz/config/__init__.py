"""``report.toml``: loaded, validated, and handed on as frozen objects."""

from tokviz.config.loading import load, validated
from tokviz.config.types import (
    MOST_MODELS_COMPARED,
    PROJECTIONS,
    CategoryConfig,
    ContextConfig,
    ModelConfig,
    ReportConfig,
    slugify,
)

__all__ = [
    "MOST_MODELS_COMPARED",
    "PROJECTIONS",
    "CategoryConfig",
    "ContextConfig",
    "ModelConfig",
    "ReportConfig",
    "load",
    "slugify",
    "validated",
]
