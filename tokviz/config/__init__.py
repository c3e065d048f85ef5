"""``report.toml``: loaded, validated, and handed on as frozen objects."""

from tokviz.config.extras import DISTRIBUTION, install
from tokviz.config.fields import PLACEHOLDER
from tokviz.config.files import exists, expanded, kind_of_place
from tokviz.config.interventions import InterventionConfig
from tokviz.config.lens import LensConfig
from tokviz.config.loading import intervention, load, model_of, read_toml, validated
from tokviz.config.mistakes import file_name
from tokviz.config.names import slugify
from tokviz.config.pairs import MOST_MODELS_IN_ALL_PAIRS
from tokviz.config.series import CheckpointConfig, SeriesConfig
from tokviz.config.tables import CategoryConfig, ContextConfig, ModelConfig
from tokviz.config.types import PROJECTIONS, ReportConfig
