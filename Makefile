# Two commands matter: `make demo` and `make test`.  They need Python 3.11+, make and nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCKS  := infra/requirements
MEMBERS := -e frontend -e platform $(foreach p,$(wildcard plugins/*/pyproject.toml),-e $(dir $(p)))
COMPILE = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
          --no-emit-package huiyin --no-emit-package huiyin-frontend \
          $(patsubst plugins/%/pyproject.toml,--no-emit-package huiyin-%,$(wildcard plugins/*/pyproject.toml))

.PHONY: help setup demo test lint types format lock browser faults bench screenshots migration clean

help:            ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(VENV)/.ready   ## Install everything into .venv

$(VENV)/.ready: $(LOCKS)/dev.txt pyproject.toml platform/pyproject.toml frontend/pyproject.toml $(wildcard plugins/*/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(MEMBERS)
	touch $@

demo: setup      ## Seed three firms and serve them on http://127.0.0.1:$${HUIYIN_PORT:-8000}
	$(BIN)/huiyin demo

test: setup lint types ## Everything that fits in ten minutes
	$(BIN)/pytest -q -n 2

lint: setup      ## Style, imports, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	! grep -nE '://|index-url|find-links' $(LOCKS)/*.txt

types: setup     ## mypy --strict
	$(BIN)/mypy

format: setup    ## Let ruff put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

lock:            ## Write the hashed locks again (needs uv)
	$(COMPILE) platform/pyproject.toml $(wildcard plugins/*/pyproject.toml) -o $(LOCKS)/runtime.txt
	$(COMPILE) platform/pyproject.toml $(wildcard plugins/*/pyproject.toml) --group dev -c $(LOCKS)/runtime.txt -o $(LOCKS)/dev.txt

browser: setup   ## Click through the product in a real Chromium
	infra/setup/browser.sh
	$(BIN)/pytest -q -p no:randomly -o norecursedirs=.* -o faulthandler_timeout=1800 tests/browser

faults: setup    ## Kill it in the middle and count
	$(BIN)/pytest -q -p no:randomly -o norecursedirs=.* -o faulthandler_timeout=1800 tests/faults

bench: setup     ## Pages against a bare floor, in one run
	$(BIN)/python tests/bench/run.py

screenshots: setup ## Pictures of the running product for README and review
	$(BIN)/python tests/browser/screenshots.py

migration: setup ## make migration m="what changed"
	$(BIN)/huiyin db revision --message "$(m)"

clean:           ## Remove the environment and the embedded data
	rm -rf $(VENV) .huiyin
