"""The command line: ``python generate.py`` and ``tokviz`` turn report.toml into site/.

Exit codes: 0 the whole report; 1 the configuration is invalid or no model could be captured, and nothing was written,
or ``--dry-run`` says that a model will fail; 2 usage; 3 the report stands, but a model failed and says so on its page;
130 and 143 stopped by Ctrl-C and SIGTERM (``tokviz.run.interrupts``).
"""

from tokviz.cli.building import run

__all__ = ["run"]
