# wavescribe: every command a developer needs. `make` alone lists them.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-slow soak check bench clean

help: ## list the targets
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## make .venv with the locked dependencies and this project

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "wavescribe needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (some hundred megabytes, once)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--require-hashes --no-deps --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## transcribe speech while it is spoken, with a server on this machine
	$(BIN)/python -m wavescribe.demo $(ARGS)

serve: install ## run the server; ARGS are its flags
	$(BIN)/wavescribe serve $(ARGS)

test: install ## run the tests but the slow ones; ARGS go to pytest
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: install ## run the slow tests; ARGS go to pytest
	$(BIN)/python -m pytest -m slow $(ARGS)

soak: install ## ten minutes of streams that join and leave at full load; ARGS='--seconds 3600' for longer
	$(BIN)/python scripts/soak.py $(ARGS)

check: install ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install ## measure quality, latency, cost and load; ARGS are its flags
	@$(BIN)/wavescribe bench --help >/dev/null 2>&1 || \
		{ echo "make bench: to come; it will run 'wavescribe bench', which this version does not have" >&2; exit 1; }
	$(BIN)/wavescribe bench $(ARGS)

clean: ## remove .venv, caches and builds
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
