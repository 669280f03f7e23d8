# LogStream: `make demo` shows it, `make test` proves it. Everything is set up as it is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= logstream-data
RATE ?= 500

# What the dashboard's pages are built of; the package is installed again when one changes.
PAGES := $(shell find frontend -name node_modules -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo up test check check-ui browser redis servers servers-soon chaos bench bench-ui lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## The whole platform with simulated traffic, on this machine; Ctrl-C stops it
	@$(BIN)/logstream up --data-dir $(DATA) --simulate=$(RATE)

up: $(VENV)/.runtime ## The platform, waiting for your logs
	@$(BIN)/logstream up --data-dir $(DATA)

# By file, in order: those with a browser come last, so that their platform runs no longer than needed.
TWO_AT_ONCE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: servers-soon check check-ui browser redis ## Every check: format, lint, types, import contract, tests
	$(BIN)/pytest -rs $(TWO_AT_ONCE)

# What can be installed without asking anybody is; for the rest the tests say what they skipped.
MAY_INSTALL = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	apt-get install -y -qq

browser:
	@command -v chromium >/dev/null || { $(MAY_INSTALL) chromium >/dev/null; } || \
		echo "SKIPPED: tests in a real browser need chromium, and it cannot be installed here"

# Minutes of Go where its cache is empty: begun first, and only waited for by the tests that need it.
servers-soon: $(VENV)/.dev
	@$(BIN)/python -m tests.servers.mongodb --beside || true

servers: $(VENV)/.dev redis
	@nice $(BIN)/python -m tests.servers.mongodb || true

redis:
	@command -v redis-server >/dev/null || \
		{ $(MAY_INSTALL) --no-install-recommends redis-server >/dev/null; } || \
		echo "SKIPPED: tests on Redis need redis-server, and it cannot be installed here"

chaos: $(VENV)/.dev servers ## Kill processes at random under load, on every broker and store
	$(BIN)/python -m tests.system.chaos

check: $(VENV)/.dev ## The checks that run nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-ui: $(VENV)/.dev ## The same for the dashboard's pages, where there is Node
	@if command -v npm >/dev/null; then \
		cd frontend && npm run --silent types -- --check && npm run --silent typecheck && \
		npm run --silent lint && npm run --silent test; \
	else echo "SKIPPED: the dashboard's own checks need Node and npm, and there is none"; fi

bench: $(VENV)/.dev ## Measure every figure the README quotes, against its bar
	$(BIN)/python -m benchmarks.run

bench-ui: $(VENV)/.dev ## Measure the dashboard in a real browser, against its budgets
	$(BIN)/python -m benchmarks.ui

lock: $(VENV)/.dev ## Pin dependencies again, by version and hash, from the ranges in pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra build pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra build --extra dev -c requirements/runtime.txt \
		pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 requirements/node.in -o requirements/node.txt

clean: ## Remove what was set up and kept here
	rm -rf $(VENV) $(DATA) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "LogStream needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml hatch_build.py requirements/runtime.txt $(PAGES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements/node.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
