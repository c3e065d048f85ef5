"""The command line: ``python generate.py`` and ``tokviz`` turn report.toml into site/.

Exit codes: 0 the whole report; 1 the configuration is invalid or no model could be captured, and nothing was written,
or ``--dry-run`` says that a model will fail, or standard output can't be written, and the message says whether the report
stands; 2 usage; 3 the report stands, but a model failed and says so on its page; 130 and 143 stopped by Ctrl-C and SIGTERM
(``tokviz.run.work.interrupts``). What can't be written to standard error is lost, and changes no exit code.
"""

from tokviz.cli.entry import run, run_commands

__all__ = ["run", "run_commands"]
