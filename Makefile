# Everything is set up by tools/prepare.py, which does nothing when nothing changed.

PYTHON ?= python3
# Options for `maskwright serve`, `pytest` or `vitest`, as in: make test ARGS="-k masks"
ARGS ?=
# Test processes at a time; more than two only pay on a machine with more than two cores.
WORKERS ?= 2

prepare = $(PYTHON) tools/prepare.py
bin = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run dev test lint format bench bench-editor fuzz migration openapi build

help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

run: ## Set everything up and serve Maskwright on http://127.0.0.1:8000
	@exec $(prepare) run $(bin)/maskwright serve --with-parent $(ARGS)

dev: ## The same, rebuilding and restarting whenever a source file changes
	@exec $(prepare) test $(bin)/python tools/develop.py $(ARGS)

test: ## Run every test: Python, front end, browser, lint and types
	@exec $(prepare) test $(bin)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: ## Run the linters and type checkers only
	@exec $(prepare) test $(bin)/python tools/checks.py ruff format mypy eslint svelte-check

format: ## Put the Python code in its standard form
	@$(prepare) test $(bin)/ruff check --fix-only --quiet .
	@exec $(bin)/ruff format .

bench: ## Measure how fast it is, and print one table
	@exec $(prepare) test $(bin)/python -m tests.bench $(ARGS)

bench-editor: ## Measure the editor in a real browser, and print one table
	@exec $(prepare) test $(bin)/python -m tests.bench.editor $(ARGS)

fuzz: ## Compare the mask engine with pycocotools: make fuzz ARGS="--seconds 600 --seed 7"
	@exec $(prepare) test $(bin)/python -m tests.masks.fuzz $(ARGS)

migration: ## Write a migration from the models: make migration m="Add a table"
	@exec $(prepare) test $(bin)/python tools/new_migration.py "$(m)"

openapi: ## Write the front end's types from the API's description
	@exec $(prepare) test $(bin)/python tools/openapi_types.py

build: ## Build the wheel and the source archive into dist/
	@exec $(prepare) test $(bin)/uv build $(ARGS)
