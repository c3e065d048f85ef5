"""The same work step by step, for notebooks and scripts: ``import tokviz``.

What is captured is kept in the same cache as the command's, so a notebook opens what a report has captured at once.
"""

from tokviz import config
from tokviz.notebook.arguments import instead_of_options
from tokviz.notebook.arrays import from_arrays
from tokviz.notebook.capture import Capture
from tokviz.notebook.changed import ModelChange
from tokviz.notebook.drawn import Drawn
from tokviz.notebook.lens import LensReading
from tokviz.notebook.studies import Study, build, study

load = instead_of_options()(config.load)

__all__ = ["Capture", "Drawn", "LensReading", "ModelChange", "Study", "build", "from_arrays", "load", "study"]
