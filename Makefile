# wavescribe: every command a developer needs. `make` alone lists them.
PYTHON ?= python3
ARGS ?=
VENV := .venv
# Processes that run tests, each whole files of them; most tests wait more than they compute.
WORKERS ?= -n 2 --dist loadfile
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QWEN_STAMP := $(VENV)/.installed-qwen
# The build of torch: cpu, where pip finds the locked one, or cuda.
TORCH ?= cpu
LOCKED = $(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help install install-qwen demo serve test test-slow soak test-web test-qwen check docs reference bench bench-gate results clean

help: ## list the targets
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

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
	$(BIN)/python -m pytest -m "not slow and not qwen" $(WORKERS) $(ARGS)

test-slow: install ## run the slow tests; ARGS go to pytest
	$(BIN)/python -m pytest -m "slow and not qwen and not browser" $(ARGS)

install-qwen: $(QWEN_STAMP) ## add what Qwen3-ASR needs (torch) to .venv

$(QWEN_STAMP): $(STAMP) requirements-qwen.lock requirements-qwen-cpu.lock requirements-qwen-cuda.lock
	@echo "adding torch and what it needs to $(VENV) (some hundred megabytes; gigabytes with CUDA's libraries)"
	@$(LOCKED) -r requirements-qwen.lock
	@{ test "$(TORCH)" = cpu && $(LOCKED) -r requirements-qwen-cpu.lock 2>/dev/null; } || \
		{ echo "taking torch with CUDA: it was asked for, or no locked build without it is offered here"; \
		  $(LOCKED) -r requirements-qwen-cuda.lock; }
	@touch $@

test-qwen: install-qwen ## run the tests of Qwen3-ASR against transformers' model; ARGS go to pytest
	$(BIN)/python -m pytest -m qwen $(ARGS)

test-web: install ## run the page's tests in a real Chromium; ARGS go to pytest
	$(BIN)/python -m pytest -m browser $(ARGS)

soak: install ## ten minutes of streams that join and leave at full load; ARGS='--seconds 3600' for longer
	$(BIN)/python scripts/soak.py $(ARGS)

check: install ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install ## build the documentation's site into build/docs; fails on dead links, and on pages that the code has left behind
	$(BIN)/python scripts/reference --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict $(ARGS)

reference: install ## write the pages of the documentation that are made from the code
	$(BIN)/python scripts/reference

bench: install ## measure quality, latency, cost or load; ARGS say which: ARGS='latency --seconds 60'
	$(BIN)/wavescribe bench $(ARGS)

bench-gate: install ## judge the ratios that must not get worse; minutes
	$(BIN)/wavescribe bench gate $(ARGS)

results: install ## measure everything and write docs/results.md; hours, ARGS='--corpus DIR'
	$(BIN)/wavescribe bench all --output build/bench --page docs/results.md $(ARGS)

clean: ## remove .venv, caches and builds
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
