# make run: the main job in an environment of its own. make test: the whole test suite.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test browser bench mutants lint types contracts docs check clean

run: $(VENV)/.run
	$(BIN)/neuroemu run

test: $(VENV)/.test $(VENV)/.oracles browser
	$(BIN)/python -m pytest -n auto --dist worksteal -q

# The tests of the report's pages need a Chromium: one that is installed, or playwright's own, or the distribution's.
browser: $(VENV)/.test
	@$(BIN)/python -m tests.browser

bench: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks

# Put small faults into a copy of the package, one at a time, and see that each is caught: about an hour.
mutants: $(VENV)/.test $(VENV)/.oracles
	$(BIN)/python -m tests.mutation

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.lint
	$(BIN)/mypy

contracts: $(VENV)/.lint
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -n -W -q -b html docs docs/_build/html
	$(BIN)/python -m sphinx -n -W -q -b doctest docs docs/_build/doctest

check: test lint types contracts docs

clean:
	rm -rf $(VENV) build dist docs/_build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "neuroemu needs Python 3.11 or newer; name one: make PYTHON=python3.12 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install -q -e .
	@touch $@

# Judges that cannot be installed beside pytest: the file says why. They lie in a folder of their own, off Python's path.
$(VENV)/.oracles: $(VENV)/bin/python tests/oracles/requirements.txt
	$(BIN)/python -m pip install -q --no-deps --upgrade --target $(VENV)/oracles -r tests/oracles/requirements.txt
	@touch $@

$(VENV)/.%: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install -q -e '.[$*]'
	@touch $@
