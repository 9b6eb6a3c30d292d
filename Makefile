# hypoloop: every target sets up what it needs. Only Python 3.11+, make and git are expected.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test lint check format lock bench clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 10

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("hypoloop needs Python 3.11 or newer; set PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	@echo "Setting up the environment in $(VENV) from the hashed lock ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## run a real campaign, end to end, and print what it found
	@$(BIN)/hypoloop demo

test: $(READY)  ## run every test; what needs a Docker engine says so when it is skipped
	@$(BIN)/python -m pytest tests

lint: $(READY)  ## format, lint, types, layers, spelling
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/typos

check: lint  ## all of that and the unit tests
	@$(BIN)/python -m pytest tests -q -m "not docker and not prefect and not mlflow and not campaign"

format: $(READY)  ## format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(READY)  ## resolve pyproject.toml into the hashed lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --quiet -o requirements.lock
	@grep -A999 '^uv==' requirements.lock | awk 'NR>1 && !/^ /{exit} {print}' > requirements-uv.lock

bench: $(READY)  ## measure and print: overhead, demo, start of the command line
	@$(BIN)/python -m bench

clean:  ## remove the environment and the caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
