# make film   a story becomes a film, on a fresh machine with Python 3.11 or newer and make
# make test   everything that must hold before a change is taken
#
# The first run makes .venv and installs into it; later runs do so only when pyproject.toml or
# constraints.txt changed. PYTHON=/path/to/python chooses another interpreter.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$python; break; }; done)
BIN := .venv/bin
FILM := films/lamp-keeper

.DEFAULT_GOAL := help
.PHONY: help film test lint install clean

help:
	@echo "make film    draw and render examples/lamp-keeper into $(FILM)"
	@echo "make test    lint, types and tests"
	@echo "make lint    lint and types alone"
	@echo "make install .venv with everything in it"
	@echo "make clean   remove caches and build outputs (not .venv, films or runs)"

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@if ! test -x $(BIN)/python; then \
	  if test -z "$(PYTHON)"; then \
	    echo "cinema wants Python 3.11 or newer; found $$(python3 --version 2>/dev/null || echo none). Install one, or name it: make PYTHON=/path/to/python" >&2; \
	    exit 4; \
	  fi; \
	  "$(PYTHON)" -m venv .venv || { rm -rf .venv; \
	    echo "Python's venv is missing (Debian, Ubuntu: apt install python3-venv)." >&2; exit 4; }; \
	fi
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "Installing into .venv (the first time this fetches torch: a few minutes) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'
	@touch $@

film: install
	$(BIN)/cinema plan examples/lamp-keeper/story.txt --out $(FILM)
	$(BIN)/cinema render $(FILM)/storyboard.json
	@echo "The film: $(FILM)/film.mp4   to look through: $(FILM)/contact-sheet.html"

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile -m "not slow and not gpu"

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache
	find src tests examples -name __pycache__ -prune -exec rm -rf {} +
