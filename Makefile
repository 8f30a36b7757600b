# `make demo` labels an article; `make test` runs every check. Both set up all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check docs wheel linker picture load fuzz label-studio clean

demo: $(VENV)/.core
	$(BIN)/detente label seeds/asia-trip.txt --date 2021-03-10

# A strict editable install is a folder of links to the files there are, so it is renewed before each run of the tests.
test: $(VENV)/.dev
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pytest
	$(MAKE) check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --package detente
	$(BIN)/mypy tests

linker: $(VENV)/.core
	$(BIN)/detente link --check tests/infer/linking/marked.jsonl

picture: $(VENV)/.dev
	$(BIN)/python docs/picture.py

# How fast the server is, and whether it stays right for ten minutes among clients that hang, leave and send garbage.
load: $(VENV)/.dev
	$(BIN)/python -m tests.helpers.load --minutes 10

# 5,000 requests that the API's description allows or forbids.
fuzz: $(VENV)/.dev
	$(BIN)/detente serve --port 8765 --log-level error & server=$$!; trap "kill $$server" EXIT; \
	$(BIN)/schemathesis run http://127.0.0.1:8765/openapi.json --wait-for-schema 300 --max-examples 1700 --seed 1 \
		--checks all --exclude-checks positive_data_acceptance --generation-database none

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx --fail-on-warning --keep-going docs build/docs

# What tests/data/annotation/test_label_studio.py talks to; a gigabyte, in an environment of its own.
label-studio:
	$(PYTHON) -m venv .cache/label-studio
	.cache/label-studio/bin/python -m pip --disable-pip-version-check --quiet install label-studio

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(PIP) install "setuptools>=77" wheel
	$(PIP) install --editable ".[dev]"
	touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) build dist *.egg-info
