# Two commands do all the set-up: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help system install run test check format generate conformance bench clean

help:            ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / - /'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $(STAMP)

install: $(STAMP)   ## make .venv with everything in it, .venv/bin/htg117 included

system:          ## install what the tests use beside Python, with apt, where this may be done
	tools/system.sh

run: install     ## serve on 127.0.0.1:8000 on an embedded SQLite file, with an example loaded
	$(BIN)/htg117 serve --example

test: install    ## run the tests
	$(BIN)/pytest -m "not conformance"

check: install   ## formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: install  ## make the generated files again (HL7 tables, openapi, coverage)
	$(BIN)/python -m tools.generate

conformance: install  ## HL7's reference validator over everything published and every golden
	tools/conformance/build.sh
	$(BIN)/pytest -m conformance tests

bench: install   ## measure, beside peers where they can be installed
	$(BIN)/python -m bench

clean:           ## remove what was built
	rm -rf $(VENV) build dist var tools/conformance/target
