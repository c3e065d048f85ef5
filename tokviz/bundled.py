"""The files that come with tokviz and are no Python code.

In a checkout the templates and the sample report stand at its top, where their readers look for them; an installed tokviz
has them in the package's folder.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
IS_INSTALLED = (PACKAGE / "templates").is_dir()
"""Whether this tokviz was built and installed, rather than run from a checkout."""
TEMPLATES = (PACKAGE if IS_INSTALLED else PACKAGE.parent) / "templates"
LOSS_TEXT = PACKAGE / "capture" / "loss_text.txt"
"""Prose on ten subjects, more than 4,096 tokens of a usual tokenizer, written to measure how well a model predicts text."""
STARTERS = PACKAGE / "starters"
"""What ``tokviz init`` writes, a folder for each template."""
SAMPLE = STARTERS / "sample" if IS_INSTALLED else PACKAGE.parent
"""Where the sample's ``report.toml`` and ``notes`` are."""
