# LogStream: `make demo` shows it, `make test` proves it. Everything is set up as it is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= logstream-data
RATE ?= 500

.DEFAULT_GOAL := help
.PHONY: help demo up test check bench lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## The whole platform with simulated traffic, on this machine; Ctrl-C stops it
	@$(BIN)/logstream up --data-dir $(DATA) --simulate=$(RATE)

up: $(VENV)/.runtime ## The platform, waiting for your logs
	@$(BIN)/logstream up --data-dir $(DATA)

test: check ## Every check: format, lint, types, import contract, tests
	$(BIN)/pytest

check: $(VENV)/.dev ## The checks that run nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Measure every figure the README quotes, against its bar
	$(BIN)/python -m benchmarks.run

lock: $(VENV)/.dev ## Pin dependencies again, by version and hash, from the ranges in pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra build pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra build --extra dev -c requirements/runtime.txt \
		pyproject.toml -o requirements/dev.txt

clean: ## Remove what was set up and kept here
	rm -rf $(VENV) $(DATA) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "LogStream needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
