# Everything a developer types. The environment is made from the lock files and made again when they change.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_FLAGS ?= -n 4 --dist worksteal
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help serve test quick fuzz lint format bench docs screenshots lock clean

help: ## shows this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.run ## serves http://localhost:8000 on an embedded database in this folder
	@exec $(BIN)/authctl serve

# Else every process would compile every module and test for itself where the environment says so.
test quick: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.dev ## runs every test, with coverage
	rm -f .coverage .coverage.*
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(BIN)/coverage run -m pytest $(PYTEST_FLAGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: $(VENV)/.dev ## holds 20,000 made-up requests and their answers against the API description
	$(BIN)/python -m tests.fuzz

quick: $(VENV)/.dev ## runs the tests that neither start programs nor go through whole catalogues
	$(BIN)/pytest $(PYTEST_FLAGS) -q -m "not (process or browser or targets or postgres or thorough)"

lint: $(VENV)/.dev ## checks style, types and formatting
	$(BIN)/ruff check authctl tests bench docs
	$(BIN)/ruff format --check authctl tests bench docs
	$(BIN)/mypy

format: $(VENV)/.dev ## formats the code
	$(BIN)/ruff check --fix authctl tests bench docs
	$(BIN)/ruff format authctl tests bench docs

bench: $(VENV)/.dev ## measures the service on this machine; see bench/README.md
	$(BIN)/python -m bench

docs: $(VENV)/.dev ## writes the README's tables and picture, and the week's page, from the code
	$(BIN)/python -m tests.readme_tables
	$(BIN)/python -m docs.picture
	$(BIN)/python -m docs.week

screenshots: $(VENV)/.dev ## takes pictures of the pages into build/screenshots, and the README's two among them
	$(BIN)/python -m docs.screens

lock: $(VENV)/.lock ## pins the newest versions that fit, with hashes and without addresses
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade $(LOCK) pyproject.toml --extra build -o requirements/run.txt
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade $(LOCK) pyproject.toml --extra build --extra postgres \
	  --extra archive --extra geo --extra test --extra lint -c requirements/run.txt -o requirements/dev.txt

LOCK := --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

clean: ## removes the environment and what tests leave behind; databases and keys stay
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@test -f $(VENV)/.dev || echo "Installing into $(VENV), which is done once ..."
	@test -f $(VENV)/.dev || $(BIN)/pip install --quiet --require-hashes -r requirements/run.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# soft-webauthn does not resolve together with the other pins: requirements/interop.txt says why.
$(VENV)/.dev: requirements/dev.txt requirements/interop.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/interop.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

$(VENV)/.lock:
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet uv
	@touch $@
